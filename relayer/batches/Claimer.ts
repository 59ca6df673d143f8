import { encodeFunctionData } from "viem";

import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { leafTree } from "../../protocol/session/batch.ts";
import type { LeafTree } from "../../protocol/session/batch.ts";
import { unpackFacts } from "../../protocol/state/instanceWord.ts";
import { compactSignature } from "../../protocol/words/compactSignature.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { Beat } from "../beat.ts";
import { inLanes } from "../inLanes.ts";
import { keccak256 } from "../keccak.ts";
import { claimId } from "../outbox/intent.ts";
import type { Intent, IntentRequest } from "../outbox/intent.ts";
import type { BatchStore, Claim, HeldBatch, KeptLeaf, OpenBatch } from "../store/batchStore.ts";
import type { WorkLease } from "../store/workStore.ts";

/** Whether this relayer claims the leaves of its batches, or leaves that to those whose keys they name. */
export type ClaimRule = "relayer" | "nobody";

/** Where a batch stands that another may have posted. */
export type Posting = "none" | "newest" | "final";

/** Points between two steps of a batch that is followed, each a place to crash at. */
export type ClaimStep = "taken" | "planned" | "done";

interface Options {
  readonly deployment: Pick<Deployment, "chainId" | "attestationLedger">;
  /** Whose account pays. */
  readonly signer: Address;
  readonly rule: ClaimRule;
  readonly store: Pick<
    BatchStore,
    "take" | "release" | "leaves" | "claims" | "planClaims" | "refuse" | "done" | "fail"
  >;
  /** On shards: batches of others are left to others. */
  readonly leases: () => readonly WorkLease[];
  readonly intentById: (id: Bytes32) => Promise<Intent | null>;
  readonly plan: (request: IntentRequest) => Promise<unknown>;
  /** Whether the newest block has this batch, whoever posted it, or the final block already. */
  readonly postingOf: (root: Bytes32) => Promise<Posting>;
  /** Something was planned. */
  readonly onPlanned: () => void;
  readonly onFailed: (cause: unknown) => void;
  /** Called at each point between two steps, before the next one. */
  readonly onStep?: (step: ClaimStep) => void;
}

/** Leaves that are claimed together: some 6,000,000 gas, well below what a transaction may have (EIP-7825). */
const MAX_CLAIMED_TOGETHER = 100;
const AT_ONCE = 16;
const POLL_MS = 250;
/** With nothing to follow: whoever keeps a batch here wakes it, so these are other replicas' that ended. */
const IDLE_MS = 1_000;

const isMined = (intent: Intent | null): boolean =>
  intent !== null && (intent.state === "included" || intent.state === "final");
const isEnded = (intent: Intent | null): boolean =>
  intent === null || intent.state === "failed" || intent.state === "replaced";

/** Follows posted batches: claims their leaves in groups, divides a group that one leaf spoils, and ends what is through. */
export class Claimer {
  readonly #options: Options;
  readonly #beat = new Beat();
  #isIdle = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** There is something to follow. */
  wake(): void {
    this.#beat.wake();
  }

  run(signal: AbortSignal): Promise<void> {
    const everyMs = (): number => (this.#isIdle ? IDLE_MS : POLL_MS);
    return this.#beat.run(() => this.tick(), everyMs, signal, this.#options.onFailed);
  }

  /** One look at every batch that is not through. */
  async tick(): Promise<void> {
    const { store, leases, onFailed } = this.#options;
    const taken = await store.take(AT_ONCE, leases());
    this.#isIdle = taken.length === 0;
    await inLanes(taken, 4, async (batch) => {
      try {
        this.#options.onStep?.("taken");
        await this.#follow(batch);
      } catch (cause) {
        onFailed(cause);
      }
      await store.release(batch);
    });
  }

  async #follow(batch: OpenBatch): Promise<void> {
    const { store, intentById, postingOf, rule } = this.#options;
    const post = await intentById(batch.intent);
    let isFinal = post?.state === "final";
    if (!isMined(post)) {
      if (!isEnded(post)) return; // On its way, or on its way again after a reorg.
      // Anyone may post what was signed: refused because it is known is as good.
      const posting = await postingOf(batch.root);
      isFinal = posting === "final";
      if (posting === "none") {
        const details = { root: batch.root, code: post?.error?.code, error: post?.error?.details["error"] };
        return store.fail(
          batch,
          new CharterError("batch/not-posted", "the chain refuses the batch", details),
        );
      }
    }
    if (rule === "nobody") {
      if (isFinal) await this.#done(batch);
      return;
    }
    if (batch.state === "posting") return this.#claim(batch);
    await this.#followClaims(batch, await store.claims(batch.root));
  }

