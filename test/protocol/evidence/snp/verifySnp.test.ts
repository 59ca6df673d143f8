import { createHash } from "node:crypto";

import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../../protocol/crypto/web.ts";
import type { SnpProduct } from "../../../../protocol/evidence/snp/amdRoots.ts";
import { hostDataMatches, parseMrConfig } from "../../../../protocol/evidence/snp/hostData.ts";
import type { SnpEvidence, VerifySnpOptions } from "../../../../protocol/evidence/snp/verifySnp.ts";
import { TcbStatus } from "../../../../protocol/words/enums.ts";
import { toHex, type ComposeHash } from "../../../../protocol/words/hex.ts";
import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import type { SnpDefects } from "../../../../worker/tee/simulator/snp/SimulatedSnp.ts";
import { SNP_TCB, type SnpPlatformOptions } from "../../../../worker/tee/simulator/snp/snpPlatform.ts";
import { SNP_MEASUREMENT } from "../../../../worker/tee/simulator/snp/snpReport.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { failedCheck } from "../simulated.ts";
import { AT, attest, crlOf, guest, otherPki, pkiOf, REPORT_DATA, rootOf, verify } from "./simulatedSnp.ts";

const refusedBy = (evidence: SnpEvidence, options: Partial<VerifySnpOptions> = {}): Promise<string> =>
  failedCheck(verify(evidence, options));

const DOCUMENT = JSON.stringify({
  app_id: "11".repeat(20),
  compose_hash: "22".repeat(32),
  instance_id: "",
  key_provider: "kms",
  key_provider_id: "33",
  version: 3,
});
const HOST_DATA = createHash("sha256").update(`dstack-mr-config-v3:\0${DOCUMENT}`).digest();
const COMPOSE_HASH = `0x${"22".repeat(32)}` as ComposeHash;
const OTHER_HASH = `0x${"23".repeat(32)}` as ComposeHash;

