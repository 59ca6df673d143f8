import { createHash } from "node:crypto";

import type { SnpEvidence } from "../../../../protocol/evidence/snp/verifySnp.ts";
import { toHex } from "../../../../protocol/words/hex.ts";
import { toPem } from "../../../../worker/tee/simulator/certificate.ts";
import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import { hasVectors } from "../../../support/vectors.ts";
import { AT, attest, crlOf, otherPki, pkiOf, REPORT_DATA } from "../snp/simulatedSnp.ts";
import { dstackSnpVector, goSevGuestVector, VECTOR_AT } from "../snp/snpVectors.ts";
import { base64 } from "./caseFiles.ts";
import type { EvidenceCase } from "./runCase.ts";

/** Charter's JSON of a report with its certificates. */
const file = ({ report, certificates: { leaf, ask, ark }, mrConfig }: SnpEvidence): string =>
  base64(
    JSON.stringify({
      kind: "snp",
      report: toHex(report),
      certificates: [leaf, ask, ark].map(toPem).join(""),
      ...(mrConfig === undefined ? {} : { mrConfig }),
    }),
  );

const DOCUMENT = JSON.stringify({ version: 3, compose_hash: "22".repeat(32), app_id: "11".repeat(20) });
const BOUND = createHash("sha256").update(`dstack-mr-config-v3:\0${DOCUMENT}`).digest();

const MILAN_FLOOR = { Milan: { bootloader: 4, tee: 0, snp: 24, microcode: 219 } };

/** SEV-SNP reports: what passes, and one case of each thing that must not. */
export function snpCases(): EvidenceCase[] {
  const pki = pkiOf("Milan");
  const base = { at: AT, roots: [pki.root], reportData: toHex(REPORT_DATA) };
  const key = deriveKey(pki.secret, "somebody", "P-384");
  const good = attest();
  const flipped = Uint8Array.from(good.report);
  flipped[0x90] = (flipped[0x90] as number) ^ 1;
  return [
    { ...base, name: "an SNP report", file: file(good), expected: "accepted" },
    {
      ...base,
      name: "an SNP report under another vendor",
      file: file(good),
      roots: [otherPki().root],
      expected: "root-pinned",
    },
    { ...base, name: "an SNP report under no root", file: file(good), roots: [], expected: "root-pinned" },
    { ...base, name: "an SNP guest with debug", file: file(attest({ debug: true })), expected: "snp-debug" },
    {
      ...base,
      name: "an SNP guest that migrates",
      file: file(attest({ migrationAgent: true })),
      expected: "snp-migration",
    },
    { ...base, name: "an SNP report of VMPL 1", file: file(attest({ vmpl: 1 })), expected: "snp-vmpl" },
    { ...base, name: "an SNP report by another key", file: file(attest({ key })), expected: "snp-signature" },
    { ...base, name: "a masked chip", file: file(attest({ maskedChipId: true })), expected: "snp-chip-id" },
    {
      ...base,
      name: "a flipped byte of the measurement",
      file: file({ ...good, report: flipped }),
      expected: "snp-signature",
    },
    {
      ...base,
      name: "an SNP guest with its configuration document",
      file: file({ ...attest({ hostData: BOUND }), mrConfig: DOCUMENT }),
      expected: "accepted",
    },
    {
      ...base,
      name: "an SNP guest with another configuration document",
      file: file({ ...attest({ hostData: BOUND }), mrConfig: `${DOCUMENT} ` }),
      expected: "snp-mr-config",
    },
    {
      ...base,
      name: "an SNP report held to AMD's list and a lowest version",
      file: file(good),
      amd: { crls: [base64(crlOf())], minimumTcb: MILAN_FLOOR },
      expected: "accepted",
    },
    {
      ...base,
      name: "an SNP report whose ASK was revoked",
      file: file(good),
      amd: { crls: [base64(crlOf({ revokedSerials: [pki.askSerial] }))] },
      expected: "snp-revoked",
    },
    {
      ...base,
      name: "an SNP report without certificates",
      file: base64(good.report),
      expected: "collateral-missing",
    },
    {
      ...base,
      name: "another report data than the SNP guest's",
      file: file(good),
      reportData: `0x${"00".repeat(64)}`,
      expected: "expected-report-data",
    },
    ...(hasVectors
      ? [
          {
            name: "dstack's Milan machine",
            file: file(dstackSnpVector()),
            at: VECTOR_AT,
            expected: "accepted",
          },
          {
            name: "go-sev-guest's Milan machine, which may be debugged",
            file: file(goSevGuestVector()),
            at: VECTOR_AT,
            expected: "snp-debug",
          },
        ]
      : []),
  ];
}
