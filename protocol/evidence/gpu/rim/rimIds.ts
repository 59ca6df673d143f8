import { EvidenceError } from "../../EvidenceError.ts";
import type { GpuVerification } from "../verifyGpu.ts";

export interface RimIds {
  readonly driver: string;
  readonly vbios: string;
}

/**
 * What NVIDIA's RIM service names the manifests of a GPU by (NVIDIA RIM service, "RIM ID Naming Convention"). Of a
 * Blackwell chip the driver's manifest for confidential mode has a name of its own: under Hopper's form another driver's
 * manifest is served, which would not match.
 * @throws EvidenceError `evidence/gpu-rim-id` where the report does not name its board.
 */
export function rimIds({
  arch,
  hwModel,
  facts,
}: Pick<GpuVerification, "arch" | "hwModel" | "facts">): RimIds {
  const { driverVersion, vbiosVersion, project, projectSku, chipSku } = facts;
  if (project === null || projectSku === null || chipSku === null) {
    throw new EvidenceError("gpu-rim-id", "expected a report that names its board, to know its manifest by", {
      project,
      projectSku,
      chipSku,
    });
  }
  const chip = facts.chip ?? hwModel.split(" ", 1)[0];
  const family = arch === "HOPPER" ? "NV_GPU_DRIVER" : "NV_GPU_CC_DRIVER";
  const board = [project, projectSku, chipSku, vbiosVersion.replaceAll(".", "")].join("_").toUpperCase();
  return { driver: `${family}_${chip}_${driverVersion}`, vbios: `NV_GPU_VBIOS_${board}` };
}
