import type { Command } from "commander";

import { endorsementsAbi } from "../../protocol/abi/endorsements.ts";
import { memberLeaf, standardTree } from "../../protocol/proof/merkle.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, readText, type Context } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { perform } from "../support/perform.ts";
import { send } from "../support/send.ts";
import { addressOption, bytes32Option, memberOption, repeat, wholeNumber } from "../support/values.ts";

/** A large list published as one Merkle root (a registry of platforms that somebody saw in a data centre). */
export function addEndorsementRootCommands(endorsement: Command): void {
  endorsement
    .command("root")
    .description("publish a list as a Merkle root, under which anyone enters a member (its curator)")
    .argument("<list>", "number", wholeNumber)
    .argument("[root]", "the root itself; zero: nobody is entered by proof", bytes32Option)
    .option("--members <file>", "or a file with a member per line: platform ids or operators")
    .action(
      async (list: number, root: Bytes32 | undefined, options: { members?: string }, command: Command) => {
        const context = contextOf(command);
        if ((root === undefined) === (options.members === undefined)) {
          throw new CliError(ExitCode.Usage, "cli/usage", "expected a root or --members, one of them");
        }
        const members = options.members === undefined ? null : readMembers(options.members);
        const newRoot = root ?? standardTree((members ?? []).map(memberLeaf)).root;
        await perform(
          context,
          callOf(context, "setRoot", [listId(list), newRoot]),
          {
            title: `Publish ${newRoot} as the root of list ${list}`,
            text:
              members === null
                ? "Who is listed stays so."
                : `${members.length} members. Who is listed stays so.`,
          },
          { list, root: newRoot, members: members?.length ?? null },
        );
      },
    );
  endorsement
    .command("enter")
    .description("list a member that stands under the list's root (anyone)")
    .argument("<list>", "number", wholeNumber)
    .argument("<member>", "platform id or operator", memberOption)
    .option("--members <file>", "the file that the root was made of: the proof is made here")
    .option("--proof <hash>", "or the proof itself, in its order (repeatable)", repeat(bytes32Option))
    .action(
      async (
        list: number,
        member: Bytes32,
        options: { members?: string; proof?: readonly Bytes32[] },
        command: Command,
      ) => {
        const context = contextOf(command);
        if (options.members !== undefined && options.proof !== undefined) {
          throw new CliError(ExitCode.Usage, "cli/usage", "expected --members or --proof, one of them");
        }
        const proof =
          options.members === undefined ? (options.proof ?? []) : proofIn(options.members, member);
        const { hash } = await send(context, callOf(context, "enter", [listId(list), member, proof]));
        context.out.result(
          { list, member, transaction: hash },
          `${member} is on list ${list}\ntransaction ${hash}`,
        );
      },
    );
  endorsement
    .command("hand-over")
    .description(
      "give a list to another curator; to the zero address, it stays as it is for good (its curator)",
    )
    .argument("<list>", "number", wholeNumber)
    .argument("<curator>", "address", addressOption)
    .action(async (list: number, curator: Address, _options: object, command: Command) => {
      const context = contextOf(command);
      await perform(
        context,
        callOf(context, "setCurator", [listId(list), curator]),
        { title: `Hand list ${list} over to ${curator}` },
        { list, curator },
      );
    });
}

const callOf = (context: Context, functionName: string, args: readonly unknown[]) => ({
  address: context.deployment().endorsements,
  abi: endorsementsAbi,
  functionName,
  args,
});

const listId = (list: number): Bytes32 => `0x${list.toString(16).padStart(64, "0")}` as Bytes32;

function proofIn(path: string, member: Bytes32): readonly Bytes32[] {
  const proof = standardTree(readMembers(path).map(memberLeaf)).pathOf(memberLeaf(member));
  if (proof !== null) return proof;
  throw new CliError(ExitCode.Refused, "endorsement/not-a-member", "expected a member of the file", {
    path,
    member,
  });
}

/** A member per line; empty lines and what follows # are passed over. */
function readMembers(path: string): readonly Bytes32[] {
  const lines = readText(path)
    .split("\n")
    .map((line) => line.replace(/#.*$/, "").trim())
    .filter((line) => line !== "");
  if (lines.length === 0) {
    throw new CliError(ExitCode.Usage, "endorsement/no-members", "expected a member per line", { path });
  }
  return lines.map(memberOption);
}
