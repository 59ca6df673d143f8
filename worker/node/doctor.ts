import { reported } from "../guest/state.ts";
import { findCompose } from "../guest/compose/findCompose.ts";
import { commandsOf } from "../guest/compose/runCommand.ts";
import { chainOf } from "../session/pinnedChain.ts";
import { RelayerClient } from "../session/RelayerClient.ts";
import { SimulatorKeys } from "../keys/SimulatorKeys.ts";
import { requireKeySource } from "../keys/requireKeySource.ts";
import { gocryptfsMissing } from "../storage/gocryptfs.ts";
import { detectSources, type DetectedSource } from "../tee/detectSources.ts";
import { openMachineSource } from "../tee/openMachineSource.ts";
import { requirePlatform } from "../tee/requirePlatform.ts";
import type { NodeConfig } from "./config.ts";
import { VmmClient } from "./drivers/vmm/VmmClient.ts";
import { examineHardware } from "./examineHardware.ts";
import { pinnedOf } from "./pinned.ts";

/** One thing that was looked at. `ok: false` keeps the node from running apps; a note alone does not. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly note: string;
}

/** Looks at everything that this node needs, and changes nothing. */
export async function examine(config: NodeConfig): Promise<Finding[]> {
  const findings: Finding[] = [await examineSource(config)];
  const detected = await detectSources(config.places);
  findings.push(...(await examineHardware(config, detected)));
  const keys = keysOf(config, detected);
  findings.push(keys);
  const noVolume = await gocryptfsMissing();
  const storage = noVolume === null ? "gocryptfs" : `no encrypted volume: ${noVolume}`;
  findings.push({ what: "storage", ok: true, note: storage });
  const compose =
    config.runtime === "dry"
      ? "the configuration says dry"
      : await findCompose(process.cwd(), commandsOf(config.engineSocket));
  const note = typeof compose === "string" ? `dry: ${compose}` : compose.join(" ");
  findings.push({ what: "containers", ok: true, note });
  if (config.driver === "dstack-vmm" && config.vmm !== undefined) findings.push(await examineVmm(config.vmm));
  for (const url of config.relayerUrls) {
    try {
      const { finalized } = await chainOf(new RelayerClient(url, 5_000), pinnedOf(config.deployment));
      findings.push({ what: `relayer ${url}`, ok: true, note: `final block ${finalized.number}` });
    } catch (error) {
      findings.push({ what: `relayer ${url}`, ok: false, note: reported(error).message });
    }
  }
  return findings;
}

async function examineSource(config: NodeConfig): Promise<Finding> {
  const what = "evidence source";
  if (!config.registers) return { what, ok: true, note: "elsewhere: a TD of this machine registers it" };
  try {
    const source = await openMachineSource({ ...config, gpu: false }, config.deployment.chainId);
    const platformId = requirePlatform(source);
    const { kind, simulated } = source;
    return { what, ok: true, note: `${kind}${simulated ? " (simulated)" : ""}, platform ${platformId}` };
  } catch (error) {
    return { what, ok: false, note: reported(error).message };
  }
}

async function examineVmm({ url, image }: NonNullable<NodeConfig["vmm"]>): Promise<Finding> {
  const what = `dstack-vmm ${url}`;
  try {
    const images = await new VmmClient(url, 5_000).images();
    if (images.includes(image)) return { what, ok: true, note: `answers, and has the image ${image}` };
    return { what, ok: false, note: `has no image ${image}; it has ${images.join(", ") || "none"}` };
  } catch (error) {
    return { what, ok: false, note: reported(error).message };
  }
}

/** Having none keeps no node from running apps: it keeps those away that ask for something that survives. */
function keysOf(config: NodeConfig, detected: readonly DetectedSource[]): Finding {
  const what = "keys that survive a guest";
  if (detected.some(({ name, at }) => name === "dstack" && at !== null)) {
    return { what, ok: true, note: "dstack GetKey, for the app that dstack started" };
  }
  try {
    if (config.evidence === "machine" || config.simulatorDir === undefined) throw new Error("no simulator");
    const { name } = new SimulatorKeys(config.simulatorDir, config.deployment.chainId);
    return {
      what,
      ok: true,
      note: `${name}: development chains only, and whoever reads its directory has them`,
    };
  } catch {
    const here = detected.find(({ at, name }) => at !== null && name !== "nvidia")?.name;
    return { what, ok: true, note: `none: ${reasonOf(here)}` };
  }
}

function reasonOf(here: DetectedSource["name"] | undefined): string {
  try {
    return requireKeySource(null, here).name;
  } catch (error) {
    return String(reported(error).details.reason);
  }
}
