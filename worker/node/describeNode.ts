import { statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";

import type { NodeReport } from "../../protocol/session/nodeReport.ts";
import { findCompose } from "../guest/compose/findCompose.ts";
import { commandsOf } from "../guest/compose/runCommand.ts";
import { reported } from "../guest/state.ts";
import { detectSources, type DetectedSource } from "../tee/detectSources.ts";
import { describeGpus, shownGpus } from "../tee/nvidia/describeGpus.ts";
import type { NodeConfig } from "./config.ts";

const MB = 1_048_576;
/** Less than this share of the disk free is trouble to come… */
const LEAST_FREE = 0.1;
/** …and with less than this the images and volumes of one more guest do not fit. */
const LEAST_FREE_MB = 2_048;

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

/** What of it runs: how many guests, and which apps' slots it has taken on (null before it knows). */
export interface RunningGuests {
  readonly guests: number;
  readonly apps: NodeReport["apps"];
}

/** What this machine has and what ails it, as it tells relayers. `workdir` must exist. Changes nothing. */
export async function describeNode(config: Described, { guests, apps }: RunningGuests): Promise<NodeReport> {
  const { blocks, bavail, bsize } = await statfs(config.workdir);
  const detected = await detectSources(config.places);
  const trouble: NodeReport["trouble"] = [];
  const gpus = await gpusOf(config, detected, trouble);
  const diskFreeMb = Math.floor((bavail * bsize) / MB);
  const isBlocking = diskFreeMb < LEAST_FREE_MB;
  if (isBlocking || bavail / blocks < LEAST_FREE) {
    const percent = Math.floor((100 * bavail) / blocks);
    trouble.push({
      code: "disk-nearly-full",
      note: `${percent} % (${diskFreeMb} MB) of the disk of the guests' files are free`,
      isBlocking,
    });
  }
  const engine = await engineTrouble(config);
  if (engine !== null) {
    // Without one, "auto" runs guests dry: a development machine is not closed for that.
    const isNeeded = config.runtime === "docker";
    trouble.push({ code: "engine-silent", note: engine.slice(0, 500), isBlocking: isNeeded });
  }
  return {
    capacity: {
      cpus: availableParallelism(),
      memoryMb: Math.floor(totalmem() / MB),
      diskMb: Math.floor((blocks * bsize) / MB),
      diskFreeMb,
      maxGuests: config.maxGuests ?? null,
    },
    guests,
    apps,
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

/** Each GPU that the driver shows; with what its evidence says where it is asked for and the collector answers. */
async function gpusOf(
  { gpu, evidence, places }: Described,
  detected: readonly DetectedSource[],
  trouble: NodeReport["trouble"],
): Promise<NodeReport["gpus"]> {
  const at = detected.find(({ name }) => name === "nvidia")?.at ?? null;
  if (at === null) return [];
  if (!gpu || evidence !== "machine") return shownGpus(at);
  try {
    return await describeGpus(at, places?.nvattest);
  } catch (error) {
    // Apps without a GPU run on: what asks for one is refused by its own guest.
    trouble.push({ code: "gpu-silent", note: reported(error).message.slice(0, 500), isBlocking: false });
    return shownGpus(at);
  }
}

async function engineTrouble({ runtime, driver, engineSocket, workdir }: Described): Promise<string | null> {
  if (runtime === "dry" || driver !== "process") return null;
  const compose = await findCompose(workdir, commandsOf(engineSocket));
  return typeof compose === "string" ? compose : null;
}
