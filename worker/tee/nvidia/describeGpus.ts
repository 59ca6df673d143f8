import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import type { GpuEvidence } from "../../../protocol/evidence/gpu/gpuEvidence.ts";
import { parseOpaqueData, type GpuFacts } from "../../../protocol/evidence/gpu/opaqueData.ts";
import { parseSpdmReport } from "../../../protocol/evidence/gpu/spdm.ts";
import type { NodeReport } from "../../../protocol/session/nodeReport.ts";
import { toHex, type Bytes32 } from "../../../protocol/words/hex.ts";
import { collectGpuEvidence } from "./collectGpuEvidence.ts";

type DescribedGpu = NodeReport["gpus"][number];

/** The driver's line, e.g. `Model: \t\t NVIDIA H100 PCIe`. */
const MODEL = /^Model:\s*([ -~]{1,128}?)\s*$/m;
const MAX_GPUS = 16;

/** Each GPU that NVIDIA's driver shows under `devices` (/proc/driver/nvidia/gpus): its model, and nothing else yet. */
export async function shownGpus(devices: string): Promise<DescribedGpu[]> {
  const slots = (await readdir(devices)).sort().slice(0, MAX_GPUS);
  return Promise.all(
    slots.map(async (slot) => {
      const text = await readFile(join(devices, slot, "information"), "utf8").catch(() => "");
      return { model: MODEL.exec(text)?.[1] ?? null, arch: null, driver: null, mode: null };
    }),
  );
}

/**
 * The same with what each GPU says of itself in evidence over a nonce that is used for nothing else. It is read here, not
 * verified: a report is the node's own word anyway. A model is told where all have one, as evidence names no slot.
 * @throws CharterError of `collectGpuEvidence`.
 */
export async function describeGpus(devices: string, program?: string): Promise<DescribedGpu[]> {
  const models = new Set((await shownGpus(devices)).map(({ model }) => model));
  const [model = null] = models.size === 1 ? models : [];
  const { gpus } = await collectGpuEvidence(toHex(randomBytes(32)) as Bytes32, program);
  return gpus.map((one) => {
    const facts = factsOf(one);
    return {
      model,
      arch: one.arch,
      driver: facts?.driverVersion ?? one.driverVersion ?? null,
      mode: facts?.mode ?? null,
    };
  });
}

function factsOf({ report }: GpuEvidence): GpuFacts | null {
  try {
    return parseOpaqueData(parseSpdmReport(report).opaqueData);
  } catch (error) {
    if (isCharterError(error)) return null; // Of a form that this program does not read: nothing is said of it.
    throw error;
  }
}
