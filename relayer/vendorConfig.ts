import { z } from "zod";

import type { Deployment } from "../protocol/deployment/deployment.ts";
import type { SnpProduct } from "../protocol/evidence/snp/amdRoots.ts";
import type { SnpTcb, TcbFloors } from "../protocol/evidence/snp/snpTcb.ts";
import { AMD_KDS_URL, INTEL_PCS_URL, requireTestRootAllowed, variables } from "./environment.ts";

/** NVIDIA's services for manifests and revocation. */
export const NVIDIA_RIM_URL = "https://rim.attestation.nvidia.com";
export const NVIDIA_OCSP_URL = "https://ocsp.ndis.nvidia.com";

/** Where the vendors' collateral comes from and whose roots count: the same in relayer and signers. */
export interface VendorConfig {
  readonly pcsUrl: string;
  readonly kdsUrl: string;
  readonly rimUrl: string;
  readonly ocspUrl: string;
  /** PEM of a test root in Intel's place; only on development chains, and so are the others. */
  readonly testRootPem: string | undefined;
  readonly amdTestRootPem: string | undefined;
  readonly nitroTestRootPem: string | undefined;
  /** Above GPUs, and above the signers of their manifests. */
  readonly gpuTestRootPem: string | undefined;
  readonly rimTestRootPem: string | undefined;
  /** Lowest firmware versions that are UpToDate, as AMD signs no levels; absent: none. */
  readonly snpFloors: TcbFloors | undefined;
  /** Those to come: looked ahead by, and not judged by. */
  readonly nextSnpFloors: TcbFloors | undefined;
}

const PARTS = { Milan: 4, Genoa: 4, Turin: 5 } as const;
const FLOORS = "expected PRODUCT=BOOTLOADER.TEE.SNP.MICROCODE, for Turin with FMC first; separated by commas";

/** "Milan=4.0.24.219,Turin=1.1.1.4.75" → floors; null where it is not that. */
function parseFloors(text: string): TcbFloors | null {
  const floors: Partial<Record<SnpProduct, SnpTcb>> = {};
  for (const one of text.split(",")) {
    const [product = "", levels = ""] = one.trim().split("=");
    const numbers = levels.split(".").map((level) => (/^\d{1,3}$/.test(level) ? Number(level) : 256));
    if (!Object.hasOwn(PARTS, product) || Object.hasOwn(floors, product)) return null;
    const isTurin = product === "Turin";
    if (numbers.length !== PARTS[product as SnpProduct] || numbers.some((level) => level > 255)) return null;
    const [fmc, bootloader, tee, snp, microcode] = (isTurin ? numbers : [0, ...numbers]) as FiveLevels;
    floors[product as SnpProduct] = { fmc, bootloader, tee, snp, microcode };
  }
  return floors;
}

type FiveLevels = [fmc: number, bootloader: number, tee: number, snp: number, microcode: number];

const floorsVariable = z.string().transform((text, context): TcbFloors => {
  const floors = parseFloors(text);
  if (floors !== null) return floors;
  context.addIssue({ code: "custom", message: FLOORS });
  return z.NEVER;
});

/** The variables, to be spread into a program's schema. */
export const vendorVariables = {
  CHARTER_PCS_URL: variables.url.default(INTEL_PCS_URL),
  CHARTER_KDS_URL: variables.url.default(AMD_KDS_URL),
  CHARTER_RIM_URL: variables.url.default(NVIDIA_RIM_URL),
  CHARTER_OCSP_URL: variables.url.default(NVIDIA_OCSP_URL),
  CHARTER_TEST_ROOT: variables.pemFile.optional(),
  CHARTER_AMD_TEST_ROOT: variables.pemFile.optional(),
  CHARTER_NITRO_TEST_ROOT: variables.pemFile.optional(),
  CHARTER_GPU_TEST_ROOT: variables.pemFile.optional(),
  CHARTER_RIM_TEST_ROOT: variables.pemFile.optional(),
  CHARTER_SNP_TCB_FLOORS: floorsVariable.optional(),
  CHARTER_SNP_NEXT_TCB_FLOORS: floorsVariable.optional(),
} as const;

type ReadVariables = z.output<z.ZodObject<typeof vendorVariables>>;

/** What a program read of them. @throws CharterError `config/test-root-refused`. */
export function vendorsOf(read: ReadVariables, deployment: Deployment): VendorConfig {
  const config = {
    pcsUrl: read.CHARTER_PCS_URL,
    kdsUrl: read.CHARTER_KDS_URL,
    rimUrl: read.CHARTER_RIM_URL,
    ocspUrl: read.CHARTER_OCSP_URL,
    testRootPem: read.CHARTER_TEST_ROOT,
    amdTestRootPem: read.CHARTER_AMD_TEST_ROOT,
    nitroTestRootPem: read.CHARTER_NITRO_TEST_ROOT,
    gpuTestRootPem: read.CHARTER_GPU_TEST_ROOT,
    rimTestRootPem: read.CHARTER_RIM_TEST_ROOT,
    snpFloors: read.CHARTER_SNP_TCB_FLOORS,
    nextSnpFloors: read.CHARTER_SNP_NEXT_TCB_FLOORS,
  };
  const { testRootPem, amdTestRootPem, nitroTestRootPem, gpuTestRootPem, rimTestRootPem } = config;
  for (const pem of [testRootPem, amdTestRootPem, nitroTestRootPem, gpuTestRootPem, rimTestRootPem]) {
    requireTestRootAllowed(pem, deployment);
  }
  return config;
}