describe("simulated SEV-SNP evidence", function () {
  this.timeout(120_000);

  it("is accepted under its test root, by both cryptographies alike", async () => {
    const evidence = attest();
    const verified = await verify(evidence);
    expect(verified).to.deep.include({
      kind: "snp",
      status: TcbStatus.UpToDate,
      tcbFloor: "unchecked",
      product: "Milan",
      platformId: guest().platformId,
      reportData: REPORT_DATA,
      hostData: new Uint8Array(32),
      mrConfig: null,
      revocation: "unchecked",
      root: "test root",
      simulated: true,
      validFrom: AT - 1000,
    });
    expect(toHex(verified.measurement)).to.equal(toHex(SNP_MEASUREMENT));
    expect(verified.report.policy).to.include({ smtAllowed: true, debugAllowed: false });
    expect(verified.checks.every(({ ok }) => ok)).to.equal(true);
    expect(await verify(evidence, { crypto: webCrypto })).to.deep.equal(verified);
  });

  it("is refused under AMD's own roots", async () => {
    const { AMD_ROOTS } = await import("../../../../protocol/evidence/snp/amdRoots.ts");
    expect(await refusedBy(attest(), { roots: AMD_ROOTS })).to.equal("root-pinned");
    expect(await refusedBy(attest(), { roots: [] })).to.equal("root-pinned");
  });

  for (const product of ["Milan", "Genoa", "Turin"] as const satisfies readonly SnpProduct[]) {
    for (const version of [2, 3, 5] as const) {
      for (const signer of ["VCEK", "VLEK"] as const) {
        it(`is accepted of ${product}, version ${version}, signed by a ${signer}`, async () => {
          const pki = pkiOf(product);
          const one = guest({ signer }, pki);
          const evidence = one.attest(REPORT_DATA, { version });
          const verified = await verify(evidence, { roots: [rootOf(pki)] });
          expect(verified).to.include({ product, status: TcbStatus.UpToDate, platformId: one.platformId });
          expect(verified.report).to.include({ version, signer });
          expect(verified.report.cpuId === null).to.equal(version === 2);
          expect(verified.report.mitigations === null).to.equal(version !== 5);
          expect(verified.leaf.cspId).to.equal(signer === "VLEK" ? "simulated provider" : null);
        });
      }
    }
  }

  const REPORT_DEFECTS: Readonly<Record<string, readonly [check: string, defects: SnpDefects]>> = {
    "debugging allowed": ["snp-debug", { debug: true }],
    "a migration agent allowed": ["snp-migration", { migrationAgent: true }],
    "VMPL 1": ["snp-vmpl", { vmpl: 1 }],
    "asked for by the host": ["snp-vmpl", { vmpl: 0xffff_ffff }],
    "a masked chip id": ["snp-chip-id", { maskedChipId: true }],
    "a masked chip key": ["snp-key-masked", { maskedChipKey: true }],
    "another chip's id": ["snp-chip-id", { patches: { 0x1a0: [1, 2, 3] } }],
    "another signer": ["snp-signature", { key: deriveKey(new Uint8Array(32), "stranger", "P-384") }],
    "a signature of zeros": ["snp-signature", { forgeries: { 0x2a0: Array<number>(144).fill(0) } }],
    "SIGNING_KEY 1 under a VCEK": ["snp-signer", { signingKey: 1 }],
    "SIGNING_KEY 2": ["snp-report-format", { signingKey: 2 }],
    "SIGNING_KEY 7": ["snp-report-format", { signingKey: 7 }],
    "another reported TCB": ["snp-tcb", { tcbs: { reported: { ...SNP_TCB, microcode: 1 } } }],
    "a reserved byte in a TCB": ["snp-tcb-format", { patches: { 0x182: [1] } }],
    "SMT on where the policy forbids it": ["snp-platform-policy", { smt: false, smtEnabled: true }],
    "RAPL on where the policy forbids it": ["snp-platform-policy", { patches: { 0x0a: [0x83] } }],
    "ciphertext hiding off where the policy demands it": ["snp-platform-policy", { patches: { 0x0b: [1] } }],
    "Genoa's CPUID": ["snp-product", { cpuId: [0x19, 0x11, 0] }],
    "an unknown CPUID": ["snp-product", { cpuId: [0x17, 0x31, 0] }],
    "version 1": ["snp-report-format", { version: 1 }],
    "version 4": ["snp-report-format", { version: 4 }],
    "version 6": ["snp-report-format", { version: 6 }],
    "CPUID in version 2": ["snp-report-format", { version: 2, patches: { 0x188: [0x19] } }],
    "mitigations in version 3": ["snp-report-format", { patches: { 0x1f8: [1] } }],
    "bit 17 of its policy zero": ["snp-report-format", { patches: { 0x0a: [0x01] } }],
    "an unknown bit in its policy": ["snp-report-format", { patches: { 0x0b: [0x04] } }],
    "an unknown bit in its platform info": ["snp-report-format", { patches: { 0x40: [0x40] } }],
    "an unknown bit in its key info": ["snp-report-format", { patches: { 0x48: [0x20] } }],
    "another signature algorithm": ["snp-report-format", { patches: { 0x34: [2] } }],
    "a long r": ["snp-report-format", { forgeries: { 0x2d0: [1] } }],
    "a long s": ["snp-report-format", { forgeries: { 0x318: [1] } }],
    "bytes behind its signature": ["snp-report-format", { forgeries: { 0x49f: [1] } }],
  };
  for (const [defect, [check, defects]] of Object.entries(REPORT_DEFECTS)) {
    it(`is refused with ${defect} (${check})`, async () => {
      expect(await refusedBy(attest(defects))).to.equal(check);
    });
  }

  it("is refused as soon as it is longer or shorter", async () => {
    const evidence = attest();
    for (const report of [
      evidence.report.subarray(1),
      new Uint8Array([...evidence.report, 0]),
      new Uint8Array(),
    ]) {
      expect(await refusedBy({ ...evidence, report })).to.equal("snp-report-format");
    }
  });

  const IA5_MILAN = Buffer.from("\x16\x05Milan", "latin1");
  const LEAF_DEFECTS: Readonly<
    Record<string, readonly [check: string, options: Partial<SnpPlatformOptions>]>
  > = {
    "an expired leaf": ["validity", { notAfter: AT - 1 }],
    "a leaf for older firmware": ["snp-tcb", { tcb: { ...SNP_TCB, snp: 23 } }],
    "a leaf key on P-256": ["snp-chain", { curve: "P-256" }],
    "a leaf of Genoa under Milan's CAs": ["snp-issuer", { product: "Genoa" }],
    "no hardware id": ["snp-leaf-extensions", { extensions: { "4": null } }],
    "a short hardware id": ["snp-leaf-extensions", { extensions: { "4": new Uint8Array(63) } }],
    "a zero hardware id": ["snp-chip-id", { extensions: { "4": new Uint8Array(64) } }],
    "both ids": ["snp-leaf-extensions", { extensions: { "5": IA5_MILAN } }],
    "no product": ["snp-leaf-extensions", { extensions: { "2": null } }],
    "an unknown product": [
      "snp-leaf-extensions",
      { extensions: { "2": Buffer.from("\x16\x04Rome", "latin1") } },
    ],
    "a product in UTF-8": [
      "snp-leaf-extensions",
      { extensions: { "2": Buffer.from("\x0c\x05Milan", "latin1") } },
    ],
    "no microcode version": ["snp-leaf-extensions", { extensions: { "3.8": null } }],
    "a microcode version above 255": [
      "snp-leaf-extensions",
      { extensions: { "3.8": Buffer.from("02020100", "hex") } },
    ],
    "a microcode version with a byte behind it": [
      "snp-leaf-extensions",
      { extensions: { "3.8": Buffer.from("02010100", "hex") } },
    ],
    "a reserved SPL": ["snp-leaf-extensions", { extensions: { "3.5": Buffer.from("020101", "hex") } }],
  };
  for (const [defect, [check, options]] of Object.entries(LEAF_DEFECTS)) {
    it(`is refused with ${defect} (${check})`, async () => {
      expect(await refusedBy(attest({}, options))).to.equal(check);
    });
  }

  it("is refused before and after its certificates are valid", async () => {
    expect(await refusedBy(attest(), { at: AT - 1001 })).to.equal("validity");
    expect(await refusedBy(attest(), { at: pkiOf("Milan").notAfter })).to.equal("validity");
  });

  it("is refused with certificates swapped, repeated or of another kind", async () => {
    const evidence = attest();
    const { leaf, ask, ark } = evidence.certificates;
    const { asvk } = pkiOf("Milan").certificates;
    const genoa = pkiOf("Genoa").certificates;
    const swaps = [
      { leaf, ask: ark, ark: ask },
      { leaf: ask, ask: leaf, ark },
      { leaf, ask, ark: ask },
      { leaf, ask: leaf, ark },
      { leaf: ask, ask: ark, ark },
      { leaf, ask: asvk, ark },
      { leaf, ask: genoa.ask, ark: genoa.ark },
      { leaf: new Uint8Array(), ask, ark },
      { leaf: new Uint8Array(20_000), ask, ark },
    ];
    for (const certificates of swaps) {
      expect(await refusedBy({ ...evidence, certificates })).to.equal("snp-chain");
    }
    const vlek = guest({ signer: "VLEK" }).platform.certificates;
    expect(await refusedBy({ ...evidence, certificates: vlek })).to.equal("snp-signer");
    const other = guest({ name: "two" }).platform.certificates;
    expect(await refusedBy({ ...evidence, certificates: other })).to.equal("snp-signature");
  });

  it("is refused from another vendor, also with a chain that ends in the trusted root's certificate", async () => {
    const foreign = guest({}, otherPki()).attest(REPORT_DATA);
    expect(await refusedBy(foreign)).to.equal("root-pinned");
    const { ark } = pkiOf("Milan").certificates;
    const grafted = { ...foreign, certificates: { ...foreign.certificates, ark } };
    expect(await refusedBy(grafted)).to.equal("snp-chain-signatures");
  });

  it("names no platform where a VLEK signed for a masked chip", async () => {
    const verified = await verify(attest({ maskedChipId: true }, { signer: "VLEK" }));
    expect(verified.platformId).to.equal(null);
  });

  it("is judged by the rule of four equal versions", async () => {
    const older = { ...SNP_TCB, snp: 23 };
    const newer = { ...SNP_TCB, snp: 25 };
    for (const tcbs of [{ current: newer }, { committed: newer }, { launch: older }, { committed: older }]) {
      expect((await verify(attest({ tcbs }))).status).to.equal(TcbStatus.OutOfDate);
    }
    const held = await verify(attest({ tcbs: { reported: older } }, { tcb: older }));
    expect(held.status).to.equal(TcbStatus.OutOfDate);
  });

  it("is judged by the floor of its product where floors are given", async () => {
    const judge = async (minimumTcb: VerifySnpOptions["minimumTcb"]) => {
      const { status, tcbFloor } = await verify(attest(), minimumTcb ? { minimumTcb } : {});
      return [status, tcbFloor];
    };
    expect(await judge({ Milan: SNP_TCB })).to.deep.equal([TcbStatus.UpToDate, "met"]);
    expect(await judge({ Milan: { ...SNP_TCB, microcode: 220 } })).to.deep.equal([
      TcbStatus.OutOfDate,
      "missed",
    ]);
    expect(await judge({ Milan: { ...SNP_TCB, fmc: 1 } })).to.deep.equal([TcbStatus.OutOfDate, "missed"]);
    expect(await judge({ Genoa: SNP_TCB })).to.deep.equal([TcbStatus.OutOfDate, "missed"]);
    expect(await judge({})).to.deep.equal([TcbStatus.OutOfDate, "missed"]);
  });

  it("is held to what the caller expects", async () => {
    const evidence = attest({ vmpl: 2, hostData: HOST_DATA });
    const good = { vmpl: 2, hostData: HOST_DATA, reportData: REPORT_DATA };
    expect(await refusedBy(evidence, { expect: good })).to.equal("none");
    expect(await refusedBy(evidence, { expect: { ...good, smtAllowed: false } })).to.equal("snp-smt");
    expect(await refusedBy(evidence, { expect: { ...good, vmpl: 3 } })).to.equal("snp-vmpl");
    const zeros = new Uint8Array(64);
    expect(await refusedBy(evidence, { expect: { ...good, reportData: zeros } })).to.equal("snp-report-data");
    for (const hostData of [zeros, zeros.subarray(32), HOST_DATA.subarray(1)]) {
      expect(await refusedBy(evidence, { expect: { ...good, hostData } })).to.equal("snp-host-data");
    }
    expect(await refusedBy(evidence, { expect: { ...good, composeHash: COMPOSE_HASH } })).to.equal(
      "snp-compose-hash",
    );
    const single = attest({ smt: false });
    expect(await refusedBy(single, { expect: { smtAllowed: false } })).to.equal("none");
  });

  it("is bound to a configuration document by its exact text", async () => {
    const evidence = { ...attest({ hostData: HOST_DATA }), mrConfig: DOCUMENT };
    const verified = await verify(evidence, { expect: { composeHash: COMPOSE_HASH } });
    expect(verified.mrConfig).to.deep.equal({
      composeHash: COMPOSE_HASH,
      appId: `0x${"11".repeat(20)}`,
      instanceId: null,
      keyProvider: "kms",
      keyProviderId: "0x33",
    });
    expect(await refusedBy(evidence, { expect: { composeHash: OTHER_HASH } })).to.equal("snp-compose-hash");
    expect(await refusedBy({ ...evidence, mrConfig: `${DOCUMENT} ` })).to.equal("snp-mr-config");
    expect(await refusedBy({ ...attest(), mrConfig: DOCUMENT })).to.equal("snp-mr-config");
    for (const mrConfig of [
      "",
      "{",
      "null",
      `{"version":3}`,
      DOCUMENT.replace("3}", "4}"),
      " ".repeat(70_000),
    ]) {
      expect(await refusedBy({ ...evidence, mrConfig })).to.equal("snp-mr-config-format");
    }
    expect(await hostDataMatches(HOST_DATA, DOCUMENT, nodeCrypto)).to.equal(true);
    expect(await hostDataMatches(HOST_DATA.subarray(1), DOCUMENT, nodeCrypto)).to.equal(false);
    const twice = `{"compose_hash":"${"22".repeat(32)}","compose_hash":"${"23".repeat(32)}","version":3}`;
    expect(refusalOf(() => parseMrConfig(twice))).to.equal("json/malformed");
  });
});

