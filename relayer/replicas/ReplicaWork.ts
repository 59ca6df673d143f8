import type { Address } from "../../protocol/words/hex.ts";
import { crashPoint } from "../crashPoints.ts";
import { pause } from "../pause.ts";
import type { WorkLease, WorkStore } from "../store/workStore.ts";
import { ALL_WORK, chosenFor, KEEPER, shardOf } from "./shards.ts";

interface Options {
  readonly store: WorkStore;
  /** Name of this replica: unique among those of one database. */
  readonly replica: string;
  /** How long a dead replica's work rests at most. */
  readonly leaseMs?: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
  readonly onFailed?: (cause: unknown) => void;
}

/** Ticks per lease: one may fail. */
const TICKS = 3;
const DEFAULTS: Required<Pick<Options, "leaseMs" | "now" | "onFailed">> = {
  leaseMs: 3_000,
  now: () => performance.now(),
  onFailed: () => undefined,
};

/**
 * What this replica does of the work that is done once: shards of apps, and upkeep. It holds a lease on each, renewed
 * together; cut off from the database it stops before anybody else may begin, by a clock of its own.
 */
export class ReplicaWork {
  readonly #options: Options & typeof DEFAULTS;
  readonly #listeners = new Set<() => void>();
  #held = new Map<string, WorkLease>();
  #until = -Infinity;

  constructor(options: Options) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /** The lease on this work; undefined while another replica, or nobody, has it. */
  lease(name: string): WorkLease | undefined {
    return this.#options.now() < this.#until ? this.#held.get(name) : undefined;
  }

  /** The lease on an app's proofs, batches and placements. */
  leaseOf(app: Address): WorkLease | undefined {
    return this.lease(shardOf(app));
  }

  /** The leases on all shards that are held now. */
  shards(): readonly WorkLease[] {
    if (this.#options.now() >= this.#until) return [];
    return [...this.#held.values()].filter(({ name }) => name !== KEEPER);
  }

  /** Everything that is held now. */
  held(): readonly string[] {
    return this.#options.now() < this.#until ? [...this.#held.keys()] : [];
  }

  /** One beat: who lives, what is mine by that, and leases on it. */
  async tick(): Promise<void> {
    const { store, replica, leaseMs, now } = this.#options;
    const asked = now();
    const living = await store.beat(replica, leaseMs);
    const mine = ALL_WORK.filter((name) => chosenFor(name, living) === replica);
    const given = [...this.#held.keys()].filter((name) => !mine.includes(name));
    for (const name of given) this.#held.delete(name); // Before another may have it.
    this.#tell();
    if (given.length > 0) await store.drop(replica, given);
    const taken = await store.take(replica, mine, leaseMs);
    this.#held = new Map(taken.map((lease) => [lease.name, lease]));
    this.#until = asked + leaseMs; // From before the database was asked: never later than it thinks.
    this.#tell();
    crashPoint("shard.taken");
  }

  /** Beats until `signal` aborts, then lets others take over. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, replica, leaseMs, onFailed } = this.#options;
    while (!signal.aborted) {
      try {
        await this.tick();
      } catch (cause) {
        onFailed(cause);
      }
      await pause(leaseMs / TICKS, signal);
    }
    this.#until = -Infinity;
    this.#tell();
    await store.leave(replica).catch(onFailed);
  }

  /** Runs `work` whenever this replica holds `name`, and aborts its signal when it does not any more. */
  async whileHeld(
    name: string,
    work: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      if (this.lease(name) === undefined) {
        await this.#change(signal);
        continue;
      }
      const lost = new AbortController();
      const working = work(AbortSignal.any([signal, lost.signal]));
      while (this.lease(name) !== undefined && !signal.aborted) await this.#change(signal);
      lost.abort();
      await working;
    }
  }

  /** Waits until something may have changed: a beat, or the end of the leases. */
  async #change(signal: AbortSignal): Promise<void> {
    const { leaseMs, now } = this.#options;
    const changed = new AbortController();
    const listener = (): void => changed.abort();
    this.#listeners.add(listener);
    const left = this.#until - now();
    await pause(left > 0 ? left : leaseMs, AbortSignal.any([signal, changed.signal]));
    this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
