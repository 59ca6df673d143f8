import type { Command } from "commander";
import type { ContractFunctionReturnType } from "viem";

import { appAbi } from "../../protocol/abi/app.ts";
import { nameOf, Level } from "../../protocol/words/enums.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { act } from "../support/act.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { timeText } from "../support/output.ts";
import { addressOption, levelOption } from "../support/values.ts";

const OWNER_CODES = ["account", "account with EIP-7702 delegation", "contract"] as const;
const NOBODY = /^0x0{40}$/;

/** What each level adds to what the ones below it forbid (contracts/interfaces/IApp.sol, DESIGN section 4). */
const FORBIDS: readonly (readonly [Level, string])[] = [
  [Level.Noticed, "a notice below today's"],
  [Level.Sealed, "any loosening, and replacing or removing the guardian"],
  [Level.RevokeOnly, "new releases, ownership transfers, a first guardian and changes of replicas"],
  [Level.Frozen, "revoking and tightening: everything"],
];

const forbiddenAt = (level: number): string[] =>
  FORBIDS.filter(([from]) => from <= level).map(([, what]) => what);

/** `charter control` and `charter renounce`. */
export function addControlCommands(program: Command): void {
  program
    .command("control")
    .description("who can change an app, and how fast: effective values now")
    .argument("<app>", "address", addressOption)
    .action(async (app: Address, _options: object, command: Command) => {
      const context = contextOf(command);
      const client = await context.client();
      const control = await client.readContract({ address: app, abi: appAbi, functionName: "control" });
      const level = nameOf(Level, control.level);
      context.out.result(
        { app, ...control, level, ownerCode: OWNER_CODES[control.ownerCode] },
        controlText(control),
      );
    });
  program
    .command("renounce")
    .description("raise an app's level: gives up control for good")
    .argument("<app>", "address", addressOption)
    .requiredOption("--to <level>", "Noticed, Sealed, RevokeOnly or Frozen", levelOption)
    .option("--yes", "confirm: this cannot be undone")
    .action(async (app: Address, options: { to: number; yes?: boolean }, command: Command) => {
      const context = contextOf(command);
      const level = nameOf(Level, options.to as Level);
      if (!options.yes) {
        throw new CliError(ExitCode.Usage, "cli/not-confirmed", `${level} cannot be undone: expected --yes`, {
          forbids: forbiddenAt(options.to),
        });
      }
      const forbids = `${level} forbids from now on:\n${forbiddenAt(options.to)
        .map((what) => `  ${what}`)
        .join("\n")}`;
      context.out.note(forbids);
      const sent = await act(
        context,
        { address: app, abi: appAbi, functionName: "raiseLevel", args: [options.to] },
        { title: `Raise ${app} to ${level}`, text: forbids },
      );
      if (sent === null) return;
      context.out.result(
        { app, level, transaction: sent.hash },
        `${app} is ${level}\ntransaction ${sent.hash}`,
      );
    });
}

type ControlAnswer = ContractFunctionReturnType<typeof appAbi, "view", "control">;

/** `control()` for people. */
export function controlText(control: ControlAnswer): string {
  const guardianChange =
    control.pendingGuardianAt === 0
      ? []
      : [`guardian becomes ${orNone(control.pendingGuardian)} at ${timeText(control.pendingGuardianAt)}`];
  return [
    `owner            ${control.owner} (${OWNER_CODES[control.ownerCode] ?? "unknown"})`,
    `pending owner    ${orNone(control.pendingOwner)}`,
    `guardian         ${orNone(control.guardian)}`,
    ...guardianChange,
    `level            ${nameOf(Level, control.level)}`,
    `notice           ${control.noticeSeconds} s (never below ${control.noticeFloorSeconds} s)`,
    `grace            at most ${control.graceSeconds} s`,
    `new code         not before ${timeText(control.earliestNewReleaseAt)}`,
    `next change      ${timeText(control.nextChangeAt)}`,
  ].join("\n");
}

const orNone = (address: string): string => (NOBODY.test(address) ? "none" : address);
