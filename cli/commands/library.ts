import type { Command } from "commander";
import { encodeAbiParameters, keccak256 } from "viem";

import { advisorySetsAbi } from "../../protocol/abi/advisorySets.ts";
import { endorsementsAbi } from "../../protocol/abi/endorsements.ts";
import { EndorsementOp } from "../../protocol/policy/endorsements.ts";
import { advisoriesDigest } from "../../protocol/session/verdict.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { contextOf, type Context } from "../support/context.ts";
import { parseExpression, type Expression } from "../support/expression.ts";
import { perform } from "../support/perform.ts";
import { send } from "../support/send.ts";
import { addEndorsementRootCommands } from "./endorsementRoots.ts";
import { addressOption, memberOption, wholeNumber } from "../support/values.ts";

/** `charter advisories` and `charter endorsement`: what apps' policies refer to. */
export function addLibraryCommands(program: Command): void {
  program
    .command("advisories")
    .description("sets of advisories, as verdicts carry them")
    .command("publish")
    .description("say once for all which advisories a verdict's digest stands for")
    .argument("<ids...>", "e.g. INTEL-SA-00614")
    .action(async (ids: string[], _options: object, command: Command) => {
      const context = contextOf(command);
      const sorted = [...new Set(ids)].sort();
      const digest = advisoriesDigest(sorted);
      const { hash } = await send(context, {
        address: context.deployment().advisorySets,
        abi: advisorySetsAbi,
        functionName: "publish",
        args: [sorted],
      });
      context.out.result({ digest, ids: sorted, transaction: hash }, `${digest}\ntransaction ${hash}`);
    });

  const endorsement = program.command("endorsement").description("which nodes somebody vouches for");
  endorsement
    .command("define")
    .description("define an expression and all that it is made of; its id goes into Endorsement=<id>")
    .argument(
      "<expression>",
      "any(…), all(…), platform:0x…, operator:0x…, platforms:<list>, operators:<list>",
    )
    .action(async (text: string, _options: object, command: Command) => {
      const context = contextOf(command);
      const id = await define(context, parseExpression(text));
      context.out.result({ id }, id);
    });
  endorsement
    .command("create-list")
    .description("make an empty list")
    .argument("<curator>", "who alone may change it", addressOption)
    .action(async (curator: Address, _options: object, command: Command) => {
      const context = contextOf(command);
      const { receipt } = await sendTo(context, "createList", [curator]);
      const list = Number(receipt.logs[0]?.topics[1] ?? 0);
      context.out.result({ list, curator }, `list ${list}`);
    });
  addEndorsementRootCommands(endorsement);
  for (const [name, listed] of [
    ["add", true],
    ["remove", false],
  ] as const) {
    endorsement
      .command(name)
      .description(`${name} members of a list (its curator)`)
      .argument("<list>", "number", wholeNumber)
      .argument("<members...>", "platform ids or operators")
      .action(async (list: number, members: string[], _options: object, command: Command) => {
        const context = contextOf(command);
        await perform(
          context,
          callOf(context, "curate", [listId(list), members.map(memberOption), listed]),
          { title: `${listed ? "Add to" : "Take off"} list ${list}`, text: members.join("\n") },
          { list, members },
        );
      });
  }
}

const callOf = (context: Context, functionName: string, args: readonly unknown[]) => ({
  address: context.deployment().endorsements,
  abi: endorsementsAbi,
  functionName,
  args,
});

const sendTo = (context: Context, functionName: string, args: readonly unknown[]) =>
  send(context, callOf(context, functionName, args));

const listId = (list: number): Bytes32 => `0x${list.toString(16).padStart(64, "0")}` as Bytes32;

/** Defines the parts first: an expression refers to others by id. What is defined already is left alone. */
async function define(context: Context, expression: Expression): Promise<Bytes32> {
  const terms: Bytes32[] = [];
  if ("parts" in expression) {
    for (const part of expression.parts) terms.push(await define(context, part));
    terms.sort();
  } else terms.push(expression.term);
  const id = keccak256(
    encodeAbiParameters([{ type: "uint8" }, { type: "bytes32[]" }], [expression.op, terms]),
  ) as Bytes32;
  const client = await context.client();
  const [known] = await client.readContract({
    address: context.deployment().endorsements,
    abi: endorsementsAbi,
    functionName: "expression",
    args: [id],
  });
  if (known === EndorsementOp.None) await sendTo(context, "defineExpression", [expression.op, terms]);
  return id;
}
