import type { Command } from "commander";

import { appAbi } from "../../protocol/abi/app.ts";
import { nameOf, Level } from "../../protocol/words/enums.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { timeText } from "../support/output.ts";
import { send } from "../support/send.ts";
import { addressOption, levelOption } from "../support/values.ts";

const OWNER_CODES = ["account", "account with EIP-7702 delegation", "contract"] as const;
const NOBODY = /^0x0{40}$/;

/** What raising to a level gives up, in words (contracts/interfaces/IApp.sol, DESIGN section 4). */
const FORBIDS: Record<string, string> = {
  Noticed: "lowering the notice below what it is now",
  Sealed: "any loosening of the policy, and replacing or removing the guardian",
  RevokeOnly: "new releases, ownership transfers and changes of replicas; only revoke and tightening remain",
  Frozen: "everything, revoke included, forever",
};

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
      const lines = [
        `owner            ${control.owner} (${OWNER_CODES[control.ownerCode] ?? "unknown"})`,
        `pending owner    ${orNone(control.pendingOwner)}`,
        `guardian         ${orNone(control.guardian)}`,
        ...(control.pendingGuardianAt === 0
          ? []
          : [
              `guardian becomes ${orNone(control.pendingGuardian)} at ${timeText(control.pendingGuardianAt)}`,
            ]),
        `level            ${level}`,
        `notice           ${control.noticeSeconds} s (never below ${control.noticeFloorSeconds} s)`,
        `grace            at most ${control.graceSeconds} s`,
        `new code         not before ${timeText(control.earliestNewReleaseAt)}`,
        `next change      ${timeText(control.nextChangeAt)}`,
      ];
      context.out.result(
        { app, ...control, level, ownerCode: OWNER_CODES[control.ownerCode] },
        lines.join("\n"),
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
        throw new CliError(
          ExitCode.Usage,
          "cli/not-confirmed",
          `${level} forbids ${FORBIDS[level] ?? ""}; it cannot be undone: expected --yes`,
        );
      }
      const { hash } = await send(context, {
        address: app,
        abi: appAbi,
        functionName: "raiseLevel",
        args: [options.to],
      });
      context.out.result({ app, level, transaction: hash }, `${app} is ${level}\ntransaction ${hash}`);
    });
}

const orNone = (address: string): string => (NOBODY.test(address) ? "none" : address);
