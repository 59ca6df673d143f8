import type { FastifyBaseLogger } from "fastify";
import type { PublicClient } from "viem";

import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { isCharterError } from "../../protocol/errors/CharterError.ts";
import type { NodeState } from "../../protocol/state/types.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { asChainError } from "../chain/rpc.ts";
import type { Projection } from "../chain/projection.ts";
import { collectBatch } from "../committee/collectBatch.ts";
import { committeeNow } from "../committee/Committee.ts";
import { Prover } from "../evidence/Prover.ts";
import type { ProofStep } from "../evidence/Prover.ts";
import type { ProofMaker } from "../evidence/proofMaker.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Store } from "../store/store.ts";
import type { WorkLease } from "../store/workStore.ts";
import { Batcher } from "./Batcher.ts";
import type { BatchLimits } from "./Batcher.ts";
import { Claimer } from "./Claimer.ts";
import type { ClaimRule, ClaimStep } from "./Claimer.ts";

export interface PipelineOptions {
  readonly deployment: Deployment;
  readonly client: PublicClient;
  readonly projection: () => Projection;
  readonly store: Pick<Store, "proofs" | "batches">;
  /** On the shards that this replica works on now. */
  readonly leases: () => readonly WorkLease[];
  readonly outbox: Pick<Outbox, "plan" | "intentById" | "wake">;
  /** The outbox's account. */
  readonly signer: Address;
  readonly proofs: ProofMaker;
  readonly limits: BatchLimits;
  readonly claims: ClaimRule;
  readonly committeeUrls: readonly string[];
  /** The live node with this key in the newest state. */
  readonly nodeByKey: (key: Address) => NodeState | undefined;
  readonly logger: Pick<FastifyBaseLogger, "warn">;
  readonly onSignerRejected: (url: string, code: string, details: unknown) => void;
  readonly onBatched: (count: number, proofs: readonly Bytes32[], intent: Bytes32) => void;
  readonly onStep: (step: ProofStep, id: Bytes32) => void;
  readonly onClaim?: (step: ClaimStep) => void;
  /** Unix seconds. */
  readonly now: () => number;
}

export interface ProofPipeline {
  readonly prover: Prover;
  readonly batcher: Batcher;
  readonly claimer: Claimer;
  /** There is something to prove. */
  wake(): void;
  run(signal: AbortSignal): Promise<void>;
}

/** From accepted evidence to planned intents: what goes alone, what goes in batches, and the claims of these. */
export function proofPipeline(options: PipelineOptions): ProofPipeline {
  const { deployment, client, projection, store, outbox, signer, logger, onStep } = options;
  const { chainId, attestationLedger, committeeVerifier } = deployment;
  const onFailed = (what: string) => (cause: unknown) =>
    logger.warn({ err: cause, code: isCharterError(cause) ? cause.code : undefined }, what);
  const prover = new Prover({
    ...options,
    store: store.proofs,
    onPlanned: () => outbox.wake(),
    onFailed: onFailed("a proof could not be made; it is tried again"),
  });
  const claimer = new Claimer({
    deployment,
    signer,
    rule: options.claims,
    onStep: (step) => options.onClaim?.(step),
    leases: options.leases,
    store: store.batches,
    intentById: (id) => outbox.intentById(id),
    plan: (request) => outbox.plan(request),
    postingOf: async (root) => {
      const call = { address: attestationLedger, abi: attestationLedgerAbi, functionName: "batch" } as const;
      const [, , postedBlock] = await asChainError("batch", client.readContract({ ...call, args: [root] }));
      if (postedBlock === 0n) return "none";
      return postedBlock <= projection().final.block.number ? "final" : "newest";
    },
    onPlanned: () => outbox.wake(),
    onFailed: onFailed("a batch could not be followed; it is looked at again"),
  });
  const batcher = new Batcher({
    deployment,
    signer,
    limits: options.limits,
    proofs: store.proofs,
    batches: store.batches,
    leases: options.leases,
    finalState: () => projection().final.state,
    collect: (candidates, draft) =>
      collectBatch(candidates, {
        urls: options.committeeUrls,
        chainId,
        verifier: committeeVerifier,
        committee: committeeNow({ projection: projection(), client, deployment, now: options.now() }),
        draft,
        onRejected: (url, error) => options.onSignerRejected(url, error.code, error.details),
      }),
    plan: (request) => outbox.plan(request),
    onBatched: (...batched) => {
      options.onBatched(...batched);
      outbox.wake();
      claimer.wake();
    },
    onSingle: () => prover.wake(),
    onFailed: onFailed("a batch could not be made; it is tried again"),
    onStep,
  });
  return {
    prover,
    batcher,
    claimer,
    wake: () => {
      prover.wake();
      batcher.wake();
    },
    run: async (signal) => {
      await Promise.all([prover.run(signal), batcher.run(signal), claimer.run(signal)]);
    },
  };
}
