import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { testRootFromPem } from "../../../protocol/evidence/chain/roots.ts";
import { gpuEvidenceDigest } from "../../../protocol/evidence/gpu/gpuEvidence.ts";
import { verifyGpu } from "../../../protocol/evidence/gpu/verifyGpu.ts";
import type { Hex } from "../../../protocol/words/hex.ts";
import { judgeGpus, type GpuJudge } from "../../../relayer/evidence/judgeGpus.ts";
import { SimulatedGpu } from "../../../worker/tee/simulator/gpu/SimulatedGpu.ts";
import { AT, gpu, NONCE, NONCE_HEX, pki } from "../../protocol/evidence/gpu/simulatedGpu.ts";
import { refusal } from "../../support/refusal.ts";

type Reports = Parameters<typeof SimulatedGpu.serialize>[0];

/** The verifier of reports, as complete as with manifests and answers from NVIDIA; what it was asked. */
function judgeOf({ complete = true } = {}) {
  const asked: string[] = [];
  const judge: GpuJudge = async (evidence, nonce) => {
    asked.push(nonce);
    const roots = [testRootFromPem(pki.root)];
    const verified = await verifyGpu(evidence, { at: AT, crypto: nodeCrypto, roots, nonce });
    return complete ? { ...verified, measured: "golden", revocation: "good" } : verified;
  };
  return { judge, asked };
}

const boundTo = (reports: Reports): Hex => `0x${NONCE_HEX.slice(2)}${gpuEvidenceDigest(reports).slice(2)}`;
const judged = (reports: Reports, data: Hex = boundTo(reports), judge: GpuJudge = judgeOf().judge) =>
  judgeGpus(SimulatedGpu.serialize(reports), data, judge);

describe("judgeGpus", () => {
  const one = gpu.attest(NONCE);
  const two = new SimulatedGpu(pki, { name: "two" }).attest(NONCE);

  it("gives a claim of every GPU whose answer the CPU's evidence names", async () => {
    const claim = await judged([one, two]);
    expect(claim).to.include({ boundBy: "guest", complete: true, simulated: true });
    expect(claim.digest).to.equal(gpuEvidenceDigest([one, two]));
    expect(claim.gpus).to.have.length(2);
  });

  it("refuses GPU evidence that was swapped, left out or put in another order, and asks nothing about it", async () => {
    const { judge, asked } = judgeOf();
    for (const brought of [[two], [one], [two, one], [one, two, one]]) {
      expect(await refusal(judged(brought, boundTo([one, two]), judge))).to.equal(
        "evidence/gpu-binding-digest",
      );
    }
    expect(asked).to.deep.equal([]);
  });

  it("refuses a GPU that was asked with another nonce", async () => {
    const other = gpu.attest(new Uint8Array(32).fill(7));
    expect(await refusal(judged([other]))).to.equal("evidence/gpu-nonce");
  });

  it("refuses one GPU that stands for two", async () => {
    expect(await refusal(judged([one, gpu.attest(NONCE)]))).to.equal("evidence/gpu-distinct");
  });

  it("refuses reports whose measurements or revocation nobody judged", async () => {
    const { judge } = judgeOf({ complete: false });
    expect(await refusal(judged([one], boundTo([one]), judge))).to.equal("evidence/gpu-incomplete");
  });

  it("refuses what is no list of reports", async () => {
    for (const text of ["[]", "{}", '[{"arch":"HOPPER"}]']) {
      expect(await refusal(judgeGpus(text, boundTo([one]), judgeOf().judge))).to.equal(
        "gpu/evidence-malformed",
      );
    }
  });
});
