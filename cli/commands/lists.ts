import type { Command } from "commander";

import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { nameOf, TcbStatus, TeeKind } from "../../protocol/words/enums.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { readChainState } from "../support/chainState.ts";
import { contextOf } from "../support/context.ts";
import { table, timeText } from "../support/output.ts";
import { addressOption } from "../support/values.ts";

/** `charter node list` and `charter instance list`, both from the contracts' events. */
export function addListCommands(program: Command): void {
  program
    .command("node")
    .description("registered platforms")
    .command("list")
    .description("every node ever registered")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const { state, time } = await readChainState(context);
      const nodes = [...state.nodes.values()];
      const rows = nodes.map((node) => [
        String(node.number),
        node.retired ? "retired" : node.expiresAt > time ? "active" : "suspended",
        nameOf(TeeKind, node.kind) + (node.simulated ? " (simulated)" : ""),
        nameOf(TcbStatus, node.status),
        node.operator,
        timeText(node.expiresAt),
        node.platformId,
      ]);
      context.out.result(
        { time, nodes },
        table(["node", "state", "kind", "TCB status", "operator", "expires", "platform id"], rows),
      );
    });
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
