import type { Readable } from "node:stream";

/** Where one service stands. */
export interface ServiceState {
  readonly service: string;
  /** The engine's word: `running`, `exited`, `created`, `restarting`, … or `missing` where there is no container. */
  readonly state: string;
  /** From the Compose file's health check; null where it has none. */
  readonly health: "starting" | "healthy" | "unhealthy" | null;
}

/** What starts and stops an app's containers. */
export interface Runtime {
  /** "dry": nothing is started, and `note` says why. */
  readonly kind: "docker" | "dry";
  readonly note: string;
  /** Fetches what `up` needs, so that a switch takes no longer than a start. Cut off by the signal. */
  pull(signal: AbortSignal): Promise<void>;
  /** Resolves when the containers were started. Cut off by the signal. */
  up(signal: AbortSignal): Promise<void>;
  /** Where each service stands; starts again what ended and should run by its restart policy. */
  tend(signal: AbortSignal): Promise<readonly ServiceState[]>;
  /**
   * Resolves when none of them is left; harmless when there was none.
   * @param stopSeconds what containers get to end by themselves: none when the right to run is over already.
   */
  down(stopSeconds: number): Promise<void>;
  /** Address of a service's container for this guest; null where it does not run. */
  address(service: string, signal: AbortSignal): Promise<string | null>;
  /** What containers write, as it comes, until the signal is given. Who may read it is the caller's question. */
  logs(signal: AbortSignal): Readable | null;
}

/** Leases are held and nothing runs: said plainly in the guest's state. */
export const dryRuntime = (why: string): Runtime => ({
  kind: "dry",
  note: `containers are not started: ${why}`,
  pull: () => Promise.resolve(),
  up: () => Promise.resolve(),
  tend: () => Promise.resolve([]),
  down: () => Promise.resolve(),
  address: () => Promise.resolve(null),
  logs: () => null,
});
