import { setTimeout as delay } from "node:timers/promises";

/** One thing that must be seen in two places: by contract reads and by the index. */
export interface Observation {
  /** Reads contracts; a truthy answer is what goes into the report. */
  readonly chain: () => Promise<unknown>;
  /** Reads GraphQL; a truthy answer is what goes into the report. */
  readonly graphql: () => Promise<unknown>;
}

export interface StepReport {
  readonly step: string;
  readonly seconds: number;
  readonly chain: unknown;
  readonly graphql: unknown;
}

/** Raised when one of the two places did not show a step in time. */
export class NotObserved extends Error {
  constructor(step: string, place: string, seconds: number, last: unknown) {
    super(`${step}: not observed ${place} within ${seconds} s (last answer: ${describe(last)})`);
  }
}

/** Polls both places until both show the step; throws `NotObserved` after `timeoutSeconds`. */
export async function observe(
  step: string,
  observation: Observation,
  options: { signal: AbortSignal; timeoutSeconds?: number },
): Promise<Pick<StepReport, "chain" | "graphql">> {
  const timeoutSeconds = options.timeoutSeconds ?? 60;
  const [chain, graphql] = await Promise.all([
    until(step, "on chain", observation.chain, timeoutSeconds, options.signal),
    until(step, "in GraphQL", observation.graphql, timeoutSeconds, options.signal),
  ]);
  return { chain, graphql };
}

async function until(
  step: string,
  place: string,
  read: () => Promise<unknown>,
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<unknown> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  let last: unknown;
  for (;;) {
    signal.throwIfAborted();
    try {
      last = await read();
      if (last) return last;
    } catch (error) {
      // A read may fail while a process comes up; the last failure is what the report names.
      last = error instanceof Error ? error.message : error;
    }
    if (performance.now() > deadline) throw new NotObserved(step, place, timeoutSeconds, last);
    await delay(250, undefined, { signal });
  }
}

function describe(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "bigint" ? inner.toString() : inner,
  );
}
