import type { Command } from "commander";

import { appAbi } from "../../protocol/abi/app.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { act } from "../support/act.ts";
import { contextOf } from "../support/context.ts";
import { addressOption } from "../support/values.ts";

/** A step that a person takes and whose call is its name. */
interface Step {
  readonly name: string;
  readonly description: string;
  readonly functionName: string;
  /** What it takes besides the app, an address; absent if nothing. */
  readonly takes?: string;
}

const GUARDIAN: readonly Step[] = [
  {
    name: "set",
    description:
      "add a guardian at once, or replace or remove (zero address) the one there is after the notice",
    functionName: "setGuardian",
    takes: "guardian",
  },
  {
    name: "cancel",
    description: "take a waiting replacement or removal back",
    functionName: "cancelGuardianChange",
  },
];
const OWNER: readonly Step[] = [
  {
    name: "transfer",
    description: "offer ownership to an account, which then accepts it; the zero address takes an offer back",
    functionName: "transferOwnership",
    takes: "owner",
  },
  { name: "accept", description: "become the owner that was asked", functionName: "acceptOwnership" },
];

/** `charter guardian set|cancel` and `charter owner transfer|accept`. */
export function addPeopleCommands(program: Command): void {
  addSteps(program.command("guardian").description("who may veto and revoke"), GUARDIAN);
  addSteps(program.command("owner").description("who governs an app"), OWNER);
}

function addSteps(parent: Command, steps: readonly Step[]): void {
  for (const { name, description, functionName, takes } of steps) {
    const command = parent.command(name).description(description);
    command.argument("<app>", "address", addressOption);
    if (takes !== undefined) command.argument(`<${takes}>`, "address", addressOption);
    command.action(async (app: Address, ...rest: unknown[]) => {
      const args = takes === undefined ? [] : [rest[0] as Address];
      const context = contextOf(command);
      const outcome = [parent.name(), name, app, ...args].join(" ");
      const call = { address: app, abi: appAbi, functionName, args };
      const sent = await act(context, call, { title: outcome, text: description });
      if (sent === null) return;
      context.out.result({ app, transaction: sent.hash }, `${outcome}\ntransaction ${sent.hash}`);
    });
  }
}
