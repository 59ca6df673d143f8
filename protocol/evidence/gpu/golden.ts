import { equalBytes } from "../../words/bytes.ts";
import { toHex } from "../../words/hex.ts";
import type { Checklist } from "../EvidenceError.ts";
import type { GpuFacts } from "./opaqueData.ts";
import type { SpdmMeasurement } from "./spdm.ts";

/** One reference integrity manifest, verified (`rim/verifyRim.ts`): the values a driver or a VBIOS may have. */
export interface Rim {
  /** Driver or VBIOS version that these values belong to, upper case. */
  readonly version: string;
  /** Index (from 0: SPDM's index less one) → values, each allowed. Only active ones. */
  readonly measurements: ReadonlyMap<number, readonly Uint8Array[]>;
  /** `validFrom ≤ t < validUntil`: intersection of the signer's certificates. */
  readonly validFrom: number;
  readonly validUntil: number;
  readonly root: string;
  readonly simulated: boolean;
}

/** Both are needed: the driver's manifest says nothing of the VBIOS. */
export interface Rims {
  readonly driver: Rim;
  readonly vbios: Rim;
}

/** Measured of the video decoder, and only meaningful while that is on (NVIDIA nvtrust, `is_msr_35_valid`). */
const NVDEC0_INDEX = 35;

/**
 * Each value that a manifest names must be measured, and be one of its alternatives; no index may be in both manifests.
 * Indices that no manifest names are not judged: NVIDIA leaves the unused ones out.
 */
export function requireGolden(
  list: Checklist,
  measurements: readonly SpdmMeasurement[],
  facts: GpuFacts,
  { driver, vbios }: Rims,
): void {
  list.require(
    driver.version === facts.driverVersion.toUpperCase(),
    "gpu-driver-rim",
    "the manifest of this driver",
    {
      expected: facts.driverVersion,
      actual: driver.version,
    },
  );
  list.require(vbios.version === facts.vbiosVersion, "gpu-vbios-rim", "the manifest of this VBIOS", {
    expected: facts.vbiosVersion,
    actual: vbios.version,
  });
  const shared = [...driver.measurements.keys()].filter((index) => vbios.measurements.has(index));
  list.require(shared.length === 0, "gpu-rim-conflict", "manifests that judge different indices", { shared });
  list.require(
    driver.measurements.size > 0 && vbios.measurements.size > 0,
    "gpu-rim-empty",
    "at least one measurement in each manifest",
    { driver: driver.measurements.size, vbios: vbios.measurements.size },
  );
  const measured = new Map(measurements.map(({ index, value }) => [index - 1, value]));
  const mismatches = [...driver.measurements, ...vbios.measurements]
    .filter(([index]) => index !== NVDEC0_INDEX || facts.nvdec0)
    .filter(([index, allowed]) => {
      const value = measured.get(index);
      return value === undefined || !allowed.some((one) => equalBytes(one, value));
    })
    .map(([index]) => ({
      index,
      actual: measured.has(index) ? toHex(measured.get(index) as Uint8Array) : null,
    }));
  list.require(mismatches.length === 0, "gpu-measurements", "measurements that the manifests name", {
    mismatches,
  });
}
