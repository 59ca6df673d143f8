import { expect } from "chai";

import { webCrypto } from "../../../../protocol/crypto/web.ts";
import { parseGpuEvidence } from "../../../../protocol/evidence/gpu/gpuEvidence.ts";
import type { OcspAnswers } from "../../../../protocol/evidence/gpu/revocation.ts";
import { parseCertificate } from "../../../../protocol/der/certificate.ts";
import { splitPem } from "../../../../protocol/der/pem.ts";
import { issueCertificate, toPem } from "../../../../worker/tee/simulator/certificate.ts";
import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import { SimulatedGpu, type GpuDefects } from "../../../../worker/tee/simulator/gpu/SimulatedGpu.ts";
import { failedCheck } from "../simulated.ts";
import { AT, goldenRims, gpu, NONCE, NONCE_HEX, otherPki, pki, rimOf, root, verify } from "./simulatedGpu.ts";

const refusal = (defects: GpuDefects, options: Parameters<typeof verify>[1] = {}): Promise<string> =>
  failedCheck(verify(gpu.attest(NONCE, defects), options));

/** PEM blocks of one chain. */
const blocks = (pem: string): string[] => splitPem(pem).map(toPem);

describe("a simulated GPU's report", () => {
  it("is accepted under its test root, with its facts", async () => {
    const verified = await verify(gpu.attest(NONCE));
    expect(verified).to.include({
      kind: "gpu",
      platformId: null,
      arch: "HOPPER",
      simulated: true,
      nonce: NONCE_HEX,
    });
    expect(verified).to.include({
      measured: "unchecked",
      revocation: "unchecked",
      hwModel: "GH100 A01 GSP BROM",
    });
    expect(verified.facts).to.include({
      driverVersion: "590.12",
      vbiosVersion: "96.00.A5.00.01",
      mode: "spt",
      chipSku: "885",
      nvdec0: false,
    });
    expect(verified.measurements).to.have.length(64);
    expect([verified.validFrom, verified.validUntil]).to.deep.equal([pki.notBefore, pki.notAfter]);
    expect(verified.checks.every(({ ok }) => ok)).to.equal(true);
  });

  it("gives the same answer on WebCrypto", async () => {
    const evidence = gpu.attest(NONCE);
    const [onNode, onWeb] = await Promise.all([verify(evidence), verify(evidence, { crypto: webCrypto })]);
    expect(onWeb).to.deep.equal(onNode);
    const bad = gpu.attest(NONCE, { key: deriveKey(pki.secret, "somebody", "P-384") });
    expect(await failedCheck(verify(bad, { crypto: webCrypto }))).to.equal("gpu-signature");
  });

  it("of a Blackwell is accepted by the firmware id in its DiceTcbInfo", async () => {
    const blackwell = new SimulatedGpu(pki, { name: "two", arch: "BLACKWELL" });
    const verified = await verify(blackwell.attest(NONCE));
    expect(verified).to.include({ arch: "BLACKWELL", hwModel: "GB100 A01 FSP BROM" });
  });

  it("survives the form in which collectors write it", async () => {
    const [evidence] = parseGpuEvidence(SimulatedGpu.serialize([gpu.attest(NONCE)]));
    if (!evidence) throw new Error("expected one GPU");
    expect((await verify(evidence)).arch).to.equal("HOPPER");
    const stated = { ...evidence, driverVersion: "590.12", vbiosVersion: "96.00.a5.00.01" };
    expect((await verify(stated)).arch).to.equal("HOPPER");
    expect(await failedCheck(verify({ ...stated, driverVersion: "999.99" }))).to.equal("gpu-stated-versions");
    expect(await failedCheck(verify({ ...stated, vbiosVersion: "96.00" }))).to.equal("gpu-stated-versions");
  });

  it("names every mode it may have, and may be held to some", async () => {
    for (const [featureFlag, mode] of [
      [0, "spt"],
      [1, "mpt"],
      [2, "ppcie"],
    ] as const) {
      const verified = await verify(gpu.attest(NONCE, { featureFlag }));
      expect(verified.facts.mode).to.equal(mode);
    }
    expect(await refusal({ featureFlag: 2 }, { modes: ["spt", "mpt"] })).to.equal("gpu-mode");
    const old = { fields: { 34: null, 36: null } };
    expect((await verify(gpu.attest(NONCE, old))).facts.mode).to.equal("unstated");
    expect(await refusal(old, { modes: ["spt"] })).to.equal("gpu-mode");
    expect(await refusal({}, { modes: [] })).to.equal("gpu-mode");
  });
});

