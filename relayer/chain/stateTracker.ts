import { contractsOf } from "../../protocol/deployment/contracts.ts";
import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { applyEvent } from "../../protocol/state/applyEvent.ts";
import { cloneChainState, emptyChainState } from "../../protocol/state/chainState.ts";
import { decodeLog } from "../../protocol/state/decodeLog.ts";
import type { RawLog } from "../../protocol/state/decodeLog.ts";
import type { BlockRef, ChainEvent, ChainState } from "../../protocol/state/types.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { Projection } from "./projection.ts";

/** A log of one of our contracts, and what it says. */
export interface OurLog {
  readonly log: RawLog;
  readonly event: ChainEvent;
}

type Contract = ChainEvent["contract"];

/**
 * The two states, in memory: events are folded into the newest as they come and into the final one as their blocks
 * become final; what lies between is kept, so that a reorg replays only that.
 */
export class StateTracker {
  readonly #fixed: ReadonlyMap<Address, Contract>;
  #final: { block: BlockRef; state: ChainState };
  #newest: { block: BlockRef; state: ChainState };
  /** Followed blocks above the final one, oldest first. */
  #tail: { block: BlockRef; events: readonly ChainEvent[] }[] = [];

  constructor(deployment: Deployment, block: BlockRef) {
    this.#fixed = contractsOf(deployment);
    this.#final = { block, state: emptyChainState() };
    this.#newest = { block, state: emptyChainState() };
  }

  /** A new object per call; its states are the live ones (see Projection). */
  projection(): Projection {
    return { final: { ...this.#final }, newest: { ...this.#newest } };
  }

  /** Contracts whose events count now. */
  ours(): Map<Address, Contract> {
    return new Map([
      ...this.#fixed,
      ...[...this.#newest.state.apps.keys()].map((app) => [app, "app"] as const),
    ]);
  }

  /**
   * Which of these logs (in chain order, above the newest block) are ours. An app is known from its AppCreated on,
   * which precedes its own first event.
   */
  select(logs: readonly RawLog[]): OurLog[] {
    const created = new Set<string>();
    const ours: OurLog[] = [];
    for (const log of logs) {
      const isApp = this.#newest.state.apps.has(log.address) || created.has(log.address);
      const contract = this.#fixed.get(log.address) ?? (isApp ? "app" : undefined);
      if (contract === undefined) continue;
      const event = decodeLog(contract, log);
      if (event === null) continue;
      if (event.contract === "appRegistry" && event.name === "AppCreated")
        created.add(event.args["app"] as Address);
      ours.push({ log, event });
    }
    return ours;
  }

  /** The next followed block and its events, in order. */
  extend(block: BlockRef, events: readonly ChainEvent[]): void {
    for (const event of events) applyEvent(this.#newest.state, event);
    this.#newest.block = block;
    this.#tail.push({ block, events });
  }

  /** The lowest followed block from `number` on that is not final yet; none where nothing was followed so far. */
  followedFrom(number: bigint): BlockRef | undefined {
    return this.#tail.find(({ block }) => block.number >= number)?.block;
  }

  /**
   * `block` is final: folds what was followed up to it. False when it is not on the followed chain: the caller has shown
   * that it is where no block of its number was followed.
   */
  finalize(block: BlockRef): boolean {
    if (block.number > this.#newest.block.number || block.number < this.#final.block.number) return false;
    const same = this.followedFrom(block.number);
    if (same?.number === block.number && same.hash !== block.hash) return false;
    while (this.#tail[0] && this.#tail[0].block.number <= block.number) {
      for (const event of this.#tail.shift()?.events ?? []) applyEvent(this.#final.state, event);
    }
    this.#final.block = block;
    return true;
  }

  /** A reorg above `ancestor`, which is final or above it: replays what remains. */
  rollback(ancestor: BlockRef): void {
    this.#tail = this.#tail.filter((entry) => entry.block.number <= ancestor.number);
    const state = cloneChainState(this.#final.state);
    for (const { events } of this.#tail) for (const event of events) applyEvent(state, event);
    this.#newest = { block: ancestor, state };
  }
}
