import type { Address } from "../../protocol/words/hex.ts";
import { pause } from "../pause.ts";
import type { LeaseStore } from "../store/leaseStore.ts";
import { InstanceMap } from "./InstanceMap.ts";
import type { GrantedLease } from "./LeaseDesk.ts";

interface Options {
  readonly store: LeaseStore;
  /** Name of this replica. */
  readonly replica: string;
  /** Leases of this replica's that may still run, of all apps or of one. */
  readonly own: (app?: Address) => readonly GrantedLease[];
  /** Unix seconds. */
  readonly now: () => number;
  readonly onFailed?: (cause: unknown) => void;
}

/** How often replicas tell each other what they granted. */
const SHARE_MS = 1_000;
/** Every so many times what is over is forgotten. */
const FORGET_EVERY = 60;

/**
 * Leases of all replicas of one database: this one's at once, the others' a second or two after they were granted. For
 * showing, and for slots that go from node to node; nothing is granted on what another replica said.
 */
export class SharedLeases {
  readonly #options: Options;
  #untold = new InstanceMap<GrantedLease>();
  readonly #others = new InstanceMap<GrantedLease>();
  #since: string | null = null;
  #shared = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** This replica has just granted it. */
  granted(lease: GrantedLease): void {
    this.#untold.set(lease.app, lease.key, lease);
  }

  /** Leases that may still run, of all apps or of one; of each key's the one that ends last. */
  live(app?: Address): readonly GrantedLease[] {
    const own = this.#options.own(app);
    if (this.#others.size === 0) return own;
    const now = this.#options.now();
    const all = new InstanceMap<GrantedLease>();
    for (const lease of own) all.set(lease.app, lease.key, lease);
    for (const lease of this.#others.values(app)) {
      const mine = all.get(lease.app, lease.key);
      if (lease.until > now && (mine === undefined || mine.until < lease.until)) {
        all.set(lease.app, lease.key, lease);
      }
    }
    return [...all.values()];
  }

  /** Shares with the other replicas until `signal` aborts. While the store is away, what was known goes on until it ends. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(SHARE_MS, signal); // Aborted, it shares once more: what was granted last runs on without us.
      try {
        await this.share();
      } catch (cause) {
        this.#options.onFailed?.(cause);
      }
    }
  }

  /** Tells what was granted since the last time, in one write, and learns what others told. */
  async share(): Promise<void> {
    const { store, replica, now } = this.#options;
    const untold = this.#untold;
    this.#untold = new InstanceMap();
    try {
      await store.tell(replica, [...untold.values()]);
    } catch (cause) {
      for (const lease of untold.values()) {
        if (this.#untold.get(lease.app, lease.key) === undefined) this.granted(lease);
      }
      throw cause;
    }
    const { leases, since } = await store.told(replica, this.#since, now());
    this.#since = since;
    for (const lease of leases) this.#others.set(lease.app, lease.key, lease);
    this.#others.prune(({ until }) => until <= now());
    if (this.#shared++ % FORGET_EVERY === 0) await store.forget(now());
  }
}
