import { resolve } from "node:path";

import { outlookText } from "../../protocol/session/nodeReportText.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { reported } from "../guest/state.ts";
import { findCompose } from "../guest/compose/findCompose.ts";
import { commandsOf } from "../guest/compose/runCommand.ts";
import { chainOf } from "../session/pinnedChain.ts";
import { RelayerClient } from "../session/RelayerClient.ts";
import type { KeySource } from "../keys/KeySource.ts";
import { openKeySource } from "../keys/openKeySource.ts";
import { requireKeySource } from "../keys/requireKeySource.ts";
import { examineStorage } from "../storage/chooseStorage.ts";
import { STORAGE_KINDS } from "../storage/Volume.ts";
import { detectSources } from "../tee/detectSources.ts";
import { openMachineSource } from "../tee/openMachineSource.ts";
import { requirePlatform } from "../tee/requirePlatform.ts";
import type { NodeConfig } from "./config.ts";
import { VmmClient } from "./drivers/vmm/VmmClient.ts";
import { examineHardware } from "./examineHardware.ts";
import { nodeKeyIfMade } from "./nodeKey.ts";
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
  findings.push(await examineKeys(config));
  findings.push(await storageOf(config));
  const compose =
    config.runtime === "dry"
      ? "the configuration says dry"
      : await findCompose(process.cwd(), commandsOf(config.engineSocket));
  const note = typeof compose === "string" ? `dry: ${compose}` : compose.join(" ");
  findings.push({ what: "containers", ok: true, note });
  if (config.driver === "dstack-vmm" && config.vmm !== undefined) findings.push(await examineVmm(config.vmm));
  for (const url of config.relayerUrls) {
    const relayer = new RelayerClient(url, 5_000);
    try {
      const { finalized } = await chainOf(relayer, pinnedOf(config.deployment));
      findings.push({ what: `relayer ${url}`, ok: true, note: `final block ${finalized.number}` });
    } catch (error) {
      findings.push({ what: `relayer ${url}`, ok: false, note: reported(error).message });
      continue;
    }
    findings.push(await examineOutlook(relayer, config.workdir));
  }
  return findings;
}

/** What a relayer foresees for this node's evidence: only what is refused already keeps it from running apps. */
async function examineOutlook(relayer: RelayerClient, workdir: string): Promise<Finding> {
  const what = `outlook by ${relayer.url}`;
  try {
    const account = nodeKeyIfMade(resolve(workdir));
    if (account === null) return { what, ok: true, note: "none: this node has no key yet" };
    const outlook = await relayer.outlook(account.address.toLowerCase() as Address);
    if (outlook === null) return { what, ok: true, note: "none yet: the relayer looks once an hour" };
    const { lookedAt, trouble } = outlook;
    const said = trouble.length === 0 ? "nothing ends within a week" : trouble.map(outlookText).join("; ");
    const ok = trouble.every(({ reason }) => reason !== "refused");
    return { what, ok, note: `${said} (looked ${new Date(lookedAt * 1_000).toISOString()})` };
  } catch (error) {
    const { code, message } = reported(error);
    return {
      what,
      ok: true,
      note: code === "node/unknown" ? "none: not registered yet" : `none: ${message}`,
    };
  }
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

/** Each kind of volume in the order in which a new one takes it, and why one is not taken. */
async function storageOf({ storage }: NodeConfig): Promise<Finding> {
  const found = await examineStorage();
  const used = STORAGE_KINDS.find((kind) => found[kind] === null && (storage === "auto" || storage === kind));
  const kinds = STORAGE_KINDS.map((kind) => {
    if (kind === used) return `${kind}: used for new volumes`;
    return `${kind}: ${found[kind] ?? "usable, not used"}`;
  });
  const note = `${used === undefined ? "no encrypted volume: " : ""}${kinds.join("; ")}`;
  return { what: "storage", ok: true, note };
}

/** Having none keeps no node from running apps: it keeps those away that ask for something that survives. */
async function examineKeys(config: NodeConfig): Promise<Finding> {
  const what = "keys that survive a guest";
  if (config.driver === "dstack-vmm") {
    return { what, ok: true, note: "asked for in each VM: dstack GetKey, where dstack gave the VM a KMS" };
  }
  try {
    // Of no app: no key is asked for.
    const { chainId, attestationLedger: ledger } = config.deployment;
    const asked = { ...config, ledger, leaseSigners: [], secretsDir: "/dev/shm" };
    const found = await openKeySource(asked, chainId, config.places);
    return { what, ok: true, note: NOTES[requireKeySource(found).name] };
  } catch (error) {
    const { message, details } = reported(error);
    const reason = typeof details.reason === "string" ? details.reason : message;
    return { what, ok: true, note: `none: ${reason}` };
  }
}

const NOTES: Readonly<Record<KeySource["name"], string>> = {
  dstack: "dstack GetKey, for the app that dstack started",
  snp: "snp: of this chip, OS image and an app's lease signers; replicas elsewhere have other keys",
  simulator: "simulator: development chains only, and whoever reads its directory has them",
};
