import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import {
  EvidenceError,
  parseCollateral,
  PlatformCache,
  verifyEvidence,
  type Collateral,
  type CollateralMessage,
} from "../../../protocol/evidence/index.ts";
import type { Batch, Outcome } from "./batch.ts";

/** Parsed collateral that this thread keeps; ids are the pool's own and are never used again for another. */
const MAX_PARSED = 64;
const parsed = new Map<number, Collateral>();
const platforms = new PlatformCache();

function collateralOf(id: number, message: CollateralMessage): Collateral {
  const held = parsed.get(id);
  if (held) return held;
  const collateral = parseCollateral(message);
  parsed.set(id, collateral);
  const oldest = parsed.keys().next();
  if (parsed.size > MAX_PARSED && oldest.done !== true) parsed.delete(oldest.value);
  return collateral;
}

/** Runs in a thread of the pool: verifies a batch, one outcome per job, in order. */
export default function verifyBatch({ roots, collaterals, jobs }: Batch): Promise<Outcome[]> {
  return Promise.all(
    jobs.map(async ({ evidence, collateral: index, at }): Promise<Outcome> => {
      try {
        const collateral = collaterals[index];
        if (!collateral) return { broken: "the batch lacks this job's collateral" };
        const options = { collateral: collateralOf(collateral.id, collateral.message), at, roots, platforms };
        const whole = await verifyEvidence(evidence, { ...options, crypto: nodeCrypto });
        const { tdx: _tdx, boot: _boot, checks: _checks, ...verified } = whole;
        return { verified };
      } catch (error) {
        return refusal(error);
      }
    }),
  );
}

function refusal(error: unknown): Outcome {
  if (!(error instanceof CharterError))
    return { broken: error instanceof Error ? error.message : String(error) };
  const { code, message, details } = error;
  const evidence = error instanceof EvidenceError ? { check: error.check, checks: error.checks } : {};
  return { refused: { code, message, details, ...evidence } };
}