describe("a GPU report is refused", () => {
  it("where the nonce is another, or is stated as another", async () => {
    const other = new Uint8Array(32).fill(1);
    expect(await failedCheck(verify(gpu.attest(other)))).to.equal("gpu-nonce");
    expect(await failedCheck(verify({ ...gpu.attest(other), nonce: NONCE_HEX }))).to.equal("gpu-nonce");
    expect(
      await failedCheck(verify({ ...gpu.attest(NONCE), nonce: `0x${"01".repeat(32)}` as typeof NONCE_HEX })),
    ).to.equal("gpu-nonce");
    expect(await failedCheck(verify(gpu.attest(new Uint8Array(32))))).to.equal("gpu-report-format");
  });

  it("where another key signed it", async () => {
    expect(await refusal({ key: deriveKey(pki.secret, "somebody", "P-384") })).to.equal("gpu-signature");
    const other = new SimulatedGpu(pki, { name: "two" });
    const mixed = { ...gpu.attest(NONCE), certificates: other.identity.certificates };
    expect(await failedCheck(verify(mixed))).to.equal("gpu-signature");
  });

  it("outside the certificates' time", async () => {
    const evidence = gpu.attest(NONCE);
    expect(await failedCheck(verify(evidence, { at: pki.notBefore - 1 }))).to.equal("validity");
    expect(await failedCheck(verify(evidence, { at: pki.notAfter }))).to.equal("validity");
    expect(await failedCheck(verify(evidence, { at: pki.notAfter - 1 }))).to.equal("none");
  });

  it("under another root with the same names", async () => {
    const impostor = new SimulatedGpu(otherPki, { name: "one" });
    expect(await failedCheck(verify(impostor.attest(NONCE)))).to.equal("root-pinned");
    const ours = splitPem(pki.root).map(toPem);
    const grafted = [...blocks(impostor.identity.certificates).slice(0, -1), ...ours].join("");
    expect(await failedCheck(verify({ ...impostor.attest(NONCE), certificates: grafted }))).to.equal(
      "gpu-chain-signatures",
    );
  });

  it("with NVIDIA's root where only that is trusted", async () => {
    const { nodeCrypto } = await import("../../../../protocol/crypto/node.ts");
    const { verifyGpu } = await import("../../../../protocol/evidence/gpu/verifyGpu.ts");
    const work = verifyGpu(gpu.attest(NONCE), { at: AT, crypto: nodeCrypto, nonce: NONCE_HEX });
    expect(await failedCheck(work)).to.equal("root-pinned");
    expect(await failedCheck(verify(gpu.attest(NONCE), { roots: [] }))).to.equal("root-pinned");
  });

  it("with certificates swapped, left out, repeated, or too many", async () => {
    const evidence = gpu.attest(NONCE);
    const [leaf = "", identity = "", provisioner = "", ca = "", top = ""] = blocks(evidence.certificates);
    for (const list of [
      [identity, leaf, provisioner, ca, top],
      [leaf, identity, ca, provisioner, top],
      [leaf, identity, provisioner, ca],
      [leaf, identity, provisioner, top],
      [leaf, identity, identity, provisioner, ca, top],
      [identity, provisioner, ca, top],
      [leaf],
      [],
      Array.from({ length: 11 }, () => leaf),
      [leaf, identity, provisioner, ca, top, "\n".repeat(30_000)],
      [leaf, "a comment\n", identity, provisioner, ca, top],
    ]) {
      expect(await failedCheck(verify({ ...evidence, certificates: list.join("") }))).to.equal("gpu-chain");
    }
  });

  it("with an intermediate that the CA did not sign", async () => {
    const evidence = gpu.attest(NONCE);
    const [leaf = "", identity = "", , ca = "", top = ""] = blocks(evidence.certificates);
    const forged = toPem(
      issueCertificate({
        issuer: { name: pki.cas[1].name, key: deriveKey(pki.secret, "forger", "P-384") },
        subject: pki.cas[2].name,
        key: pki.cas[2].key,
        serial: Buffer.from([1]),
        notBefore: pki.notBefore,
        notAfter: pki.notAfter,
        ca: 1,
      }),
    );
    const certificates = [leaf, identity, forged, ca, top].join("");
    expect(await failedCheck(verify({ ...evidence, certificates }))).to.equal("gpu-chain-signatures");
  });

  it("with a leaf signed by a leaf, or by a CA without its flag", async () => {
    const evidence = gpu.attest(NONCE);
    const [leaf = "", identity = "", ...above] = blocks(evidence.certificates);
    const flagless = toPem(
      issueCertificate({
        issuer: pki.cas[2],
        subject: "GH100 A01 GSP BROM",
        key: deriveKey(pki.secret, "gpu/one", "P-384"),
        serial: Buffer.from([1]),
        notBefore: pki.notBefore,
        notAfter: pki.notAfter,
      }),
    );
    expect(
      await failedCheck(verify({ ...evidence, certificates: [leaf, flagless, ...above].join("") })),
    ).to.equal("gpu-chain");
    const below = toPem(
      issueCertificate({
        issuer: { name: "GH100 A01 GSP FMC LF", key: gpu.identity.leafKey },
        subject: "GH100 A01 GSP FMC LF",
        key: gpu.identity.leafKey,
        serial: Buffer.from([2]),
        notBefore: pki.notBefore,
        notAfter: pki.notAfter,
      }),
    );
    expect(
      await failedCheck(verify({ ...evidence, certificates: [below, leaf, identity, ...above].join("") })),
    ).to.equal("gpu-chain");
  });

  it("with a key on the wrong curve", async () => {
    const wrong = new SimulatedGpu(pki, { name: "one", curve: "P-256" });
    const key = deriveKey(pki.secret, "gpu/one/attestation", "P-384");
    expect(await failedCheck(verify(wrong.attest(NONCE, { key })))).to.equal("gpu-chain");
    expect(await failedCheck(verify(wrong.attest(NONCE)))).to.equal("gpu-report-format");
  });

  it("where the report's firmware is not the one that the leaf was made for", async () => {
    expect(await refusal({ fields: { 20: Buffer.alloc(48, 1) } })).to.equal("gpu-firmware-id");
    expect(await refusal({ fields: { 20: null } })).to.equal("gpu-opaque-format");
  });

  it("where a leaf says nothing of its firmware", async () => {
    const evidence = gpu.attest(NONCE);
    const [, ...above] = blocks(evidence.certificates);
    const silent = toPem(
      issueCertificate({
        issuer: { name: "GH100 A01 GSP BROM", key: deriveKey(pki.secret, "gpu/one", "P-384") },
        subject: "GH100 A01 GSP FMC LF",
        key: gpu.identity.leafKey,
        serial: Buffer.from([3]),
        notBefore: pki.notBefore,
        notAfter: pki.notAfter,
      }),
    );
    const certificates = [silent, ...above].join("");
    expect(await failedCheck(verify({ ...evidence, certificates }))).to.equal("gpu-firmware-extension");
  });

  it("of another architecture than is stated", async () => {
    expect(await failedCheck(verify({ ...gpu.attest(NONCE), arch: "BLACKWELL" }))).to.equal("gpu-arch");
    expect(await failedCheck(verify({ ...gpu.attest(NONCE), arch: "constructor" }))).to.equal("gpu-arch");
  });

  it("with confidential mode off", async () => {
    expect(await refusal({ ccOff: true })).to.equal("gpu-opaque-format");
  });

  it("with opaque data cut off, doubled, of an unknown version or without what it must have", async () => {
    expect(await refusal({ truncatedOpaqueData: true })).to.equal("gpu-opaque-format");
    for (const type of [3, 6, 11, 20, 36]) {
      expect(await refusal({ fields: { [type]: null } }), `field ${type}`).to.equal("gpu-opaque-format");
    }
    const bad: Record<number, Uint8Array>[] = [
      { 34: Buffer.from([2, 0]) },
      { 34: Buffer.from([1]) },
      { 11: Buffer.from([0]) },
      { 6: Buffer.alloc(7) },
      { 3: Buffer.from("590 12\0") },
      { 3: Buffer.alloc(0) },
      { 36: Buffer.from([3, 0]) },
    ];
    for (const fields of bad) expect(await refusal({ fields })).to.equal("gpu-opaque-format");
  });

  it("of any length but its own", async () => {
    const evidence = gpu.attest(NONCE);
    const { report } = evidence;
    const longer = Uint8Array.from([...report, 0]);
    for (const bytes of [
      new Uint8Array(),
      report.subarray(0, 36),
      report.subarray(0, -1),
      longer,
      new Uint8Array(20_000),
    ]) {
      expect(await failedCheck(verify({ ...evidence, report: bytes }))).to.equal("gpu-report-format");
    }
  });
});

