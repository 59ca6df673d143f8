import { gpuCases } from "./gpuCases.ts";
import { intelCases } from "./intelCases.ts";
import { gpuClaimCases, nrasCases } from "./nrasCases.ts";
import { nitroCases } from "./nitroCases.ts";
import { snpCases } from "./snpCases.ts";
import type { EvidenceCase } from "./runCase.ts";

/** Every kind, every outcome: run in Node on both seams, and in a browser against the bundle. */
export const corpus = async (): Promise<EvidenceCase[]> => [
  ...(await intelCases()),
  ...snpCases(),
  ...nitroCases(),
  ...gpuCases(),
  ...nrasCases(),
  ...(await gpuClaimCases()),
];
