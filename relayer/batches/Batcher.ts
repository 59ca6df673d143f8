import { encodeFunctionData, encodeAbiParameters } from "viem";

import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import { leafTree } from "../../protocol/session/batch.ts";
import type { ChainState, ImageFacts } from "../../protocol/state/types.ts";
import { fromHex } from "../../protocol/words/hex.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { Beat } from "../beat.ts";
import type { BatchCandidate, DraftBatch, SignedBatch } from "../committee/collectBatch.ts";
import type { ProofStep } from "../evidence/Prover.ts";
import { keccak256 } from "../keccak.ts";
import { batchId, upkeepId } from "../outbox/intent.ts";
import type { IntentRequest } from "../outbox/intent.ts";
import type { BatchStore } from "../store/batchStore.ts";
import type { OpenProof, ProofStore } from "../store/proofStore.ts";
import type { WorkLease } from "../store/workStore.ts";
import { imageOf, isSameImage, leafOf } from "./leaf.ts";

/** When a batch closes. */
export interface BatchLimits {
  readonly maxSize: number;
  readonly maxAgeMs: number;
}

interface Options {
  readonly deployment: Pick<Deployment, "chainId" | "attestationLedger">;
  /** Whose account pays. */
  readonly signer: Address;
  readonly limits: BatchLimits;
  readonly proofs: Pick<ProofStore, "queue" | "take" | "holding" | "single" | "postpone">;
  readonly batches: Pick<BatchStore, "keep">;
  /** On shards: proofs of others are left to others. */
  readonly leases: () => readonly WorkLease[];
  /** The final state: numbers that it says of releases and images can change no more. */
  readonly finalState: () => Pick<ChainState, "apps" | "images">;
  readonly collect: (
    candidates: readonly BatchCandidate[],
    draft: (agreed: readonly { readonly index: number; readonly validUntil: number }[]) => DraftBatch,
  ) => Promise<SignedBatch>;
  readonly plan: (request: IntentRequest) => Promise<unknown>;
  /** A batch is signed and its posting planned. */
  readonly onBatched: (count: number, proofs: readonly Bytes32[], intent: Bytes32) => void;
  /** Some are to go one by one. */
  readonly onSingle: () => void;
  readonly onFailed: (cause: unknown) => void;
  readonly onStep?: (step: ProofStep, id: Bytes32) => void;
}

/** The queue is looked at no oftener, however fast it grows: a tenth of the time in which a batch closes, within these. */
const REST_MS = { least: 20, most: 100 };
/** Batches that are collected at once: the next one's evidence is judged while this one's root is signed. */
const MAX_OPEN = 3;
/** So few verdicts of an image that the ledger does not know go by themselves, which makes it known. */
const FEW = 8;
/** What a batch could not have this often is tried alone. */
const MAX_ATTEMPTS = 3;

interface Placed {
  readonly open: OpenProof;
  readonly release: number;
  readonly image: number;
}

/**
 * Gathers verdicts that a committee has to prove into batches, by size and age, and plans their posting. A verdict that
 * stays alone is cheaper by `attest`, and goes there.
 */
