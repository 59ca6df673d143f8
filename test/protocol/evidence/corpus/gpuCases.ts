import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import { SimulatedGpu, type GpuDefects } from "../../../../worker/tee/simulator/gpu/SimulatedGpu.ts";
import { makeRim } from "../../../../worker/tee/simulator/gpu/rim.ts";
import { gpuResponses, response, rimResponses } from "../gpu/simulatedOcsp.ts";
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
    ...judgedCases(base, file),
    ...realCase("gpu/hopper-evidence.json", "2026-01-01T00:00:00Z"),
    ...realCase("gpu/hopper-evidence-cert-hold.json", "2026-01-01T00:00:00Z"),
  ];
}

const rims = (driverVersion?: string) => ({
  driver: makeRim(pki, { kind: "driver", ...(driverVersion ? { version: driverVersion } : {}) }),
  vbios: makeRim(pki, { kind: "vbios" }),
});

/** Reports that manifests and OCSP answers judge: the XML signature is verified in the browser too. */
function judgedCases(
  of: Pick<EvidenceCase, "at" | "reportData">,
  file: (defects?: GpuDefects) => string,
): EvidenceCase[] {
  const base = { ...of, roots: [pki.root, pki.rimRoot], file: file(), rims: rims() };
  const good = [...gpuResponses(), ...rimResponses()].map(base64);
  const driver = base.rims.driver;
  return [
    { ...base, name: "a GPU by its manifests", expected: "accepted" },
    { ...base, name: "a GPU by manifests and answers", ocsp: good, expected: "accepted" },
    {
      ...base,
      name: "a developer's GPU firmware",
      file: file({ devTools: true }),
      expected: "gpu-measurements",
    },
    { ...base, name: "another driver's manifest", rims: rims("1.2"), expected: "gpu-driver-rim" },
    {
      ...base,
      name: "a manifest with a value changed",
      rims: { ...base.rims, driver: driver.replace('Hash0="ee', 'Hash0="ef') },
      expected: "rim-digest",
    },
    {
      ...base,
      name: "a manifest with a document type",
      rims: { ...base.rims, driver: driver.replace("?>\n", '?>\n<!DOCTYPE a [<!ENTITY b "c">]>\n') },
      expected: "rim-format",
    },
    {
      ...base,
      name: "manifests under the device's root alone",
      roots: [pki.root],
      expected: "root-pinned",
    },
    {
      ...base,
      name: "a revoked GPU",
      ocsp: [...gpuResponses("revoked"), ...rimResponses()].map(base64),
      expected: "gpu-revoked",
    },
    {
      ...base,
      name: "a signer of manifests on hold",
      ocsp: [...gpuResponses(), ...rimResponses("hold")].map(base64),
      expected: "gpu-revoked",
    },
    {
      ...base,
      name: "an answer that somebody else signed",
      ocsp: [base64(response({ key: deriveKey(pki.secret, "somebody", "P-384") })), ...good],
      expected: "ocsp-signature",
    },
    { ...base, name: "answers that have ended", ocsp: good, at: AT + 2 * 86_400, expected: "ocsp-validity" },
  ];
}
