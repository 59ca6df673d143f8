import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import { reportData } from "../../protocol/evidence/reportData.ts";
import type { EvidenceMessage, VerdictMessage } from "../../protocol/session/messages.ts";
import { advisoriesDigest } from "../../protocol/session/verdict.ts";
import { ZERO_BYTES32, type EvidenceFacts } from "../../protocol/evidence/facts/EvidenceFacts.ts";
import { nameOf, TeeKind } from "../../protocol/words/enums.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import { keccak256 } from "../keccak.ts";
import type { FinalBlocks } from "./finalBlocks.ts";
import { judgeGpus, type GpuJudge } from "./judgeGpus.ts";

/** What the evidence is said to be for; `subject` is the app (instances) or the operator (nodes). */
export interface EvidenceClaim {
  readonly purpose: "instance" | "node";
  readonly subject: Address;
  readonly key: Address;
}

export interface JudgeOptions {
  readonly chainId: number;
  readonly ledger: Address;
  readonly nodeRegistry: Address;
  readonly blocks: FinalBlocks;
  /** Checks the evidence against the vendor's roots and collateral. @throws CharterError `evidence/…` */
  readonly verify: (evidence: EvidenceMessage) => Promise<EvidenceFacts>;
  /** Checks one GPU's report in the same way. @throws CharterError `evidence/…`, `collateral/…`. */
  readonly verifyGpu: GpuJudge;
}

/**
 * Oldest evidence that can still be of use: EIP-2935 serves block hashes this far back. An app's own
 * `maxEvidenceAgeBlocks` is stricter, and nodes have their own bound.
 */
const MAX_AGE_BLOCKS = { instance: 8_191n, node: 256n } as const;

export type EvidenceJudge = (claim: EvidenceClaim, evidence: EvidenceMessage) => Promise<VerdictMessage>;

/**
 * Evidence and what it is claimed for → the verdict that relayer and committee signers reach alike. The relayer and
 * every signer run this for themselves, over their own chain client and collateral.
 * @throws CharterError `evidence/…`, `chain/…`, `collateral/…`.
 */
export function evidenceJudge(options: JudgeOptions): EvidenceJudge {
  const { chainId, ledger, nodeRegistry, blocks, verify, verifyGpu } = options;
  return async (claim, evidence) => {
    await requireFresh(claim, evidence, blocks);
    const verified = await verify(evidence);
    const consumer = claim.purpose === "instance" ? ledger : nodeRegistry;

    // The report data binds everything that this evidence may be used for; all 64 bytes, so that a digest of GPU evidence
    // that nobody brought is refused rather than ignored.
    const binding = {
      purpose: claim.purpose,
      chainId,
      consumer,
      subject: claim.subject,
      key: claim.key,
      blockNumber: BigInt(evidence.blockNumber),
      blockHash: evidence.blockHash,
      ...(evidence.gpu === undefined ? {} : { gpuDigest: secondHalf(verified.reportData) }),
    };
    const expected = reportData(binding, keccak256);
    if (verified.reportData !== expected) {
      throw new CharterError(
        "evidence/report-data-mismatch",
        "the evidence binds another key, use, chain or block",
        {
          expected,
          actual: verified.reportData,
        },
      );
    }
    const composeHash = composeHashFor(claim, verified);
    const gpus = evidence.gpu === undefined ? null : await judgeGpus(evidence.gpu, expected, verifyGpu);
    return {
      consumer,
      subject: claim.subject,
      key: claim.key,
      evidenceBlock: evidence.blockNumber,
      evidenceBlockHash: evidence.blockHash,
      platformId: verified.platformId,
      composeHash,
      osImageHash: verified.osImageHash,
      measurementDigest: verified.measurementDigest,
      pinnedMeasurementDigest: verified.pinnedMeasurementDigest,
      kind: verified.kind,
      status: verified.status,
      advisoriesDigest: advisoriesDigest(verified.advisoryIds),
      evidenceDigest: verified.evidenceDigest,
      gpuDigest: gpus?.digest ?? ZERO_BYTES32,
      validUntil: Math.min(verified.validUntil, gpus?.validUntil ?? Infinity),
      simulated: verified.simulated || gpus?.simulated === true,
    };
  };
}

const secondHalf = (data: Hex): Bytes32 => `0x${data.slice(66)}` as Bytes32;

/** A node's evidence speaks of the platform, not of an app (NodeRegistry refuses anything else). */
function composeHashFor(
  { purpose, subject }: EvidenceClaim,
  { kind, composeHash, launchedFor = subject }: EvidenceFacts,
): Bytes32 {
  if (purpose === "node") return ZERO_BYTES32;
  if (composeHash === null) {
    throw new CharterError(
      "evidence/compose-hash-unbound",
      "the evidence binds no manifest: it may speak for a node, not for an instance",
      { kind: nameOf(TeeKind, kind) },
    );
  }
  if (launchedFor !== subject) {
    throw new CharterError("evidence/app-mismatch", "the guest was launched for another app", {
      expected: subject,
      actual: launchedFor,
    });
  }
  return composeHash;
}

/** The same judge, telling each result: "accepted", or the code of the refusal. */
export function countedJudge(
  judge: EvidenceJudge,
  count: (purpose: EvidenceClaim["purpose"], result: string) => void,
): EvidenceJudge {
  return async (claim, evidence) => {
    try {
      const verdict = await judge(claim, evidence);
      count(claim.purpose, "accepted");
      return verdict;
    } catch (error) {
      count(claim.purpose, isCharterError(error) ? error.code : "api/internal");
      throw error;
    }
  };
}

/** The bound block must be canonical, final and recent: evidence cannot have been made before it. */
async function requireFresh(
  { purpose }: EvidenceClaim,
  { blockNumber, blockHash }: EvidenceMessage,
  blocks: FinalBlocks,
): Promise<void> {
  const number = BigInt(blockNumber);
  const final = await blocks.finalNumber(number);
  if (number > final) {
    throw new CharterError("evidence/block-not-final", "the evidence must bind a final block", {
      expected: final,
      actual: number,
    });
  }
  const maxAgeBlocks = MAX_AGE_BLOCKS[purpose];
  if (final - number > maxAgeBlocks) {
    throw new CharterError("evidence/too-old", "the evidence binds a block that is too old", {
      maxAgeBlocks,
      actual: final - number,
    });
  }
  const canonical = await blocks.hashOf(number);
  if (canonical !== blockHash) {
    throw new CharterError("evidence/block-unknown", "the evidence binds a block of another chain", {
      expected: canonical,
      actual: blockHash,
    });
  }
}
