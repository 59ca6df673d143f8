import type { Command } from "commander";

import { appAbi } from "../../protocol/abi/app.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { act } from "../support/act.ts";
import { contextOf, type Context } from "../support/context.ts";
import type { Sent } from "../support/send.ts";
import { addressOption, repeat, teeKindOption, wholeNumber } from "../support/values.ts";

/** Sets the desired number of instances, on any node that the policy allows unless a selector narrows it. */
export async function setReplicas(
  context: Context,
  app: Address,
  replicas: number,
  selector: { teeKinds: number; gpu: boolean; operators: readonly Address[] } = {
    teeKinds: 0,
    gpu: false,
    operators: [],
  },
): Promise<Sent | null> {
  return act(
    context,
    { address: app, abi: appAbi, functionName: "setReplicas", args: [replicas, selector] },
    { title: `${replicas} replicas of ${app}` },
  );
}

/** `charter replicas <app> <n>`. */
export function addReplicasCommand(program: Command): void {
  program
    .command("replicas")
    .description("set how many instances an app wants, and where")
    .argument("<app>", "address", addressOption)
    .argument("<n>", "instances", wholeNumber)
    .option("--tee-kind <kind>", "only nodes of this TEE kind (repeatable)", repeat(teeKindOption))
    .option("--operator <address>", "only this operator's nodes (repeatable)", repeat(addressOption))
    .option("--gpu", "needs a GPU: only nodes that you named, by --operator or in the policy")
    .action(
      async (
        app: Address,
        replicas: number,
        options: { teeKind?: number[]; operator?: Address[]; gpu?: boolean },
        command: Command,
      ) => {
        const context = contextOf(command);
        const sent = await setReplicas(context, app, replicas, {
          teeKinds: (options.teeKind ?? []).reduce((bits, kind) => bits | (1 << kind), 0),
          gpu: options.gpu ?? false,
          operators: options.operator ?? [],
        });
        if (sent === null) return;
        context.out.result(
          { app, replicas, transaction: sent.hash },
          `${replicas} replicas wanted\ntransaction ${sent.hash}`,
        );
      },
    );
}
