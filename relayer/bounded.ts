import { busy } from "./busy.ts";

/**
 * The same function for so many callers at once; the next is refused at once instead of waiting in a line that only grows.
 * @throws CharterError `relayer/busy`, and what the function throws.
 */
export function bounded<Input, Output>(
  what: string,
  max: number,
  run: (input: Input) => Promise<Output>,
): (input: Input) => Promise<Output> {
  let running = 0;
  return async (input) => {
    if (running >= max) throw busy(what, 2);
    running++;
    try {
      return await run(input);
    } finally {
      running--;
    }
  };
}
