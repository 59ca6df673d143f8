import { reported } from "../guest/state.ts";
import { findCompose } from "../guest/compose/findCompose.ts";
import { commandsOf } from "../guest/compose/runCommand.ts";
import { chainOf } from "../session/pinnedChain.ts";
import { RelayerClient } from "../session/RelayerClient.ts";
import { openSource } from "../tee/openSource.ts";
import type { NodeConfig } from "./config.ts";
import { pinnedOf } from "./pinned.ts";

/** One thing that was looked at. `ok: false` keeps the node from running apps; a note alone does not. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly note: string;
}

/** Looks at everything that this node needs, and changes nothing. */
export async function examine(config: NodeConfig): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    const { kind, platformId, simulated } = openSource(config, config.deployment.chainId);
    const note = `${kind}${simulated ? " (simulated)" : ""}, platform ${platformId}`;
    findings.push({ what: "evidence source", ok: true, note });
  } catch (error) {
    findings.push({ what: "evidence source", ok: false, note: reported(error).message });
  }
  const compose =
    config.runtime === "dry"
      ? "the configuration says dry"
      : await findCompose(process.cwd(), commandsOf(config.engineSocket));
  const note = typeof compose === "string" ? `dry: ${compose}` : compose.join(" ");
  findings.push({ what: "containers", ok: true, note });
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
