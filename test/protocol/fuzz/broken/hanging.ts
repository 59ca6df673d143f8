import { target, type Target } from "../target.ts";

/** A parser that makes no end of its twentieth input. */
export function targets(): Promise<Target[]> {
  let calls = 0;
  const hang = (): void => {
    calls++;
    while (calls === 20);
  };
  return Promise.resolve([
    target("good", [""], (input) => input, Number),
    target("hanging", [""], (input) => input, hang),
  ]);
}
