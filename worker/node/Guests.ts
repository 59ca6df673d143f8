import type { Placements } from "../../protocol/session/messages.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { Clock } from "../clock.ts";
import type { Driver, GuestExit, GuestSpec } from "./drivers/Driver.ts";

export interface GuestsOptions {
  readonly driver: Driver;
  readonly clock: Clock;
  readonly report: (change: GuestChange) => void;
  /** Slots that this machine takes on at once; as many as are placed where it is not given. */
  readonly maxGuests?: number | undefined;
}

export type GuestChange =
  | { readonly guest: string; readonly change: "started"; readonly release: number }
  /** Placed no longer, and kept until the guest that takes its place is ready or its own lease ends. */
  | { readonly guest: string; readonly change: "leaving"; readonly successor: string }
  | { readonly guest: string; readonly change: "stopped" }
  /** Placed here, and not started: the machine has taken on as many as it takes. */
  | { readonly guest: string; readonly change: "declined" }
  | {
      readonly guest: string;
      readonly change: "ended";
      readonly code: number | null;
      readonly restartSeconds: number;
    };

interface Wanted {
  readonly spec: GuestSpec;
  isRunning: boolean;
  /** It said that its containers run, or that only another guest's ports keep it from starting them. */
  isReady: boolean;
  failures: number;
  startedAt: number;
  /** Not started again before this. */
  notBefore: number;
}

type Placed = Placements["placements"][number];

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** A guest that ran this long is not in trouble: its next end is counted as the first. */
const STEADY_MS = 60_000;

/** What a guest says when the one whose place it takes may go. */
const READY: ReadonlySet<unknown> = new Set(["running", "awaiting-ports", "awaiting-volume"]);

/** One guest per app, slot and release: another release is another guest, and the old one ends once that is ready. */
export const guestId = ({ app, slot, release }: Placed): string => `${app.slice(2)}-${slot}-r${release}`;

/**
 * Makes the running guests those that are placed here. A guest that ends while it is still placed is started again,
 * after pauses that double from a second to a minute. Where another release takes a guest's place, the old one runs on
 * until the new one has its images, its lease and its containers: whether it may is its own lease's to say, not the
 * node's.
 */
export class Guests {
  readonly #options: GuestsOptions;
  readonly #wanted = new Map<string, Wanted>();
  /** By their ids: placed no longer, with the guest that takes the place. */
  readonly #leaving = new Map<string, { readonly guest: Wanted; readonly successor: string }>();
  readonly #stopping = new Map<string, Promise<void>>();
  #declined: ReadonlySet<string> = new Set();
  #isTold = false;

  constructor(options: GuestsOptions) {
    this.#options = options;
  }

