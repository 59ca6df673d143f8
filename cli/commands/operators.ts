import type { Command } from "commander";
import { parseEventLogs } from "viem";

import { nodeRegistryAbi } from "../../protocol/abi/nodeRegistry.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { readLogs } from "../support/chainState.ts";
import { contextOf, type Context } from "../support/context.ts";
import { perform } from "../support/perform.ts";
import { addressOption, switchOption } from "../support/values.ts";

/** `charter operator …`: whom governance lets register nodes. */
export function addOperatorCommands(program: Command): void {
  const operator = program.command("operator").description("who may register nodes");
  operator
    .command("list")
    .description("whether only listed operators may register and renew, and who is listed")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const { required, listed } = await readOperators(context);
      context.out.result(
        { required, listed },
        [
          required ? "only these may register and renew nodes:" : "anyone may register nodes; listed are:",
          ...(listed.length === 0 ? ["(none)"] : listed),
        ].join("\n"),
      );
    });
  for (const [name, listed] of [
    ["add", true],
    ["remove", false],
  ] as const) {
    operator
      .command(name)
      .description(`${listed ? "list operators" : "take operators off the list"} (owner: the Timelock)`)
      .argument("<operators...>", "addresses")
      .action(async (texts: string[], _options: object, command: Command) => {
        const context = contextOf(command);
        const operators = texts.map(addressOption);
        await perform(
          context,
          callOf(context, "listOperators", [operators, listed]),
          {
            title: listed ? "List operators" : "Take operators off the list",
            text: operators.join("\n"),
          },
          { operators, listed },
        );
      });
  }
  operator
    .command("require-listed")
    .description("let only listed operators register and renew, or anyone (owner: the Timelock)")
    .argument("<on|off>", "", switchOption)
    .action(async (required: boolean, _options: object, command: Command) => {
      const context = contextOf(command);
      await perform(
        context,
        callOf(context, "requireListedOperators", [required]),
        {
          title: required ? "Let only listed operators register nodes" : "Let anyone register nodes",
          ...(required ? { text: "Nodes of others stay until they expire; they cannot be renewed." } : {}),
        },
        { required },
      );
    });
}

const callOf = (context: Context, functionName: string, args: readonly unknown[]) => ({
  address: context.deployment().nodeRegistry,
  abi: nodeRegistryAbi,
  functionName,
  args,
});

/** The registry has no view of either: both follow from its events. */
async function readOperators(context: Context): Promise<{ required: boolean; listed: readonly Address[] }> {
  const client = await context.client();
  const { nodeRegistry, startBlock } = context.deployment();
  const head = await client.getBlockNumber({ cacheTime: 0 });
  const logs = await readLogs(client, [nodeRegistry], BigInt(startBlock), head);
  let required = false;
  const listed = new Set<Address>();
  for (const event of parseEventLogs({ abi: nodeRegistryAbi, logs })) {
    if (event.eventName === "OperatorListChanged") required = event.args.newRequired;
    if (event.eventName !== "OperatorListed") continue;
    const operator = event.args.operator.toLowerCase() as Address;
    if (event.args.listed) listed.add(operator);
    else listed.delete(operator);
  }
  return { required, listed: [...listed].sort() };
}