  async #claim(batch: HeldBatch): Promise<void> {
    const leaves = await this.#options.store.leaves(batch.root);
    const groups: number[][] = [];
    for (let from = 0; from < leaves.length; from += MAX_CLAIMED_TOGETHER) {
      groups.push(leaves.slice(from, from + MAX_CLAIMED_TOGETHER).map(({ position }) => position));
    }
    await this.#plan(batch, leaves, groups);
  }

  async #followClaims(batch: HeldBatch, claims: readonly Claim[]): Promise<void> {
    const { store, plan } = this.#options;
    if (claims.every(({ state }) => state === "final")) return this.#done(batch);
    const failed = claims.filter(({ state }) => state === "failed" || state === "replaced");
    let settled = claims.filter(({ state }) => state === "final").length;
    const divided: number[][] = [];
    const leaves = failed.length > 0 ? await store.leaves(batch.root) : [];
    for (const { positions, error } of failed) {
      if (error?.details["error"] === "UnknownBatch") {
        // A reorg took the batch away for a moment: the same claims once it is back.
        await plan(this.#request(treeOf(leaves), leaves, positions));
      } else if (positions.length > 1) {
        const half = Math.ceil(positions.length / 2);
        divided.push(positions.slice(0, half), positions.slice(half));
      } else {
        settled++;
        await store.refuse(batch, positions[0] as number);
      }
    }
    if (divided.length > 0) await this.#plan(batch, leaves, divided);
    else if (settled === claims.length) await this.#done(batch);
  }

  async #done(batch: HeldBatch): Promise<void> {
    await this.#options.store.done(batch);
    this.#options.onStep?.("done");
  }

  async #plan(
    batch: HeldBatch,
    leaves: readonly KeptLeaf[],
    groups: readonly (readonly number[])[],
  ): Promise<void> {
    const { store, signer, onPlanned, onStep } = this.#options;
    const tree = treeOf(leaves);
    const claims = groups.map((positions) => ({
      positions,
      request: this.#request(tree, leaves, positions),
    }));
    await store.planClaims(batch, signer, claims);
    onStep?.("planned");
    onPlanned();
  }

  #request(tree: LeafTree, leaves: readonly KeptLeaf[], positions: readonly number[]): IntentRequest {
    const { chainId, attestationLedger: ledger } = this.#options.deployment;
    const at = (position: number): KeptLeaf => leaves[position] as KeptLeaf;
    const id = claimId(chainId, ledger, tree.root, positions);
    // What has ended is not worth its gas.
    const deadline = Math.min(...positions.map((position) => unpackFacts(at(position).leaf.facts).expiresAt));
    const shared = { id, to: ledger, deadline };
    const [only] = positions;
    if (positions.length === 1 && only !== undefined) {
      const { leaf, keySignature } = at(only);
      const data = encodeFunctionData({
        abi: attestationLedgerAbi,
        functionName: "claim",
        args: [leaf, tree.path(only), compactSignature(keySignature)],
      });
      return { ...shared, data, label: "batch.claim" };
    }
    const { positions: ordered, proof, flags } = tree.multiproof(positions);
    const data = encodeFunctionData({
      abi: attestationLedgerAbi,
      functionName: "claimMany",
      args: [
        ordered.map((position) => at(position).leaf),
        proof,
        flags,
        ordered.map((position) => compactSignature(at(position).keySignature)),
      ],
    });
    return { ...shared, data, label: "batch.claim" };
  }
}

const treeOf = (leaves: readonly KeptLeaf[]): LeafTree =>
  leafTree(
    leaves.map(({ leaf }) => leaf),
    keccak256,
  );
