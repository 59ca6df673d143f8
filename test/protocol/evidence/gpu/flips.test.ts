import { hash } from "node:crypto";

import { expect } from "chai";

import type { Crypto } from "../../../../protocol/crypto/crypto.ts";
import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import type { TrustedRoot } from "../../../../protocol/evidence/chain/roots.ts";
import { parseGpuEvidence, type GpuEvidence } from "../../../../protocol/evidence/gpu/gpuEvidence.ts";
import { NVIDIA_DEVICE_ROOT } from "../../../../protocol/evidence/gpu/nvidiaRoots.ts";
import { verifyGpu } from "../../../../protocol/evidence/gpu/verifyGpu.ts";
import { clock, hasVectors, vector } from "../../../support/vectors.ts";
import { failedCheck } from "../simulated.ts";
import { AT, gpu, NONCE, root } from "./simulatedGpu.ts";

/**
 * Answers of the crypto seam are functions of its arguments, and a flip changes the arguments of one or two of six: the
 * others are looked up.
 */
function remembering(crypto: Crypto): Crypto {
  const answers = new Map<string, Promise<boolean>>();
  return {
    verify(scheme, publicKey, message, signature) {
      const key = hash("sha256", Buffer.concat([publicKey, Buffer.from(scheme), signature, message]));
      const answer = answers.get(key) ?? crypto.verify(scheme, publicKey, message, signature);
      answers.set(key, answer);
      return answer;
    },
    digest: (algorithm, bytes) => crypto.digest(algorithm, bytes),
  };
}

interface Case {
  readonly evidence: GpuEvidence;
  readonly at: number;
  readonly root: TrustedRoot;
}

/**
 * No byte of a report lies outside of what is signed or is the signature. Of a chain, only white space between the
 * base64 of a block, and around blocks, is neither signed nor read.
 */
const UNSIGNED_REPORT_RANGES: readonly (readonly [from: number, to: number])[] = [];
const isUnsignedChainByte = (byte: number): boolean => byte === 0x0a || byte === 0x0d || byte === 0x20;

const REPORT_CHECKS = ["gpu-report-format", "gpu-opaque-format", "gpu-signature"];
const CHAIN_CHECKS = [
  "gpu-chain",
  "gpu-firmware-extension",
  "root-pinned",
  "gpu-chain-signatures",
  "gpu-signature",
];

const simulatedCase = (): Case => ({ evidence: gpu.attest(NONCE), at: AT, root });

function realCase(): Case {
  const [evidence] = parseGpuEvidence(vector("gpu/hopper-evidence.json").toString("utf8"));
  if (!evidence) throw new Error("expected one GPU");
  return { evidence, at: clock("2026-01-01T00:00:00Z"), root: NVIDIA_DEVICE_ROOT };
}

function suite(name: string, load: () => Case, isReal: boolean): void {
  (isReal && !hasVectors ? describe.skip : describe)(`a flipped byte of ${name}`, () => {
    const crypto = remembering(nodeCrypto);
    let c: Case;
    before(() => {
      c = load();
    });
    const refusedBy = (changes: Partial<GpuEvidence>): Promise<string> => {
      const { evidence, at, root: trusted } = c;
      const options = { at, crypto, nonce: evidence.nonce, roots: [trusted] };
      return failedCheck(verifyGpu({ ...evidence, ...changes }, options));
    };

    it("changes what would pass", async () => {
      expect(await refusedBy({})).to.equal("none");
    });

    it(`in any place of the report fails ${REPORT_CHECKS.join(" or ")}`, async () => {
      const { report } = c.evidence;
      for (let offset = 0; offset < report.length; offset++) {
        if (UNSIGNED_REPORT_RANGES.some(([from, to]) => from <= offset && offset < to)) continue;
        const flipped = Uint8Array.from(report);
        flipped[offset] = (flipped[offset] as number) ^ 1;
        expect(REPORT_CHECKS, `byte ${offset}`).to.include(await refusedBy({ report: flipped }));
      }
    }).timeout(300_000);

    it(`in any place of the certificates fails ${CHAIN_CHECKS.join(" or ")}`, async () => {
      const bytes = new TextEncoder().encode(c.evidence.certificates);
      for (let offset = 0; offset < bytes.length; offset++) {
        if (isUnsignedChainByte(bytes[offset] as number)) continue;
        const flipped = Uint8Array.from(bytes);
        flipped[offset] = (flipped[offset] as number) ^ 1;
        const certificates = new TextDecoder().decode(flipped);
        expect(CHAIN_CHECKS, `byte ${offset}`).to.include(await refusedBy({ certificates }));
      }
    }).timeout(300_000);
  });
}

suite("a simulated GPU's evidence", simulatedCase, false);
suite("a real GPU's evidence", realCase, true);
