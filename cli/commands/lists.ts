import type { Command } from "commander";

import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { readChainState } from "../support/chainState.ts";
import { contextOf } from "../support/context.ts";
import { table, timeText } from "../support/output.ts";
import { addressOption } from "../support/values.ts";

/** `charter instance list`, from the contracts' events. */
export function addListCommands(program: Command): void {
  program
    .command("instance")
    .description("running copies of apps")
    .command("list")
    .description("every proven instance, with the ledger's answer of now")
    .option("--app <address>", "only this app's", addressOption)
    .action(async (options: { app?: Address }, command: Command) => {
      const context = contextOf(command);
      const client = await context.client();
      const { attestationLedger } = context.deployment();
      const { state, time } = await readChainState(context);
      const chosen = [...state.instances.values()].filter(({ app }) => !options.app || app === options.app);
      const instances = await Promise.all(
        chosen.map(async (instance) => ({
          ...instance,
          live: await client.readContract({
            address: attestationLedger,
            abi: attestationLedgerAbi,
            functionName: "isLive",
            args: [instance.app, instance.key],
          }),
        })),
      );
      const rows = instances.map((instance) => [
        instance.app,
        instance.key,
        instance.live ? "live" : "not live",
        String(instance.release),
        String(instance.node),
        timeText(instance.expiresAt),
      ]);
      context.out.result(
        { time, instances },
        table(["app", "key", "state", "release", "node", "expires"], rows),
      );
    });
}
