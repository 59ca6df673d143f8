import type { Placements } from "../../protocol/session/messages.ts";
import type { Clock } from "../clock.ts";
import type { Driver, GuestExit, GuestSpec } from "./drivers/Driver.ts";

export interface GuestsOptions {
  readonly driver: Driver;
  readonly clock: Clock;
  readonly report: (change: GuestChange) => void;
}

export type GuestChange =
  | { readonly guest: string; readonly change: "started"; readonly release: number }
  | { readonly guest: string; readonly change: "stopped" }
  | {
      readonly guest: string;
      readonly change: "ended";
      readonly code: number | null;
      readonly restartSeconds: number;
    };

interface Wanted {
  readonly spec: GuestSpec;
  isRunning: boolean;
  failures: number;
  startedAt: number;
  /** Not started again before this. */
  notBefore: number;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** A guest that ran this long is not in trouble: its next end is counted as the first. */
const STEADY_MS = 60_000;

/** One guest per app, slot and release: another release is another guest, and the old one ends. */
export const guestId = ({ app, slot, release }: Placements["placements"][number]): string =>
  `${app.slice(2)}-${slot}-r${release}`;

/**
 * Makes the running guests those that are placed here. A guest that ends while it is still placed is started again,
 * after pauses that double from a second to a minute.
 */
export class Guests {
  readonly #options: GuestsOptions;
  readonly #wanted = new Map<string, Wanted>();
  readonly #stopping = new Map<string, Promise<void>>();

  constructor(options: GuestsOptions) {
    this.#options = options;
  }

  /** Starts and stops what the placements ask for. Returns at once; stops go on in the background. */
  reconcile(placements: Placements["placements"], node: number): void {
    const placed = new Map(placements.map((placement) => [guestId(placement), placement]));
    for (const id of this.#wanted.keys()) if (!placed.has(id)) this.#stop(id);
    for (const [id, placement] of placed) {
      if (this.#wanted.has(id)) continue;
      this.#wanted.set(id, {
        spec: { id, node, ...placement },
        isRunning: false,
        failures: 0,
        startedAt: 0,
        notBefore: 0,
      });
    }
    this.tick();
  }

  /** Starts what is due: called by `reconcile`, and as often as one likes. */
  tick(): void {
    const now = this.#options.clock.now();
    for (const [id, guest] of this.#wanted) {
      if (guest.isRunning || now < guest.notBefore || this.#stopping.has(id)) continue;
      guest.isRunning = true;
      guest.startedAt = now;
      this.#options.driver.start(guest.spec, (exit) => this.#ended(guest, exit));
      this.#options.report({ guest: id, change: "started", release: guest.spec.release });
    }
  }

  /** Stops every guest, and resolves when none is left. */
  async stopAll(): Promise<void> {
    for (const id of this.#wanted.keys()) this.#stop(id);
    await Promise.all(this.#stopping.values());
  }

  #stop(id: string): void {
    const { driver, report } = this.#options;
    this.#wanted.delete(id);
    if (!driver.list().includes(id)) return;
    const stopping = driver.stop(id).finally(() => {
      this.#stopping.delete(id);
      report({ guest: id, change: "stopped" });
    });
    this.#stopping.set(id, stopping);
  }

  #ended(guest: Wanted, { id, code }: GuestExit): void {
    if (this.#wanted.get(id) !== guest) return; // It was stopped on purpose.
    const now = this.#options.clock.now();
    guest.isRunning = false;
    guest.failures = now - guest.startedAt >= STEADY_MS ? 1 : guest.failures + 1;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (guest.failures - 1), LONGEST_PAUSE_MS);
    guest.notBefore = now + pause;
    this.#options.report({ guest: id, change: "ended", code, restartSeconds: pause / 1_000 });
  }
}
