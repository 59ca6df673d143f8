import { setFlagsFromString } from "node:v8";

/** From so many sessions on memory is what a relayer runs out of first; below half of it, time. */
const MANY = 1_000;
/**
 * A young generation that does not grow, and is too small to be worth a second thread's waking; and an old one that is
 * collected before it has grown by a quarter.
 */
const LEAN = [
  "--optimize-for-size",
  "--semi-space-growth-factor=1",
  "--no-parallel-scavenge",
  "--heap-growing-percent=25",
];
/** As V8 has them. */
const USUAL = [
  "--no-optimize-for-size",
  "--semi-space-growth-factor=2",
  "--parallel-scavenge",
  "--heap-growing-percent=0",
];

/**
 * Tells V8 what to spare: memory while many sessions are held, whose small things live long, and else the time that
 * boot authorizations wait. Called with each number of sessions; V8 is told when it matters only.
 * @param tell takes one of V8's flags.
 */
export function heapBySessions(
  tell: (flag: string) => void = setFlagsFromString,
): (sessions: number) => void {
  let isLean = false;
  return (sessions) => {
    const shallBeLean = sessions >= (isLean ? MANY / 2 : MANY);
    if (shallBeLean === isLean) return;
    isLean = shallBeLean;
    for (const flag of isLean ? LEAN : USUAL) tell(flag);
  };
}