  /** Starts and stops what the placements ask for. Returns at once; stops go on in the background. */
  reconcile(placements: Placements["placements"], node: number): void {
    const placed = new Map(placements.map((placement) => [guestId(placement), placement]));
    this.#isTold = true;
    const declined = this.#beyondRoom(placed);
    for (const [id, placement] of placed) {
      if (this.#wanted.has(id) || declined.has(id)) continue;
      const back = this.#leaving.get(id); // Placed again before the other was ready.
      this.#leaving.delete(id);
      this.#wanted.set(id, back?.guest ?? fresh(specOf(id, node, placement)));
    }
    for (const id of [...this.#wanted.keys(), ...this.#leaving.keys()]) {
      if (!placed.has(id)) this.#leave(id, placed);
    }
    for (const id of declined) {
      if (!this.#declined.has(id)) this.#options.report({ guest: id, change: "declined" });
    }
    this.#declined = declined;
    // What an earlier agent left running, or could not be stopped, and is placed no more.
    for (const id of this.#options.driver.list()) {
      if (!this.#wanted.has(id) && !this.#leaving.has(id)) this.#stop(id);
    }
    this.tick();
  }

  /** The app of each slot that was taken on, once for each; null before anybody said what is placed here. */
  apps(): Address[] | null {
    if (!this.#isTold) return null;
    return [...new Map([...this.#wanted.values()].map(({ spec }) => [slotOf(spec), spec.app])).values()];
  }

  /**
   * What is placed here beyond what the machine takes on. Slots that it has taken on stay, in whatever release; then those
   * whose guests run already, from before this agent.
   */
  #beyondRoom(placed: ReadonlyMap<string, Placed>): Set<string> {
    const { maxGuests = Infinity, driver } = this.#options;
    const mine = new Set([...this.#wanted.values()].map(({ spec }) => slotOf(spec)));
    const running = new Set(driver.list());
    const rank = ([id, one]: readonly [string, Placed]): number =>
      mine.has(slotOf(one)) ? 0 : running.has(id) ? 1 : 2;
    const slots = new Set([...placed].sort((a, b) => rank(a) - rank(b)).map(([, one]) => slotOf(one)));
    const taken = new Set([...slots].slice(0, maxGuests));
    return new Set([...placed].filter(([, one]) => !taken.has(slotOf(one))).map(([id]) => id));
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

  /** What a guest says of itself: `state` of its line. */
  heard(id: string, state: unknown): void {
    const guest = this.#wanted.get(id);
    if (guest === undefined || !READY.has(state)) return;
    if (!guest.isReady) this.#options.driver.warm?.(); // This one has what it needs of the machine: time for the next.
    guest.isReady = true;
    for (const [leaving, { successor }] of this.#leaving) if (successor === id) this.#stop(leaving);
  }

  /** Stops every guest, and resolves when none is left; does nothing where guests outlive their agent. */
  async stopAll(): Promise<void> {
    if (this.#options.driver.keepsOnStop === true) return;
    for (const id of [...this.#wanted.keys(), ...this.#leaving.keys()]) this.#stop(id);
    await Promise.all(this.#stopping.values());
  }

  /** Keeps a running guest while another release is made ready in its place; stops any other. */
  #leave(id: string, placed: ReadonlyMap<string, Placed>): void {
    const guest = this.#wanted.get(id) ?? this.#leaving.get(id)?.guest;
    if (guest === undefined) return;
    const { app, slot } = guest.spec;
    const [successor] = [...placed].find(([, other]) => other.app === app && other.slot === slot) ?? [];
    if (successor === undefined || !guest.isRunning || this.#wanted.get(successor)?.isReady) {
      return this.#stop(id);
    }
    const known = this.#leaving.get(id);
    this.#wanted.delete(id);
    this.#leaving.set(id, { guest, successor });
    if (known?.successor !== successor) this.#options.report({ guest: id, change: "leaving", successor });
  }

  #stop(id: string): void {
    const { driver, report } = this.#options;
    this.#wanted.delete(id);
    this.#leaving.delete(id);
    if (!driver.list().includes(id) || this.#stopping.has(id)) return;
    const stopping = driver.stop(id).finally(() => {
      this.#stopping.delete(id);
      report({ guest: id, change: "stopped" });
    });
    this.#stopping.set(id, stopping);
  }

  #ended(guest: Wanted, { id, code }: GuestExit): void {
    guest.isRunning = false;
    guest.isReady = false;
    if (this.#leaving.delete(id)) this.#options.report({ guest: id, change: "stopped" });
    if (this.#wanted.get(id) !== guest) return; // It was stopped on purpose, or its grace is over.
    const now = this.#options.clock.now();
    guest.failures = now - guest.startedAt >= STEADY_MS ? 1 : guest.failures + 1;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (guest.failures - 1), LONGEST_PAUSE_MS);
    guest.notBefore = now + pause;
    this.#options.report({ guest: id, change: "ended", code, restartSeconds: pause / 1_000 });
  }
}

/** A slot, whatever its release. */
const slotOf = ({ app, slot }: { readonly app: Address; readonly slot: number }): string => `${app}-${slot}`;

const fresh = (spec: GuestSpec): Wanted => ({
  spec,
  isRunning: false,
  isReady: false,
  failures: 0,
  startedAt: 0,
  notBefore: 0,
});

/** What a guest is told of its placement: no more, as its configuration takes no other field. */
const specOf = (id: string, node: number, { app, release, composeHash, slot }: Placed): GuestSpec => ({
  id,
  node,
  app,
  release,
  composeHash,
  slot,
});
