import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import {
  EvidenceError,
  parseCollateral,
  PlatformCache,
  verifyEvidence,
  type Collateral,
  type Evidence,
  type VerifyOptions,
} from "../../../protocol/evidence/index.ts";
import type { EvidenceFacts } from "../../../protocol/evidence/facts/EvidenceFacts.ts";
import { sgxFacts } from "../../../protocol/evidence/facts/sgxFacts.ts";
import { keccak256, keccakReady } from "../../keccak.ts";
import type { Batch, Outcome } from "./batch.ts";

/** Parsed collateral that this thread keeps; ids are the pool's own and are never used again for another. */
const MAX_PARSED = 64;
const parsed = new Map<number, Collateral>();
const platforms = new PlatformCache();
const crypto = { ...nodeCrypto, keccak256 };

function collateralOf(id: number, text: SharedArrayBuffer): Collateral {
  const held = parsed.get(id);
  if (held) return held;
  const collateral = parseCollateral(JSON.parse(Buffer.from(text).toString("utf8")));
  parsed.set(id, collateral);
  const oldest = parsed.keys().next();
  if (parsed.size > MAX_PARSED && oldest.done !== true) parsed.delete(oldest.value);
  return collateral;
}

/** Runs in a thread of the pool: verifies a batch, one outcome per job, in order. */
export default async function verifyBatch({ roots, collaterals, jobs }: Batch): Promise<Outcome[]> {
  await keccakReady;
  return Promise.all(
    jobs.map(async ({ evidence, collateral: index, at }): Promise<Outcome> => {
      try {
        const collateral = collaterals[index];
        if (!collateral) return { broken: "the batch lacks this job's collateral" };
        const options = { collateral: collateralOf(collateral.id, collateral.text), at, roots, platforms };
        return { verified: await factsOf(evidence, { ...options, crypto }) };
      } catch (error) {
        return refusal(error);
      }
    }),
  );
}

/** Intel's two kinds: an enclave's quote stands alone, a TD's has an event log and a configuration. */
async function factsOf(evidence: Evidence, options: VerifyOptions): Promise<EvidenceFacts> {
  if (evidence.kind === "sgx") return sgxFacts(evidence, options);
  const { tdx: _tdx, boot: _boot, checks: _checks, ...facts } = await verifyEvidence(evidence, options);
  return facts;
}

function refusal(error: unknown): Outcome {
  if (!(error instanceof CharterError))
    return { broken: error instanceof Error ? error.message : String(error) };
  const { code, message, details } = error;
  const evidence = error instanceof EvidenceError ? { check: error.check, checks: error.checks } : {};
  return { refused: { code, message, details, ...evidence } };
}
