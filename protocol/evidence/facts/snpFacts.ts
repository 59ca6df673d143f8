import { sha256 } from "@noble/hashes/sha2.js";

import { keccak256 } from "../../crypto/keccak.ts";
import { TeeKind } from "../../words/enums.ts";
import { fromHex, toHex, type Bytes32 } from "../../words/hex.ts";
import { EvidenceError } from "../EvidenceError.ts";
import { quoteBytes } from "../dcap/quoteBytes.ts";
import type { Evidence } from "../evidence.ts";
import type { SnpReport } from "../snp/parseReport.ts";
import type { SnpVerification } from "../snp/verifySnp.ts";
import { parseVmConfig } from "../vmConfig.ts";
import { requireNoEventLog } from "./bareEvidence.ts";
import { ZERO_BYTES32, type EvidenceFacts } from "./EvidenceFacts.ts";

/** An SEV-SNP guest's evidence, taken apart. */
export interface SnpParts {
  /** The report, with the kernel's table of certificates behind it where it came along. */
  readonly reportAndTable: Uint8Array;
  /** dstack's configuration document, exact text. */
  readonly mrConfig?: string;
  readonly osImageHash: Bytes32 | null;
}

/**
 * Takes the message apart; nothing is verified. @throws EvidenceError `evidence/event-log-unexpected`,
 * `evidence/vm-config-format`, `evidence/quote-format`.
 */
export function snpParts(evidence: Evidence): SnpParts {
  requireNoEventLog(evidence);
  const { osImageHash, document } = parseVmConfig(evidence.vmConfig);
  return {
    reportAndTable: quoteBytes(evidence.quote),
    osImageHash,
    ...(document === undefined ? {} : { mrConfig: document }),
  };
}

/**
 * What a verified report says. Its compose hash is that of the document that HOST_DATA binds (null without one), and the
 * document must name its app, too: the launch is for that app alone.
 *
 * `measurementDigest` = keccak256(MEASUREMENT): firmware, kernel, command line, initrd and processor states of the launch.
 * `pinnedMeasurementDigest` = keccak256(MEASUREMENT ‖ FAMILY_ID ‖ IMAGE_ID ‖ GUEST_SVN ‖ ID_KEY_DIGEST ‖
 * AUTHOR_KEY_DIGEST), GUEST_SVN as it stands: the launch's signed identity with it. An app lists an SNP image as any other:
 * `osImageHash`, of which the VM configuration is the only witness, with one of the two digests, which the chip measured.
 * @throws EvidenceError `evidence/snp-chip-masked`, `evidence/snp-app-unnamed`.
 */
export function snpFacts(verified: SnpVerification, { osImageHash }: SnpParts): EvidenceFacts {
  const { report, mrConfig, platformId, checks } = verified;
  const launchedFor = mrConfig?.appId ?? null;
  if (platformId === null) {
    throw new EvidenceError(
      "snp-chip-masked",
      "expected a report that names its chip: a node is one machine",
      {},
      checks,
    );
  }
  if (mrConfig !== null && launchedFor === null) {
    throw new EvidenceError(
      "snp-app-unnamed",
      "expected a configuration document that names its app",
      { composeHash: mrConfig.composeHash },
      checks,
    );
  }
  return {
    kind: TeeKind.Snp,
    status: verified.status,
    advisoryIds: [],
    platformId,
    composeHash: mrConfig?.composeHash ?? null,
    ...(launchedFor === null ? {} : { launchedFor }),
    osImageHash: osImageHash ?? ZERO_BYTES32,
    measurementDigest: keccak256(report.measurement),
    pinnedMeasurementDigest: pinnedDigest(report),
    reportData: toHex(report.reportData),
    evidenceDigest: keccak256(fromHex(keccak256(report.signed)), sha256(report.chipId)),
    validUntil: verified.validUntil,
    simulated: verified.simulated,
  };
}

function pinnedDigest(report: SnpReport): Bytes32 {
  const guestSvn = new Uint8Array(4);
  new DataView(guestSvn.buffer).setUint32(0, report.guestSvn, true);
  const { measurement, familyId, imageId, idKeyDigest, authorKeyDigest } = report;
  return keccak256(measurement, familyId, imageId, guestSvn, idKeyDigest, authorKeyDigest);
}
