import { constants } from "node:fs";
import { access } from "node:fs/promises";

import { gpuText } from "../../protocol/session/nodeReportText.ts";
import { reported } from "../guest/state.ts";
import type { DetectedSource } from "../tee/detectSources.ts";
import { describeGpus } from "../tee/nvidia/describeGpus.ts";
import { openDetected, type MachineConfig } from "../tee/openMachineSource.ts";
import { RTMR3_FILE } from "../tee/tsm/TsmTdx.ts";
import type { Finding } from "./doctor.ts";

/**
 * Each kind of hardware by its name: whether it is here, whether it answers, and why it is or is not used. A row fails where
 * the configuration depends on it: evidence of the machine with nothing better that is usable, or a GPU that is asked for.
 */
export async function examineHardware(
  config: MachineConfig,
  detected: readonly DetectedSource[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  let isFound = false;
  for (const one of detected) {
    const what = `hardware ${one.name}`;
    if (one.name === "nvidia") {
      findings.push({ what, ...(await examineGpu(config, one)) });
      continue;
    }
    if (one.at === null) {
      findings.push({ what, ok: true, note: "not here" });
      continue;
    }
    const problem = await problemOf({ ...one, at: one.at }, config);
    const isNeeded = config.evidence === "machine" && !isFound;
    const found = `found at ${one.at} (${one.gives})`;
    if (problem !== null) {
      findings.push({ what, ok: !isNeeded, note: `${found}; not usable: ${problem}` });
      continue;
    }
    findings.push({ what, ok: true, note: `${found}; usable, ${useOf(config, isFound)}` });
    isFound = true;
  }
  return findings;
}

function useOf({ evidence }: MachineConfig, isFound: boolean): string {
  if (evidence === "simulator") return 'not used: the configuration says evidence "simulator"';
  return isFound ? "not used: a better source is here" : "used";
}

/** Why a source that was found gives no evidence; null where it gives some. */
async function problemOf(
  one: { readonly name: DetectedSource["name"]; readonly at: string },
  config: MachineConfig,
): Promise<string | null> {
  try {
    await openDetected(one, config);
  } catch (error) {
    return said(error);
  }
  if (one.name !== "tsm-tdx") return null;
  const rtmr3File = config.places?.rtmr3File ?? RTMR3_FILE;
  return access(rtmr3File, constants.W_OK).then(
    () => null,
    () => `RTMR3 cannot be extended at ${rtmr3File} (Linux 6.16 and later have it)`,
  );
}

/** Asks every GPU. */
async function examineGpu(
  config: MachineConfig,
  { at, gives }: DetectedSource,
): Promise<Pick<Finding, "ok" | "note">> {
  const isAsked = config.gpu === true && config.evidence === "machine";
  if (at === null) {
    return isAsked ? { ok: false, note: "not here, and the configuration asks for a GPU" } : NOT_HERE;
  }
  const found = `found at ${at} (${gives})`;
  try {
    const gpus = await describeGpus(at, config.places?.nvattest);
    const use = isAsked ? "used" : "not used: the configuration does not ask for a GPU";
    return { ok: true, note: `${found}; nvattest answers for ${gpus.map(gpuText).join(", ")}; ${use}` };
  } catch (error) {
    return { ok: !isAsked, note: `${found}; not usable: ${said(error)}` };
  }
}

const NOT_HERE = { ok: true, note: "not here" } as const;

/** The message of a refusal with its details, for people. */
function said(error: unknown): string {
  const { code, message, details } = reported(error);
  const more = Object.entries(details ?? {}).map(
    ([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return `${message} [${code}${more.length === 0 ? "" : `; ${more.join(", ")}`}]`;
}