describe("CRLs of SEV-SNP evidence", function () {
  this.timeout(120_000);

  it("shorten the time in which a verdict holds", async () => {
    const verified = await verify(attest(), { crls: [crlOf(), crlOf({ nextUpdate: AT + 50 })] });
    expect(verified).to.include({ revocation: "good", validFrom: AT - 100, validUntil: AT + 50 });
  });

  it("refuse revoked CAs, and name the kind of failure", async () => {
    const { askSerial, asvkSerial, ask } = pkiOf("Milan");
    const refused = (crls: readonly Uint8Array[]) => refusedBy(attest(), { crls });
    expect(await refused([crlOf({ revokedSerials: [askSerial] })])).to.equal("snp-revoked");
    expect(await refused([crlOf(), crlOf({ revokedSerials: [askSerial] })])).to.equal("snp-revoked");
    expect(await refused([crlOf({ revokedSerials: [asvkSerial] })])).to.equal("none");
    expect(await refused([crlOf({ nextUpdate: AT })])).to.equal("validity");
    expect(await refused([crlOf({ thisUpdate: AT + 1 })])).to.equal("validity");
    expect(await refused([crlOf({ issuer: otherPki().ark })])).to.equal("snp-crl-signature");
    expect(await refused([crlOf({ issuer: ask })])).to.equal("snp-crl-signature");
    expect(await refused([crlOf({ issuer: pkiOf("Genoa").ark })])).to.equal("snp-crl-issuer");
    const broken = crlOf();
    broken[broken.length - 1] = (broken.at(-1) as number) ^ 1;
    expect(await refused([crlOf(), broken])).to.equal("snp-crl-signature");
    expect(await refused([])).to.equal("snp-crl-format");
    expect(await refused([new Uint8Array(3)])).to.equal("snp-crl-format");
    expect(await refused(Array<Uint8Array>(5).fill(crlOf()))).to.equal("snp-crl-format");
    const vlek = attest({}, { signer: "VLEK" });
    const crls = [crlOf({ revokedSerials: [asvkSerial] })];
    expect(await refusedBy(vlek, { crls })).to.equal("snp-revoked");
  });
});
