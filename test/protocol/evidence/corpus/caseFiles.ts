import type { CollateralMessage } from "../../../../protocol/evidence/dcap/collateral.ts";
import { clock, hasVectors, vector, vectorJson } from "../../../support/vectors.ts";
import type { EvidenceCase } from "./runCase.ts";

export const base64 = (file: Uint8Array | string): string => Buffer.from(file).toString("base64");

/** Real evidence under the vendors' own roots, with Intel's collateral where it lies beside; none where absent. */
export function realCase(path: string, at: string, expected = "accepted"): EvidenceCase[] {
  if (!hasVectors) return [];
  const beside = path.replace(/[^/]+$/, "collateral.json");
  const isIntel = /^(?:tdx|sgx)\//.test(path);
  return [
    {
      name: path,
      file: base64(vector(path)),
      ...(isIntel ? { collateral: vectorJson(beside) as CollateralMessage } : {}),
      at: clock(at),
      expected,
    },
  ];
}
