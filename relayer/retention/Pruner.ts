import type { Pool } from "pg";

import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { ProofSystem } from "../../protocol/words/enums.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { intentId } from "../outbox/intent.ts";
import { pause } from "../pause.ts";
import { heapWindows } from "../store/heapWindows.ts";
import type { HeapWindow } from "../store/heapWindows.ts";
import type { OldEvidence, PruneStore } from "../store/pruneStore.ts";
import type { WorkLease } from "../store/workStore.ts";
import { everyHour, REST_MS } from "./everyHour.ts";
import type { Retention } from "./keepDays.ts";

/** Tables that rows are deleted from; transactions go with their intents, leaves with their batches. */
export type PrunedTable = "batches" | "evidence" | "proofs" | "intents";

interface Options {
  readonly pool: Pool;
  readonly store: PruneStore;
  readonly deployment: Pick<Deployment, "chainId" | "attestationLedger" | "nodeRegistry">;
  /** 0: everything is kept. */
  readonly keepDays: number;
  /** Undefined while another replica does this work. */
  readonly lease: () => WorkLease | undefined;
  /** Keys of the nodes that are registered now: their newest evidence is looked at ahead, however old it is. */
  readonly liveNodes: () => ReadonlySet<Address>;
  readonly onPruned: (table: PrunedTable, rows: number) => void;
  readonly onFailed: (cause: unknown) => void;
  /** Unix seconds. The database's clock must agree: what is gone because one of them ran ahead would not come back. */
  readonly now: () => number;
}

/**
 * Deletes rows that are over and that nobody can ask for any more (PruneStore), so that the database does not grow for ever.
 * It goes through the tables in the order in which rows name each other, page by page, and starts over where it was ended.
 */
export class Pruner {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Passes every hour until the signal; a failure is told of and waits for the next time. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#options.keepDays === 0) return;
    await everyHour(() => this.pass(signal, REST_MS), signal, this.#options.onFailed);
  }

  /** Looks at every row once. */
  async pass(signal: AbortSignal, restMs = 0): Promise<void> {
    const { pool, store, keepDays, lease: held, onPruned, now } = this.#options;
    if (keepDays === 0) return;
    const retention: Retention = { keepDays, now: Math.min(now(), await store.now()) };
    const walk = async (
      table: PrunedTable,
      prune: (window: HeapWindow, lease: WorkLease) => Promise<number>,
    ): Promise<void> => {
      for (const window of await heapWindows(pool, table)) {
        const lease = held();
        if (signal.aborted || lease === undefined) return;
        const pruned = await prune(window, lease);
        if (pruned > 0) onPruned(table, pruned);
        if (restMs > 0) await pause(restMs, signal);
      }
    };
    await walk("batches", (window, lease) => store.batches(window, lease, retention));
    const live = this.#options.liveNodes();
    await walk("evidence", async (window, lease) => {
      const old = await store.oldEvidence(window, retention);
      const pruned = await store.evidence(this.#proofsOf(old, live), lease);
      if (pruned.proofs > 0) onPruned("proofs", pruned.proofs);
      return pruned.evidence;
    });
    await walk("proofs", (window, lease) => store.proofs(window, lease, retention));
    await walk("intents", (window, lease) => store.intents(window, lease, retention));
  }

  /** Ids of the proofs that each piece may have: they follow from it, and are the only way to its proofs that has an index. */
  #proofsOf(old: readonly OldEvidence[], live: ReadonlySet<Address>): Map<Bytes32, readonly Bytes32[]> {
    const { chainId, attestationLedger, nodeRegistry } = this.#options.deployment;
    const isNeeded = ({ purpose, key, newest }: OldEvidence): boolean =>
      purpose === "node" && newest && live.has(key);
    return new Map(
      old
        .filter((one) => !isNeeded(one))
        .map(({ digest: evidenceDigest, purpose, subject, key }) => {
          const contract = purpose === "instance" ? attestationLedger : nodeRegistry;
          const of = { chainId, contract, subject, key, evidenceDigest };
          return [evidenceDigest, Object.values(ProofSystem).map((system) => intentId({ ...of, system }))];
        }),
    );
  }
}