export class Batcher {
  readonly #options: Options;
  readonly #beat = new Beat();
  readonly #running = new Set<Promise<void>>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** There is something to batch. */
  wake(): void {
    this.#beat.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { maxAgeMs } = this.#options.limits;
    const everyMs = Math.max(20, Math.min(500, maxAgeMs / 4));
    const restMs = Math.max(REST_MS.least, Math.min(REST_MS.most, maxAgeMs / 10));
    await this.#beat.run(() => this.tick(), everyMs, signal, this.#options.onFailed, restMs);
    await Promise.all(this.#running);
  }

  /** Closes what is full or old enough; at most so many at once. */
  async tick(): Promise<void> {
    const { proofs, limits, leases } = this.#options;
    while (this.#running.size < MAX_OPEN) {
      const { waiting, oldestMs } = await proofs.queue(leases());
      if (waiting < limits.maxSize && (waiting === 0 || oldestMs < limits.maxAgeMs)) return;
      const taken = await proofs.take("batchable", limits.maxSize, leases());
      if (taken.length === 0) return;
      const running = this.#close(taken).finally(() => {
        this.#running.delete(running);
        this.wake();
      });
      this.#running.add(running);
    }
  }

  /** Waits until everything that was closed is planned or postponed. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #close(taken: readonly OpenProof[]): Promise<void> {
    const { proofs, onFailed, onStep } = this.#options;
    for (const { id } of taken) onStep?.("taken", id);
    try {
      await proofs.holding(taken, () => this.#batch(taken));
    } catch (cause) {
      onFailed(cause);
      const error = isCharterError(cause)
        ? cause
        : new CharterError("batch/failed", "the batch could not be made", {}, { cause });
      // Where the database is what failed, they are taken up again when they are held no longer.
      await proofs.postpone(taken, error).catch(onFailed);
    }
  }

  async #batch(taken: readonly OpenProof[]): Promise<void> {
    const { proofs, onSingle } = this.#options;
    const tried = taken.filter(({ attempts }) => attempts < MAX_ATTEMPTS);
    const { placed, unplaced, unknown } = this.#place(tried);
    const alone = [...taken.filter(({ attempts }) => attempts >= MAX_ATTEMPTS), ...unplaced];
    for (const { image, of } of unknown) {
      if (of.length <= FEW) alone.push(...of);
      else await this.#keepImage(image, of);
    }
    if (placed.length === 1) alone.push(...placed.map(({ open }) => open));
    if (alone.length > 0) {
      await proofs.single(alone);
      onSingle();
    }
    if (placed.length > 1) await this.#sign(placed);
  }

  /** Which release and image each is of, as the final block numbers them. */
  #place(taken: readonly OpenProof[]) {
    const { apps, images } = this.#options.finalState();
    const numbered = [...images];
    const placed: Placed[] = [];
    const unplaced: OpenProof[] = [];
    const unknown: { image: ImageFacts; of: OpenProof[] }[] = [];
    for (const open of taken) {
      const { verdict } = open.accepted;
      const release = apps
        .get(verdict.subject)
        ?.releases.findLast(({ composeHash }) => (composeHash as string) === verdict.composeHash)?.number;
      const image = numbered.find(([, kept]) => isSameImage(kept, verdict))?.[0];
      if (release === undefined) unplaced.push(open);
      else if (image !== undefined) placed.push({ open, release, image });
      else {
        const known = unknown.find((each) => isSameImage(each.image, verdict));
        if (known) known.of.push(open);
        else unknown.push({ image: imageOf(verdict), of: [open] });
      }
    }
    return { placed, unplaced, unknown };
  }

  /** Has the ledger number an image; leaves that name it follow once the number is final. */
  async #keepImage(image: ImageFacts, waiting: readonly OpenProof[]): Promise<void> {
    const { deployment, plan, proofs } = this.#options;
    const data = encodeFunctionData({ abi: attestationLedgerAbi, functionName: "keepImage", args: [image] });
    const content = keccak256(fromHex(encodeAbiParameters([{ type: "bytes" }], [data])));
    const id = upkeepId(deployment.chainId, deployment.attestationLedger, content);
    await plan({ id, to: deployment.attestationLedger, data, label: "image.keep" });
    const error = new CharterError(
      "batch/image-not-final",
      "the ledger's number of this image is not final yet",
      {
        measurementDigest: image.measurementDigest,
      },
    );
    await proofs.postpone(waiting, error);
  }

  async #sign(placed: readonly Placed[]): Promise<void> {
    const { deployment, signer, collect, batches, proofs, onBatched, onStep } = this.#options;
    const { chainId, attestationLedger: ledger } = deployment;
    const signed = await collect(
      placed.map(({ open: { accepted } }) => accepted),
      (agreed) => draftOf(placed, agreed, ledger),
    );
    const held = new Map(placed.map(({ open }) => [open.evidenceDigest, open]));
    for (const { id } of held.values()) onStep?.("collected", id);
    const { root, count, validUntil, minBlock, blockHash } = signed.statement;
    const intent = batchId(chainId, ledger, root);
    await batches.keep(signed.tree, held, signer, {
      id: intent,
      to: ledger,
      data: encodeFunctionData({
        abi: attestationLedgerAbi,
        functionName: "postBatch",
        args: [root, count, validUntil, BigInt(minBlock), blockHash, [...signed.signatures]],
      }),
      label: "batch.post",
      deadline: validUntil,
    });
    const ids = signed.members.flatMap((index) => placed[index]?.open.id ?? []);
    for (const id of ids) onStep?.("planned", id);
    onBatched(count, ids, intent);
    const byReason = Map.groupBy(signed.refused, ([, code]) => code);
    for (const [code, refused] of byReason) {
      const error = new CharterError("batch/left-out", "the committee does not agree to this verdict", {
        code,
      });
      const left = refused.flatMap(([index]) => placed[index]?.open ?? []);
      await proofs.postpone(left, error);
    }
  }
}

/** The batch of the placed that were agreed to. */
function draftOf(
  placed: readonly Placed[],
  agreed: readonly { readonly index: number; readonly validUntil: number }[],
  ledger: Address,
): DraftBatch {
  const members = agreed.map(({ index, validUntil }) => {
    const { open, release, image } = placed[index] as Placed;
    const { verdict, node } = open.accepted;
    const terms = { release, image, node: node ?? 0, combines: open.combines, expiresAt: validUntil };
    return { verdict, leaf: leafOf(verdict, terms) };
  });
  const tree = leafTree(
    members.map(({ leaf }) => leaf),
    keccak256,
  );
  const oldest = members
    .map(({ verdict }) => verdict)
    .reduce((a, b) => (b.evidenceBlock < a.evidenceBlock ? b : a));
  return {
    tree,
    statement: {
      ledger,
      root: tree.root,
      count: members.length,
      validUntil: Math.max(...agreed.map(({ validUntil }) => validUntil)),
      minBlock: oldest.evidenceBlock,
      blockHash: oldest.evidenceBlockHash,
    },
  };
}