describe("OCSP answers about a GPU's certificates", () => {
  const serials = splitPem(gpu.identity.certificates).map((one) => parseCertificate(one).serial);
  const good = Object.fromEntries(serials.slice(1, -1).map((serial) => [serial, "good" as const]));
  const answers = (changes: OcspAnswers["status"] = {}): OcspAnswers => ({
    status: { ...good, ...changes },
    from: AT - 10,
    until: AT + 100,
  });
  const judged = (ocsp: OcspAnswers): Promise<string> => failedCheck(verify(gpu.attest(NONCE), { ocsp }));

  it("that are all good are said, and bound the result's time", async () => {
    const verified = await verify(gpu.attest(NONCE), { ocsp: answers() });
    expect(verified).to.include({ revocation: "good", validFrom: AT - 10, validUntil: AT + 100 });
  });

  it("that revoke or hold any certificate refuse it", async () => {
    for (const serial of serials.slice(0, -1)) {
      expect(await judged(answers({ [serial]: "revoked" }))).to.equal("gpu-revoked");
      expect(await judged(answers({ [serial]: "hold" }))).to.equal("gpu-revoked");
    }
  });

  it("that leave a CA out refuse it", async () => {
    expect(await judged({ ...answers(), status: {} })).to.equal("gpu-revoked");
    for (const missing of serials.slice(1, -1)) {
      const status = Object.fromEntries(Object.entries(good).filter(([serial]) => serial !== missing));
      expect(await judged({ ...answers(), status })).to.equal("gpu-revoked");
    }
  });

  it("that are old or of the future refuse it", async () => {
    expect(await judged({ ...answers(), until: AT })).to.equal("gpu-ocsp-validity");
    expect(await judged({ ...answers(), from: AT + 1 })).to.equal("gpu-ocsp-validity");
  });
});

