import type { FastifyBaseLogger } from "fastify";

import { nodeCrypto } from "../../protocol/crypto/node.ts";
import {
  INTEL_ROOT,
  parseCollateral,
  quoteBytes,
  testRootFromPem,
  verifyEvidence,
} from "../../protocol/evidence/index.ts";
import type { Collateral } from "../../protocol/evidence/index.ts";
import { CollateralSource } from "./CollateralSource.ts";
import type { JudgeOptions } from "./judgeEvidence.ts";
import { PcsClient } from "./pcsClient.ts";
import { platformFamily } from "./platformFamily.ts";

interface Options {
  readonly pcsUrl: string;
  /** Accepted beside Intel's root; the caller has pinned a development chain (environment.ts, chain/verifyChain.ts). */
  readonly testRootPem: string | undefined;
  readonly logger: Pick<FastifyBaseLogger, "warn">;
  /** Unix seconds; the clock by default. */
  readonly now?: () => number;
}

/** First second in which some part is past its next update; the verifier judges certificates besides. */
const validUntil = ({ rootCaCrl, pckCrl, tcbInfo, qeIdentity }: Collateral): number =>
  Math.min(
    rootCaCrl.nextUpdate,
    pckCrl.nextUpdate,
    tcbInfo.content.nextUpdate,
    qeIdentity.content.nextUpdate,
  );

/**
 * Evidence → what it says, judged now against the collateral that the vendor publishes now.
 * @throws CharterError `evidence/…`, `collateral/…`.
 */
export function evidenceVerifier(options: Options): JudgeOptions["verify"] {
  const { pcsUrl, testRootPem, logger } = options;
  const now = options.now ?? (() => Math.floor(Date.now() / 1_000));
  const pcs = new PcsClient({ url: pcsUrl });
  const collateral = new CollateralSource<Collateral>({
    load: async (fmspc, ca) => parseCollateral(await pcs.tdxCollateral(fmspc, ca)),
    validUntil,
    now,
    onRefreshFailed: (cause) => logger.warn({ err: cause }, "collateral could not be refreshed"),
  });
  const roots = testRootPem === undefined ? [INTEL_ROOT] : [INTEL_ROOT, testRootFromPem(testRootPem)];

  return async (evidence) => {
    const { fmspc, ca } = platformFamily(quoteBytes(evidence.quote));
    const held = await collateral.get(fmspc, ca);
    return verifyEvidence(evidence, { collateral: held, at: now(), crypto: nodeCrypto, roots });
  };
}
