import { nodeCrypto } from "../../protocol/crypto/node.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { rootOf } from "../../protocol/evidence/chain/chain.ts";
import { collateralSignatures } from "../../protocol/evidence/dcap/collateralSignatures.ts";
import {
  parseCollateral,
  type Collateral,
  type CollateralMessage,
  type TrustedRoot,
} from "../../protocol/evidence/index.ts";
import type { CollateralMarks } from "../store/collateralStore.ts";

/** Collateral as it was served, and parsed. */
export interface HeldCollateral {
  readonly message: CollateralMessage;
  readonly parsed: Collateral;
}

/**
 * Parses what a service answered and checks that the vendor signed it, before it may displace anything. Whether it fits
 * a quote, and is current, the verifier asks at every use.
 * @throws CharterError `collateral/malformed`, `collateral/not-genuine`.
 */
export async function genuineCollateral(
  message: CollateralMessage,
  roots: readonly TrustedRoot[],
): Promise<HeldCollateral> {
  const parsed = parseCollateral(message);
  const signatures = await collateralSignatures(parsed, nodeCrypto);
  const chains = [parsed.pckCrlChain, parsed.tcbInfo.chain, parsed.qeIdentity.chain];
  const isRooted = chains.every((chain) => rootOf(chain, roots) !== undefined);
  if (isRooted && Object.values(signatures).every(Boolean)) return { message, parsed };
  throw new CharterError("collateral/not-genuine", "collateral must be signed under a trusted root", {
    isRooted,
    signatures: { ...signatures },
  });
}

export const marksOf = ({ tcbInfo, qeIdentity, pckCrl, rootCaCrl }: Collateral): CollateralMarks => ({
  evaluationNumber: Math.min(
    tcbInfo.content.tcbEvaluationDataNumber,
    qeIdentity.content.tcbEvaluationDataNumber,
  ),
  tcbInfoIssued: tcbInfo.content.issueDate,
  qeIdentityIssued: qeIdentity.content.issueDate,
  pckCrlIssued: pckCrl.thisUpdate,
  rootCrlIssued: rootCaCrl.thisUpdate,
});

/** First second in which some part is past its next update; the verifier judges certificates besides. */
export const validUntilOf = ({ rootCaCrl, pckCrl, tcbInfo, qeIdentity }: Collateral): number =>
  Math.min(
    rootCaCrl.nextUpdate,
    pckCrl.nextUpdate,
    tcbInfo.content.nextUpdate,
    qeIdentity.content.nextUpdate,
  );
