import { concat, keccak256, sha256 } from "ethers";

import { parseCertificate } from "../../../../../protocol/der/certificate.ts";
import { splitPem } from "../../../../../protocol/der/pem.ts";
import { readPckExtensions } from "../../../../../protocol/evidence/dcap/pckExtensions.ts";
import { parseQuote } from "../../../../../protocol/evidence/dcap/parseQuote.ts";
import { concatBytes } from "../../../../../protocol/words/bytes.ts";
import { TeeKind } from "../../../../../protocol/words/enums.ts";
import { toHex } from "../../../../../protocol/words/hex.ts";
import { ZERO } from "./verifier.ts";

/** What the verifier must say of a quote, from the parsed quote by the definitions in IDcapVerifier. */
export function describedBy(quote: Uint8Array): Record<string, unknown> {
  const { report, signed, pckChain } = parseQuote(quote);
  const { ppid } = readPckExtensions(parseCertificate(splitPem(pckChain)[0] as Uint8Array));
  const common = {
    evidenceDigest: keccak256(concat([keccak256(signed), sha256(ppid)])),
    reportDataHigh: toHex(report.reportData.subarray(0, 32)),
    reportDataLow: toHex(report.reportData.subarray(32)),
  };
  if (report.kind === "sgx") {
    const { raw } = report;
    return {
      ...common,
      kind: BigInt(TeeKind.Sgx),
      measurementDigest: keccak256(report.mrEnclave),
      pinnedMeasurementDigest: keccak256(
        concatBytes(report.mrEnclave, report.mrSigner, raw.subarray(256, 260)),
      ),
      measurements: keccak256(raw),
      mrConfigIdHigh: ZERO,
      mrConfigIdLow: `0x${"00".repeat(16)}`,
    };
  }
  const [rtmr0, rtmr1, rtmr2, rtmr3] = report.rtmrs;
  const {
    mrTd,
    mrConfigId,
    mrOwner,
    mrOwnerConfig,
    mrSeam,
    mrSignerSeam,
    seamAttributes,
    tdAttributes,
    xfam,
  } = report;
  return {
    ...common,
    kind: BigInt(TeeKind.Tdx),
    measurementDigest: keccak256(concatBytes(mrTd, rtmr1, rtmr2)),
    pinnedMeasurementDigest: keccak256(concatBytes(mrTd, rtmr1, rtmr2, rtmr0)),
    measurements: keccak256(
      concatBytes(
        ...[
          mrSeam,
          mrSignerSeam,
          seamAttributes,
          tdAttributes,
          xfam,
          mrTd,
          mrConfigId,
          mrOwner,
          mrOwnerConfig,
        ],
        ...[rtmr0, rtmr1, rtmr2, rtmr3],
      ),
    ),
    mrConfigIdHigh: toHex(mrConfigId.subarray(0, 32)),
    mrConfigIdLow: toHex(mrConfigId.subarray(32)),
  };
}
