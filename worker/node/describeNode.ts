import { readdir, statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { randomBytes } from "node:crypto";

import type { NodeReport } from "../../protocol/session/nodeReport.ts";
import { toHex, type Bytes32 } from "../../protocol/words/hex.ts";
import { findCompose } from "../guest/compose/findCompose.ts";
import { commandsOf } from "../guest/compose/runCommand.ts";
import { reported } from "../guest/state.ts";
import { detectSources, type DetectedSource } from "../tee/detectSources.ts";
import { collectGpuEvidence } from "../tee/nvidia/collectGpuEvidence.ts";
import type { NodeConfig } from "./config.ts";

const MB = 1_048_576;
/** Less than this share of the disk free is trouble: images and volumes of one more guest may not fit. */
const LEAST_FREE = 0.1;

const KINDS = {
  dstack: { kind: "tdx", source: "dstack" },
  "tsm-tdx": { kind: "tdx", source: "tsm" },
  "tsm-snp": { kind: "snp", source: "tsm" },
  nitro: { kind: "nitro", source: "nsm" },
} as const;

type Described = Pick<
  NodeConfig,
  "evidence" | "tee" | "gpu" | "places" | "workdir" | "maxGuests" | "runtime" | "driver" | "engineSocket"
>;

/** What this machine has and what ails it, as it tells relayers. `workdir` must exist. Changes nothing. */
export async function describeNode(config: Described, guests: number): Promise<NodeReport> {
  const { blocks, bavail, bsize } = await statfs(config.workdir);
  const detected = await detectSources(config.places);
  const trouble: NodeReport["trouble"] = [];
  const gpus = await gpusOf(config, detected, trouble);
  if (bavail / blocks < LEAST_FREE) {
    const percent = Math.floor((100 * bavail) / blocks);
    trouble.push({
      code: "disk-nearly-full",
      note: `${percent} % of the disk of the guests' files are free`,
    });
  }
  const engine = await engineTrouble(config);
  if (engine !== null) trouble.push({ code: "engine-silent", note: engine.slice(0, 500) });
  return {
    capacity: {
      cpus: availableParallelism(),
      memoryMb: Math.floor(totalmem() / MB),
      diskMb: Math.floor((blocks * bsize) / MB),
      diskFreeMb: Math.floor((bavail * bsize) / MB),
      maxGuests: config.maxGuests ?? null,
    },
    guests,
    tees: teesOf(config, detected),
    gpus,
    trouble,
  };
}

function teesOf({ evidence, tee }: Described, detected: readonly DetectedSource[]): NodeReport["tees"] {
  const simulated =
    evidence === "simulator" ? [{ kind: tee, source: "simulator", isUsable: true } as const] : [];
  const found = detected.flatMap(({ name, at, isUsable }) =>
    name === "nvidia" || at === null ? [] : [{ ...KINDS[name], isUsable }],
  );
  return [...simulated, ...found];
}

/** Each GPU that the driver shows; with its architecture where it is asked for and the collector answers. */
async function gpusOf(
  { gpu, evidence, places }: Described,
  detected: readonly DetectedSource[],
  trouble: NodeReport["trouble"],
): Promise<NodeReport["gpus"]> {
  const at = detected.find(({ name }) => name === "nvidia")?.at ?? null;
  if (at === null) return [];
  const shown = (await readdir(at)).slice(0, 16).map(() => ({ arch: null, driver: null }));
  if (!gpu || evidence !== "machine") return shown;
  try {
    const { gpus } = await collectGpuEvidence(toHex(randomBytes(32)) as Bytes32, places?.nvattest);
    return gpus.map(({ arch, driverVersion }) => ({ arch, driver: driverVersion ?? null }));
  } catch (error) {
    trouble.push({ code: "gpu-silent", note: reported(error).message });
    return shown;
  }
}

async function engineTrouble({ runtime, driver, engineSocket, workdir }: Described): Promise<string | null> {
  if (runtime === "dry" || driver !== "process") return null;
  const compose = await findCompose(workdir, commandsOf(engineSocket));
  return typeof compose === "string" ? compose : null;
}
