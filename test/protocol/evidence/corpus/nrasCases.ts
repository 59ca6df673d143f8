import { gpuEvidenceDigest, nrasTokenDigest } from "../../../../protocol/evidence/gpu/gpuEvidence.ts";
import { concatBytes } from "../../../../protocol/words/bytes.ts";
import { fromHex, type Bytes32 } from "../../../../protocol/words/hex.ts";
import { EAT_ISSUER, eatKeys, makeEat, type EatOptions } from "../../../../worker/tee/simulator/gpu/eat.ts";
import { SimulatedGpu } from "../../../../worker/tee/simulator/gpu/SimulatedGpu.ts";
import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import { SimulatedTdx } from "../../../../worker/tee/simulator/SimulatedTdx.ts";
import * as gpu from "../gpu/simulatedGpu.ts";
import * as intel from "../simulated.ts";
import { base64 } from "./caseFiles.ts";
import type { EvidenceCase } from "./runCase.ts";

const nras = { keys: eatKeys(gpu.pki), issuer: EAT_ISSUER };
const token = (options: Partial<EatOptions> = {}): string =>
  makeEat(gpu.pki, { nonce: gpu.NONCE, at: gpu.AT, ...options });

/** Tokens of NVIDIA's service: jose checks them in the browser too. */
export function nrasCases(): EvidenceCase[] {
  const base = { at: gpu.AT, reportData: gpu.NONCE_HEX, nras };
  const file = (options: Partial<EatOptions> = {}) => base64(token(options));
  const key = deriveKey(gpu.pki.secret, "somebody", "P-384");
  const { reportData: _none, ...unasked } = base;
  return [
    { ...base, name: "a token of two GPUs", file: file({ gpus: 2 }), expected: "accepted" },
    { ...base, name: "a token by another key", file: file({ key }), expected: "gpu-eat-signature" },
    {
      ...base,
      name: "a token of another issuer",
      file: file({ issuer: "https://a" }),
      expected: "gpu-eat-issuer",
    },
    { ...base, name: "a token too late", file: file(), at: gpu.AT + 3600, expected: "validity" },
    {
      ...base,
      name: "a token in devtools mode",
      file: file({ devTools: true }),
      expected: "gpu-overall-result",
    },
    {
      ...base,
      name: "a token with a digest of another",
      file: base64(swapped()),
      expected: "gpu-eat-digests",
    },
    { ...unasked, name: "a token that nobody asked for", file: file(), expected: "nonce-missing" },
  ];
}

/** The overall token of one bundle above the detached tokens of another. */
function swapped(): string {
  const [[type, overall]] = JSON.parse(token()) as [[string, string], unknown];
  const [, detached] = JSON.parse(token({ claims: { oemid: "1" } })) as [unknown, unknown];
  return JSON.stringify([[type, overall], detached]);
}

/** Quotes whose guest vouches for GPU evidence. */
export async function gpuClaimCases(): Promise<EvidenceCase[]> {
  const evidence = gpu.gpu.attest(gpu.NONCE);
  const reports = base64(SimulatedGpu.serialize([evidence]));
  const text = token();
  const base = {
    at: intel.AT + 1,
    roots: [intel.pki.file.root, gpu.pki.root],
    collateral: intel.issued(),
    nras,
  };
  const quoteOver = async (digest: Bytes32): Promise<string> => {
    const { quote } = await new SimulatedTdx(intel.platform).quote(concatBytes(gpu.NONCE, fromHex(digest)));
    return base64(quote);
  };
  const file = await quoteOver(gpuEvidenceDigest([evidence]));
  return [
    { ...base, name: "a TD that vouches for a GPU", file, gpu: reports, expected: "accepted" },
    {
      ...base,
      name: "a TD that vouches for a token",
      file: await quoteOver(nrasTokenDigest(text)),
      gpu: base64(text),
      expected: "accepted",
    },
    {
      ...base,
      name: "a TD that vouches for another GPU",
      file,
      gpu: base64(text),
      expected: "gpu-binding-digest",
    },
    { ...base, name: "a quote beside a quote", file, gpu: file, expected: "kind-unsupported" },
  ];
}
