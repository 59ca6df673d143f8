import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { verifyGpuBinding, verifyNrasBinding } from "../../../../protocol/evidence/gpu/gpuClaim.ts";
import {
  gpuEvidenceDigest,
  nrasTokenDigest,
  parseGpuEvidence,
} from "../../../../protocol/evidence/gpu/gpuEvidence.ts";
import { verifyNras } from "../../../../protocol/evidence/gpu/verifyNras.ts";
import { CharterError } from "../../../../protocol/errors/CharterError.ts";
import { reportData } from "../../../../protocol/evidence/reportData.ts";
import {
  fromHex,
  parseAddress,
  parseBytes32,
  type Bytes32,
  type Hex,
} from "../../../../protocol/words/hex.ts";
import { makeEat } from "../../../../worker/tee/simulator/gpu/eat.ts";
import { SimulatedGpu } from "../../../../worker/tee/simulator/gpu/SimulatedGpu.ts";
import { failedCheck } from "../simulated.ts";
import { AT, goldenRims, gpu, keys, NONCE, NONCE_HEX, pki, verify } from "./simulatedGpu.ts";

const bound = (digest: Bytes32, nonce: Bytes32 = NONCE_HEX): Hex => `0x${nonce.slice(2)}${digest.slice(2)}`;
const refusal = (work: () => unknown): Promise<string> => failedCheck(Promise.resolve().then(work));
const other = new SimulatedGpu(pki, { name: "two" });

describe("a GPU claim", () => {
  it("is made of reports whose nonce and digest are the report data", async () => {
    const evidence = [gpu.attest(NONCE), other.attest(NONCE)];
    const verified = await Promise.all(evidence.map((one) => verify(one)));
    const claim = verifyGpuBinding(bound(gpuEvidenceDigest(evidence)), verified);
    expect(claim).to.include({
      claim: "gpu",
      boundBy: "guest",
      judgedBy: "charter",
      complete: false,
      simulated: true,
    });
    expect(claim.gpus).to.have.length(2);
    expect(claim.gpus[0]).to.include({ driverVersion: "590.12", vbiosVersion: "96.00.A5.00.01" });
  });

  it("is complete only where measurements and revocation were judged", async () => {
    const rims = await goldenRims();
    const verified = await verify(gpu.attest(NONCE), { rims });
    const data = bound(gpuEvidenceDigest([verified.evidence]));
    expect(verifyGpuBinding(data, [verified]).complete).to.equal(false);
    expect(verifyGpuBinding(data, [{ ...verified, revocation: "good" }]).complete).to.equal(true);
  });

  it("is made for the whole way of a guest: binding, GPU, then quote", async () => {
    const word = parseBytes32(`0x${"07".repeat(32)}`);
    const address = parseAddress(`0x${"08".repeat(20)}`);
    const binding = {
      purpose: "instance",
      chainId: 1,
      consumer: address,
      subject: address,
      key: address,
      blockNumber: 5n,
      blockHash: word,
    } as const;
    const nonce = reportData(binding).slice(0, 66) as Bytes32;
    const verified = await verify(gpu.attest(fromHex(nonce)), { nonce });
    const data = reportData({ ...binding, gpuDigest: gpuEvidenceDigest([verified.evidence]) });
    expect(verifyGpuBinding(data, [verified]).boundBy).to.equal("guest");
  });

  it("is refused for other evidence, another order, another nonce, none, or one GPU twice", async () => {
    const evidence = [gpu.attest(NONCE), other.attest(NONCE)];
    const verified = await Promise.all(evidence.map((one) => verify(one)));
    const [first, second] = verified;
    if (!first || !second) throw new Error("expected two");
    const data = bound(gpuEvidenceDigest(evidence));
    expect(await refusal(() => verifyGpuBinding(data, [first]))).to.equal("gpu-binding-digest");
    expect(await refusal(() => verifyGpuBinding(data, [second, first]))).to.equal("gpu-binding-digest");
    expect(await refusal(() => verifyGpuBinding(`0x${"00".repeat(64)}`, verified))).to.equal(
      "gpu-binding-nonce",
    );
    expect(await refusal(() => verifyGpuBinding(bound(gpuEvidenceDigest([])), []))).to.equal(
      "gpu-binding-nonce",
    );
    const twice = bound(gpuEvidenceDigest([first.evidence, first.evidence]));
    expect(await refusal(() => verifyGpuBinding(twice, [first, first]))).to.equal("gpu-distinct");
    expect(() => verifyGpuBinding("0x00", verified)).to.throw(CharterError);
  });

  it("is made of a token in the same way", async () => {
    const token = makeEat(pki, { nonce: NONCE, at: AT });
    const nras = await verifyNras(token, { at: AT, crypto: nodeCrypto, nonce: NONCE_HEX, keys });
    const claim = verifyNrasBinding(bound(nrasTokenDigest(token)), nras);
    expect(claim).to.include({ judgedBy: "nras", boundBy: "guest", complete: true, simulated: true });
    expect(await refusal(() => verifyNrasBinding(bound(NONCE_HEX), nras))).to.equal("gpu-binding-digest");
    const elsewhere = bound(nrasTokenDigest(token), `0x${"01".repeat(32)}` as Bytes32);
    expect(await refusal(() => verifyNrasBinding(elsewhere, nras))).to.equal("gpu-binding-nonce");
  });
});

describe("the digest of GPU evidence", () => {
  const evidence = gpu.attest(NONCE);

  it("changes with every byte, and with where one part ends", () => {
    const base = gpuEvidenceDigest([evidence]);
    const { report, certificates } = evidence;
    const moved = new TextEncoder().encode(certificates.slice(0, 1));
    for (const changed of [
      { ...evidence, certificates: `${certificates}\n` },
      { ...evidence, report: report.subarray(1) },
      { ...evidence, report: Uint8Array.from([...report, ...moved]), certificates: certificates.slice(1) },
    ]) {
      expect(gpuEvidenceDigest([changed])).to.not.equal(base);
    }
    expect(gpuEvidenceDigest([evidence, evidence])).to.not.equal(base);
    expect(gpuEvidenceDigest([evidence])).to.equal(base);
  });

  it("is not that of a token", () => {
    expect(nrasTokenDigest("")).to.not.equal(gpuEvidenceDigest([]));
  });
});

describe("collected GPU evidence", () => {
  const text = SimulatedGpu.serialize([gpu.attest(NONCE)]);
  const [entry] = JSON.parse(text) as Record<string, unknown>[];

  it("is refused where it is not a list of known entries", () => {
    for (const bad of [
      {},
      [],
      [{ ...entry, extra: 1 }],
      [{ ...entry, version: "2.0" }],
      [{ ...entry, nonce: "00" }],
      [{ ...entry, evidence: "!" }],
      [{ ...entry, evidence: "AA=" }],
      [{ ...entry, certificate: 1 }],
      Array.from({ length: 17 }, () => entry),
    ]) {
      expect(() => parseGpuEvidence(JSON.stringify(bad))).to.throw(CharterError, /expected/);
    }
    expect(() => parseGpuEvidence("[")).to.throw(CharterError);
    expect(() => parseGpuEvidence(" ".repeat(2_000_000))).to.throw(CharterError);
  });
});
