import type { RestartPolicy } from "./launchFile.ts";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** A container that ran this long is not in trouble: its next end is counted as the first. */
const STEADY_MS = 10_000;

interface Kept {
  restarts: number;
  failures: number;
  startedAt: number;
  /** Not started again before this; null while it runs. */
  notBefore: number | null;
}

/** How a container ended, or that it runs. */
export interface ContainerEnd {
  readonly service: string;
  readonly isRunning: boolean;
  /** Exit code; null when it is not known. */
  readonly exit: number | null;
}

/**
 * Says which services should be started again now, by their restart policies, after pauses that double from a second to
 * a minute. Pure: it starts nothing itself.
 */
export class Supervisor {
  readonly #policies: ReadonlyMap<string, RestartPolicy>;
  readonly #kept = new Map<string, Kept>();

  constructor(policies: ReadonlyMap<string, RestartPolicy>) {
    this.#policies = policies;
  }

  /** @param now milliseconds of a monotonic clock. */
  due(containers: readonly ContainerEnd[], now: number): string[] {
    return containers.filter((container) => this.#isDue(container, now)).map(({ service }) => service);
  }

  #isDue({ service, isRunning, exit }: ContainerEnd, now: number): boolean {
    const kept = this.#kept.get(service) ?? { restarts: 0, failures: 0, startedAt: now, notBefore: null };
    this.#kept.set(service, kept);
    if (isRunning) {
      kept.notBefore = null;
      return false;
    }
    const policy = this.#policies.get(service);
    if (policy === undefined || policy.when === "no") return false;
    if (policy.when === "on-failure" && (exit === 0 || kept.restarts >= policy.most)) return false;
    if (kept.notBefore === null) {
      kept.failures = now - kept.startedAt >= STEADY_MS ? 1 : kept.failures + 1;
      kept.notBefore = now + Math.min(FIRST_PAUSE_MS * 2 ** (kept.failures - 1), LONGEST_PAUSE_MS);
    }
    if (now < kept.notBefore) return false;
    kept.restarts++;
    kept.startedAt = now;
    kept.notBefore = null;
    return true;
  }
}
