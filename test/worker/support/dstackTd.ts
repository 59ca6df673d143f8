import { keccak256, stringToHex } from "viem";

import { fromHex, type Address, type ComposeHash, type Hex } from "../../../protocol/words/hex.ts";
import { measureBoot } from "../../../worker/tee/measureBoot.ts";
import type { SimulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { DstackAgentServer } from "./DstackAgentServer.ts";

/** A TD that dstack started for one app: its guest agent's socket, and simulated quotes that verify. */
export async function startDstackTd(
  dir: string,
  platform: SimulatedPlatform,
  boot: { readonly app: Address; readonly composeHash: ComposeHash; readonly instanceId?: Hex },
): Promise<DstackAgentServer> {
  const { instanceId = "0x" } = boot;
  // As dstack's host sets it.
  const td = new SimulatedTdx(platform, { composeHash: boot.composeHash });
  await measureBoot(td, { ...boot, instanceId });
  const agent = new DstackAgentServer(dir);
  agent.answers = {
    "/Info": () => ({
      app_id: boot.app.slice(2),
      instance_id: instanceId.slice(2),
      compose_hash: boot.composeHash.slice(2),
      device_id: platform.platformId.slice(2),
      tcb_info: "{}",
    }),
    // Of app and path alone, and the same each time.
    "/GetKey": ({ path }) => ({
      key: keccak256(stringToHex(`${boot.app} ${String(path)}`)).slice(2),
      signature_chain: [],
    }),
    "/GetQuote": async ({ report_data }) => {
      const { quote, eventLog, vmConfig } = await td.quote(fromHex(`0x${String(report_data)}`));
      return { quote: quote.slice(2), event_log: eventLog, vm_config: vmConfig };
    },
  };
  return agent.start();
}
