import type { PublicClient } from "viem";

import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import type { BlockRef, ChainEvent } from "../../protocol/state/types.ts";
import { crashPoint } from "../crashPoints.ts";
import { pause } from "../pause.ts";
import type { ChainIdentity, ChainStore, Settlement, TakenBack } from "../store/chainStore.ts";
import type { HeadNews } from "./client.ts";
import { fetchNext, fetchRange } from "./fetchRange.ts";
import type { Range } from "./fetchRange.ts";
import { readFinalBlock } from "./finality.ts";
import type { Finality } from "./finality.ts";
import { FinalityGuard } from "./FinalityGuard.ts";
import { LogRanges } from "./LogRanges.ts";
import type { Projection } from "./projection.ts";
import { isRangeRefusal } from "./rangeRefusal.ts";
import { requireFollowed } from "./requireFollowed.ts";
import { readHeader, toRef } from "./rpc.ts";
import { StateTracker } from "./stateTracker.ts";
import { verifyChain } from "./verifyChain.ts";
import { Wakeup } from "./Wakeup.ts";

export interface FollowerOptions {
  readonly client: PublicClient;
  readonly store: { readonly chain: ChainStore };
  readonly deployment: Deployment;
  readonly finality: Finality;
  /** Milliseconds between looks at the head; 500 by default. */
  readonly pollMs?: number;
  /** Rest after each look, however often a node tells of heads: a look asks all nodes. 50 by default. */
  readonly restMs?: number;
  /** Wakes it when a node tells of a new head; without it, it only looks. */
  readonly heads?: HeadNews;
  /** Unix seconds; the clock by default. */
  readonly now?: () => number;
  /** Seconds of a clock that only goes forward. */
  readonly uptime?: () => number;
  /** What an operator says about a final block that was taken back. */
  readonly settlement?: Settlement | undefined;
  /** Called once for each final block that is taken back. */
  readonly onTakenBack?: (block: TakenBack) => void;
}

export interface FollowerStatus {
  /** The last look at the chain succeeded, and the projection follows it. */
  readonly ready: boolean;
  readonly newest: BlockRef | null;
  readonly final: BlockRef | null;
  readonly lastError: { readonly code: string; readonly message: string } | null;
  /** Reorgs seen since start; `deepReorgs` took back a block that was called final. */
  readonly reorgs: number;
  readonly deepReorgs: number;
}

/** What the newest block brought since listeners were last told; `rewound`: a reorg took events back. */
export interface FollowerNews {
  readonly events: readonly ChainEvent[];
  readonly rewound: boolean;
}

/** Blocks this close to the head are read one by one, each bound to its hash. */
const NEAR = 32n;
/** Event-free blocks kept below the final one, where a common ancestor may be looked for. */
const KEEP_BLOCKS = 256;
const MAX_BACKOFF_MS = 10_000;
/** So many times longer are its pauses while a node tells of heads. */
const TOLD = 4;
const DEFAULTS: Required<Pick<FollowerOptions, "pollMs" | "restMs" | "now" | "uptime" | "onTakenBack">> = {
  pollMs: 500,
  restMs: 50,
  now: () => Date.now() / 1_000,
  uptime: () => performance.now() / 1_000,
  onTakenBack: () => undefined,
};

const sameBlock = (a: BlockRef, b: BlockRef) => a.number === b.number && a.hash === b.hash;

/** Follows the chain: every event of ours, as of the newest block and as of the final one, through reorgs. */
export class Follower {
  readonly #options: FollowerOptions & typeof DEFAULTS;
  readonly #identity: ChainIdentity;
  readonly #listeners = new Set<(projection: Projection, news: FollowerNews) => void>();
  #news: { events: ChainEvent[]; rewound: boolean } = { events: [], rewound: false };
  #tracker: StateTracker | null = null;
  #synced = false;
  #reachable = false;
  readonly #ranges = new LogRanges();
  readonly #guard: FinalityGuard;
  #lastError: CharterError | null = null;
  #reorgs = 0;
  /** The newest block, and the uptime when it was first followed. */
  #head = { hash: "", since: 0 };

  constructor(options: FollowerOptions) {
    this.#options = { ...DEFAULTS, ...options };
    this.#guard = new FinalityGuard(options.store.chain, this.#options.onTakenBack);
    const { chainId, genesisHash, appRegistry } = options.deployment;
    this.#identity = { chainId, genesisHash, appRegistry };
  }

  /**
   * Refuses a chain, a finality or a database that is not the configured one, then follows up to the head.
   * @throws CharterError `chain/wrong-chain`, `chain/finality-unavailable`, `chain/unreachable`, `store/other-chain`.
   */
  async start(): Promise<void> {
    const { client, finality, deployment, store, settlement } = this.#options;
    await verifyChain(client, deployment);
    await readFinalBlock(client, finality, await readHeader(client, "latest"));
    if (settlement !== undefined) await store.chain.settle(settlement);
    await this.#load();
    await this.tick();
  }

