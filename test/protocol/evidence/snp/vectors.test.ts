import { createHash, createPublicKey } from "node:crypto";

import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../../protocol/crypto/web.ts";
import { parseCertificate } from "../../../../protocol/der/certificate.ts";
import { EvidenceError } from "../../../../protocol/evidence/EvidenceError.ts";
import { AMD_ROOTS } from "../../../../protocol/evidence/snp/amdRoots.ts";
import { hostDataMatches } from "../../../../protocol/evidence/snp/hostData.ts";
import { verifySnp, type VerifySnpOptions } from "../../../../protocol/evidence/snp/verifySnp.ts";
import { TcbStatus } from "../../../../protocol/words/enums.ts";
import { toHex, type ComposeHash } from "../../../../protocol/words/hex.ts";
import { clock, itOnVectors } from "../../../support/vectors.ts";
import { failedCheck } from "../simulated.ts";
import { dstackSnpVector, goSevGuestVector, VECTOR_AT } from "./snpVectors.ts";

const options: VerifySnpOptions = { at: VECTOR_AT, crypto: nodeCrypto };

describe("AMD's roots", () => {
  it("are three RSA keys of 4,096 bits", () => {
    expect(AMD_ROOTS.map(({ name }) => name)).to.deep.equal(["ARK-Milan", "ARK-Genoa", "ARK-Turin"]);
    for (const { publicKey, simulated } of AMD_ROOTS) {
      const key = createPublicKey({ key: Buffer.from(publicKey), format: "der", type: "spki" });
      expect(key.asymmetricKeyDetails).to.deep.equal({ modulusLength: 4096, publicExponent: 65_537n });
      expect(simulated).to.equal(false);
    }
  });

  itOnVectors("have the key of Milan's ARK", () => {
    const { ark } = goSevGuestVector().certificates;
    expect(toHex(parseCertificate(ark).publicKey)).to.equal(
      toHex((AMD_ROOTS[0] as { publicKey: Uint8Array }).publicKey),
    );
  });
});

describe("evidence of real SEV-SNP guests", () => {
  itOnVectors("of dstack's is accepted under AMD's root, out of date, bound to its document", async () => {
    const evidence = dstackSnpVector();
    const composeHash = "0x86e59625be93207bc2351c4d1bba2003" + "7cec8e168da6b18f559af5af657b7a23";
    const expectation = { composeHash: composeHash as ComposeHash };
    const verified = await verifySnp(evidence, { ...options, expect: expectation });
    expect(verified).to.include({
      status: TcbStatus.OutOfDate,
      product: "Milan",
      root: "ARK-Milan",
      simulated: false,
      revocation: "unchecked",
      tcbFloor: "unchecked",
      validFrom: clock("2026-06-17T01:05:04Z"),
      validUntil: clock("2033-06-17T01:05:04Z"),
    });
    expect(toHex(verified.hostData)).to.equal(
      "0x783f0057820acb99249af56cc3b07b4e8d80f65183167cba9cf437bb680f742f",
    );
    expect(await hostDataMatches(verified.hostData, evidence.mrConfig, nodeCrypto)).to.equal(true);
    expect(verified.mrConfig).to.include({ composeHash, keyProvider: "kms" });
    const text = new TextDecoder().decode(verified.reportData);
    expect(text).to.equal("attest-test-fixture-2026".padEnd(64, "\0"));
    const chip = createHash("sha256").update(verified.report.chipId).digest("hex");
    expect(verified.platformId).to.equal(`0x${chip}`);
    expect(verified.leaf).to.include({ kind: "VCEK", productName: "Milan-B0" });
    expect(verified.tcbs.reported).to.deep.equal({ fmc: 0, bootloader: 4, tee: 0, snp: 23, microcode: 213 });
    expect(verified.tcbs.committed.snp).to.equal(24);
    expect(verified.report).to.include({ version: 3, vmpl: 0, currentFirmware: "1.55.29" });
    expect(verified.report.cpuId).to.deep.equal({ family: 0x19, model: 1, stepping: 1 });
    expect(verified.report.platformInfo).to.include({ smtEnabled: true, aliasCheckComplete: true });
    const onWeb = await verifySnp(evidence, { ...options, crypto: webCrypto, expect: expectation });
    expect(onWeb).to.deep.equal(verified);
  });

  itOnVectors("of go-sev-guest's has good signatures, and is refused for its policy alone", async () => {
    const error = await verifySnp(goSevGuestVector(), options).then(
      () => null,
      (caught: unknown) => caught,
    );
    if (!(error instanceof EvidenceError)) throw new Error("expected a refusal");
    expect(error.code).to.equal("evidence/snp-debug");
    const passed = error.checks.filter(({ ok }) => ok).map(({ name }) => name);
    expect(passed).to.include.members([
      "root-pinned",
      "snp-chain-signatures",
      "validity",
      "snp-signature",
      "snp-tcb",
      "snp-chip-id",
    ]);
    expect(error.checks.filter(({ ok }) => !ok).map(({ name }) => name)).to.deep.equal(["snp-debug"]);
  });

  itOnVectors(
    "is refused with another machine's certificate, at another time, and under other roots",
    async () => {
      const [one, two] = [dstackSnpVector(), goSevGuestVector()];
      const { leaf } = two.certificates;
      const mixed = { ...one, certificates: { ...one.certificates, leaf } };
      expect(await failedCheck(verifySnp(mixed, options))).to.equal("snp-signature");
      const at = clock("2033-06-17T01:05:04Z");
      expect(await failedCheck(verifySnp(one, { ...options, at }))).to.equal("validity");
      const roots = AMD_ROOTS.slice(1);
      expect(await failedCheck(verifySnp(one, { ...options, roots }))).to.equal("root-pinned");
    },
  );
});
