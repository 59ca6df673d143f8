/** What starts and stops an app's containers. */
export interface Runtime {
  /** "dry": nothing is started, and `note` says why. */
  readonly kind: "docker" | "dry";
  readonly note: string;
  /** Resolves when the containers were started. Cut off by the signal. */
  up(signal: AbortSignal): Promise<void>;
  /** Resolves when none of them is left; harmless when there was none. */
  down(): Promise<void>;
}

/** Leases are held and nothing runs: said plainly in the guest's state. */
export const dryRuntime = (why: string): Runtime => ({
  kind: "dry",
  note: `containers are not started: ${why}`,
  up: () => Promise.resolve(),
  down: () => Promise.resolve(),
});