  /** Looks at the chain until `signal` aborts; failures are kept in `status()` and tried again, ever less often. */
  async run(signal: AbortSignal): Promise<void> {
    const { pollMs, restMs, heads } = this.#options;
    const news = new Wakeup();
    const stop = heads?.onHead(() => news.wake());
    signal.addEventListener("abort", () => stop?.(), { once: true });
    let waitMs = pollMs;
    while (!signal.aborted) {
      await news.wait(waitMs, signal);
      if (signal.aborted) return;
      try {
        await this.tick();
        // Nodes that tell of heads may fall silent without ending the socket: so they are looked at also then.
        waitMs = heads?.tells() === true ? pollMs * TOLD : pollMs;
        if (heads !== undefined) await pause(restMs, signal);
      } catch {
        // `status()` says what failed. Jitter, so that replicas do not return all at once.
        waitMs = Math.min(MAX_BACKOFF_MS, waitMs * 2) * (0.75 + Math.random() / 2);
      }
    }
  }

  /** One look at the chain. One at a time: `run` does it, or a test. */
  async tick(): Promise<void> {
    const before = this.#tracker?.projection();
    try {
      await this.#guard.refresh();
      const head = toRef(await readHeader(this.#options.client, "latest"));
      await this.#reconcile(head);
      await this.#catchUp(head);
      await this.#finalize(head);
      this.#synced = true;
      this.#reachable = true;
      this.#lastError = null;
    } catch (error) {
      this.#lastError = isCharterError(error)
        ? error
        : new CharterError("chain/failed", "following the chain failed", {}, { cause: error });
      // That the chain moved under a reading is how chains are: the next look reads it again.
      this.#reachable &&= this.#lastError.code === "chain/moved";
      // An event of ours that cannot follow what came before: nothing may be granted until that is gone.
      if (this.#lastError.code.startsWith("state/")) this.#synced = false;
      throw this.#lastError;
    } finally {
      const hash = this.#tracker?.projection().newest.block.hash ?? "";
      if (hash !== this.#head.hash) this.#head = { hash, since: this.#options.uptime() };
      this.#publish(before);
    }
  }

  /**
   * What is known now. @throws CharterError `chain/not-ready` before the first look at the chain succeeded,
   * `chain/deep-reorg` from when a final block was taken back until an operator has settled it.
   */
  projection(): Projection {
    if (!this.#tracker || !this.#synced) {
      throw new CharterError("chain/not-ready", "the chain has not been followed to its head yet");
    }
    if (this.#guard.error !== null) throw this.#guard.error;
    return this.#tracker.projection();
  }

  /** Calls `listener` after each change of the newest or final block; gives the way to stop. */
  onUpdate(listener: (projection: Projection, news: FollowerNews) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Seconds between the newest block's time and `now` (unix seconds), and no fewer than it has been the newest: a block
   * whose time is ahead, or a clock that was set back, must not keep it young. Infinite before the first sync.
   */
  headAgeSeconds(now: number = this.#options.now()): number {
    const newest = this.#tracker?.projection().newest;
    if (!newest || !this.#synced) return Number.POSITIVE_INFINITY;
    const known = newest.block.hash === this.#head.hash ? this.#options.uptime() - this.#head.since : 0;
    return Math.max(now - newest.block.timestamp, known);
  }

  status(): FollowerStatus {
    const known = this.#tracker?.projection();
    const lastError = this.#guard.error ?? this.#lastError;
    return {
      ready: this.#synced && this.#reachable && this.#guard.error === null,
      newest: known?.newest.block ?? null,
      final: known?.final.block ?? null,
      lastError: lastError && { code: lastError.code, message: lastError.message },
      reorgs: this.#reorgs,
      deepReorgs: this.#guard.count,
    };
  }

  /** The tracker as the store has it; a new database begins before the deployment's first block. */
  async #load(): Promise<StateTracker> {
    const { client, deployment, store } = this.#options;
    if ((await store.chain.cursor(this.#identity)) === null) {
      const first = BigInt(deployment.startBlock);
      await store.chain.begin(this.#identity, toRef(await readHeader(client, first > 0n ? first - 1n : 0n)));
    }
    const { final, blocks, logs } = await store.chain.read(this.#identity);
    const oldest = blocks[0] ?? final;
    const tracker = new StateTracker(deployment, oldest);
    let next = 0;
    for (const block of blocks) {
      const start = next;
      while (logs[next]?.blockNumber === block.number) next++;
      // The oldest block is where the tracker stands already: only its events are new.
      tracker.extend(
        block,
        tracker.select(logs.slice(start, next)).map(({ event }) => event),
      );
    }
    tracker.finalize(final);
    this.#tracker = tracker;
    await this.#guard.refresh();
    return tracker;
  }

  /** Finds where the followed chain left the head's, if it did, and forgets what lies above. */
  async #reconcile(head: BlockRef): Promise<void> {
    const { client, store } = this.#options;
    const tracker = this.#tracker ?? (await this.#load());
    const { newest, final } = tracker.projection();
    if (sameBlock(head, newest.block) || head.parentHash === newest.block.hash) return;
    let kept: BlockRef | null = newest.block;
    if (head.number < kept.number) {
      // Behind us: an endpoint that lags, unless it contradicts what was followed.
      kept = await store.chain.blockAtOrBelow(head.number);
    }
    let ancestor = kept;
    while (ancestor && (await readHeader(client, ancestor.number)).hash !== ancestor.hash) {
      ancestor = ancestor.number === 0n ? null : await store.chain.blockAtOrBelow(ancestor.number - 1n);
    }
    if (!ancestor) {
      throw new CharterError("chain/no-common-ancestor", "the chain shares no block with what was followed", {
        head: head.number,
      });
    }
    if (ancestor === kept) return;
    this.#reorgs += 1;
    this.#news.rewound = true;
    const contradicted = { newest: newest.block, final: final.block };
    const isDeep = ancestor.number < final.block.number;
    // Before anything is written: whatever happens next, this process grants nothing more on what it called final.
    if (isDeep) this.#guard.halt(final.block);
    const rolledBack = await store.chain.rollback(ancestor, contradicted);
    crashPoint("follower.rolled-back");
    if (rolledBack && !isDeep) return tracker.rollback(ancestor);
    await this.#load();
  }

  async #catchUp(head: BlockRef): Promise<void> {
    for (;;) {
      const tracker = this.#tracker ?? (await this.#load());
      const parent = tracker.projection().newest.block;
      if (parent.number >= head.number) return;
      const range = await this.#fetch(tracker, parent, head);
      crashPoint("follower.fetched");
      try {
        await this.#follow(tracker, parent, range);
      } catch (error) {
        if (isCharterError(error) && error.code === "store/cursor-moved") await this.#load();
        else throw error;
      }
    }
  }

  /** Folds a range and keeps it: both, or neither. Folded first, so that nothing unfoldable is ever kept. */
  async #follow(tracker: StateTracker, parent: BlockRef, { blocks, logs }: Range): Promise<void> {
    try {
      const ours = tracker.select(logs);
      for (const block of blocks) {
        const events = ours.map(({ event }) => event).filter((event) => event.blockNumber === block.number);
        tracker.extend(block, events);
      }
      crashPoint("follower.folded");
      await this.#options.store.chain.append(
        parent,
        blocks,
        ours.map(({ log }) => log),
      );
      crashPoint("follower.appended");
      if (this.#synced) this.#news.events.push(...ours.map(({ event }) => event));
    } catch (error) {
      tracker.rollback(parent);
      throw error;
    }
  }

  /** The next piece: whole ranges far from the head, as large as the node answers; single blocks near it. */
  async #fetch(tracker: StateTracker, parent: BlockRef, head: BlockRef): Promise<Range> {
    const { client } = this.#options;
    const far = head.number - parent.number - NEAR;
    const ours = () => tracker.ours();
    const next = (): Promise<Range> => fetchNext(client, parent, ours);
    if (far <= 1n) return next();
    for (;;) {
      const size = far < this.#ranges.size ? far : this.#ranges.size;
      try {
        const range = await fetchRange(client, parent, parent.number + size, ours);
        this.#ranges.answered(size);
        return range;
      } catch (error) {
        if (this.#ranges.failed(size, error)) continue;
        if (size === 1n && isRangeRefusal(error)) return next();
        throw error;
      }
    }
  }

  async #finalize(head: BlockRef): Promise<void> {
    const { client, store, finality } = this.#options;
    const tracker = this.#tracker ?? (await this.#load());
    const final = await readFinalBlock(client, finality, head);
    const { newest, final: known } = tracker.projection();
    // Finality never goes back: an older answer is an endpoint that lags.
    if (final.number <= known.block.number || final.number > newest.block.number) return;
    await requireFollowed(client, tracker, final);
    try {
      await store.chain.finalize(final, KEEP_BLOCKS);
    } catch (error) {
      if (isCharterError(error) && error.code === "store/cursor-moved") await this.#load();
      throw error;
    }
    crashPoint("follower.finalized");
    tracker.finalize(final);
  }

  #publish(before: Projection | undefined): void {
    const after = this.#synced && this.#guard.error === null ? this.#tracker?.projection() : undefined;
    if (!after) return;
    const unchanged =
      before &&
      sameBlock(before.newest.block, after.newest.block) &&
      sameBlock(before.final.block, after.final.block);
    if (unchanged) return;
    const news = this.#news;
    this.#news = { events: [], rewound: false };
    for (const listener of this.#listeners) listener(after, news);
  }
}
