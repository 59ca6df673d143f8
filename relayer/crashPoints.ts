import { CharterError } from "../protocol/errors/CharterError.ts";
import { DEVELOPMENT_CHAIN_IDS } from "../protocol/policy/judge.ts";

/**
 * Places between two steps of a stage: what was done before them is kept, what comes after them is not begun. A test
 * kills the process there (test/chaos); in service each is an empty call.
 */
export const CRASH_POINTS = [
  "follower.fetched",
  "follower.folded",
  "follower.appended",
  "follower.rolled-back",
  "follower.finalized",
  "admission.judged",
  "admission.accepted",
  "proofs.taken",
  "proofs.collected",
  "proofs.planned",
  "claims.taken",
  "claims.planned",
  "claims.done",
  "outbox.planned",
  "outbox.stored",
  "outbox.handed-over",
  "outbox.sent",
  "outbox.included",
  "outbox.final",
  "lease.decided",
  "lease.signed",
  "shard.taken",
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];

/** Where to end, and at which passage: 1 is the first. */
export interface CrashPlan {
  readonly point: CrashPoint;
  readonly passage: number;
}

const isCrashPoint = (name: string): name is CrashPoint => (CRASH_POINTS as readonly string[]).includes(name);

/** `outbox.stored:3` is the third passage of that point. Null for anything else. */
export function parseCrashPlan(text: string): CrashPlan | null {
  const [, point = "", passage = ""] = /^([a-z.-]+):([1-9]\d{0,5})$/.exec(text) ?? [];
  return isCrashPoint(point) ? { point, passage: Number(passage) } : null;
}

let pass: ((point: CrashPoint) => void) | undefined;

/**
 * From now on the process ends itself, as hard as a machine that loses power, at the planned passage.
 * @throws CharterError `config/crash-refused` unless the chain is a development one.
 */
export function armCrash(
  { point, passage }: CrashPlan,
  chainId: number,
  end: () => unknown = () => process.kill(process.pid, "SIGKILL"),
): void {
  if (!DEVELOPMENT_CHAIN_IDS.includes(chainId)) {
    throw new CharterError("config/crash-refused", "a planned crash is for development chains only", {
      expected: DEVELOPMENT_CHAIN_IDS,
      actual: chainId,
    });
  }
  let left = passage;
  pass = (at) => {
    if (at === point && --left === 0) end();
  };
}

/** Ends what `armCrash` began. */
export function disarmCrash(): void {
  pass = undefined;
}

/** Says that a stage stands at this point. */
export function crashPoint(point: CrashPoint): void {
  pass?.(point);
}
