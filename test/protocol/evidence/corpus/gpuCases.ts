import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import { SimulatedGpu, type GpuDefects } from "../../../../worker/tee/simulator/gpu/SimulatedGpu.ts";
import { AT, gpu, NONCE, NONCE_HEX, pki } from "../gpu/simulatedGpu.ts";
import { base64, realCase } from "./caseFiles.ts";
import type { EvidenceCase } from "./runCase.ts";

/** GPU reports: what passes, and one case of each thing that must not. */
export function gpuCases(): EvidenceCase[] {
  const file = (defects: GpuDefects = {}) => base64(SimulatedGpu.serialize([gpu.attest(NONCE, defects)]));
  const base = { at: AT, roots: [pki.root], reportData: NONCE_HEX };
  return [
    { ...base, name: "a GPU's report", file: file(), expected: "accepted" },
    { ...base, name: "a GPU under its vendor's root only", file: file(), roots: [], expected: "root-pinned" },
    {
      ...base,
      name: "a GPU's report by another key",
      file: file({ key: deriveKey(pki.secret, "somebody", "P-384") }),
      expected: "gpu-signature",
    },
    {
      ...base,
      name: "another nonce",
      file: file(),
      reportData: `0x${"00".repeat(32)}`,
      expected: "gpu-nonce",
    },
    {
      ...base,
      name: "opaque data cut",
      file: file({ truncatedOpaqueData: true }),
      expected: "gpu-opaque-format",
    },
    { ...base, name: "confidential mode off", file: file({ ccOff: true }), expected: "gpu-opaque-format" },
    ...realCase("gpu/hopper-evidence.json", "2026-01-01T00:00:00Z"),
    ...realCase("gpu/hopper-evidence-cert-hold.json", "2026-01-01T00:00:00Z"),
  ];
}