describe("manifests that judge a GPU's measurements", () => {
  it("say that golden values were met", async () => {
    const verified = await verify(gpu.attest(NONCE), { rims: await goldenRims() });
    expect(verified.measured).to.equal("golden");
  });

  it("refuse developer's firmware and any altered measurement they name", async () => {
    const rims = await goldenRims();
    expect(await refusal({ devTools: true }, { rims })).to.equal("gpu-measurements");
    for (const altered of [0, 1, 20, 34, 39]) {
      expect(await refusal({ altered }, { rims }), `measurement ${altered}`).to.equal("gpu-measurements");
    }
    expect(await refusal({ altered: 50 }, { rims }), "a measurement that none names").to.equal("none");
  });

  it("leave measurement 35 out where the video decoder is off, and only there", async () => {
    const rims = await goldenRims();
    expect(await refusal({ altered: 35 }, { rims })).to.equal("none");
    expect(await refusal({ altered: 35, nvdec0: true }, { rims })).to.equal("gpu-measurements");
    expect(await refusal({ nvdec0: true }, { rims })).to.equal("none");
  });

  it("must be those of this driver and this VBIOS", async () => {
    const { driver, vbios } = await goldenRims();
    const old = await rimOf({ kind: "driver", version: "1.0" });
    expect(await refusal({}, { rims: { driver: old, vbios } })).to.equal("gpu-driver-rim");
    const other = await rimOf({ kind: "vbios", version: "96.00.A5.00.02" });
    expect(await refusal({}, { rims: { driver, vbios: other } })).to.equal("gpu-vbios-rim");
  });

  it("must not be empty, nor name one index both, nor one that was not measured", async () => {
    const { driver, vbios } = await goldenRims();
    const empty = { ...driver, measurements: new Map<number, Uint8Array[]>() };
    expect(await refusal({}, { rims: { driver: empty, vbios } })).to.equal("gpu-rim-empty");
    const both = { ...vbios, measurements: driver.measurements };
    expect(await refusal({}, { rims: { driver, vbios: both } })).to.equal("gpu-rim-conflict");
    const beyond = { ...driver, measurements: new Map([[100, [new Uint8Array(48)]]]) };
    expect(await refusal({}, { rims: { driver: beyond, vbios } })).to.equal("gpu-measurements");
    const nothingAllowed = { ...driver, measurements: new Map([[0, []]]) };
    expect(await refusal({}, { rims: { driver: nothingAllowed, vbios } })).to.equal("gpu-measurements");
  });

  it("bound the result's time, and make it simulated where they are", async () => {
    const { driver, vbios } = await goldenRims();
    const rims = { driver: { ...driver, validUntil: AT + 5 }, vbios };
    expect((await verify(gpu.attest(NONCE), { rims })).validUntil).to.equal(AT + 5);
    expect(await refusal({}, { rims, at: AT + 5 })).to.equal("validity");
    const real = { ...root, simulated: false };
    expect((await verify(gpu.attest(NONCE), { rims, roots: [real] })).simulated).to.equal(true);
  });
});
