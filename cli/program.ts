import { Command, CommanderError } from "commander";

import { addAllowedAtCommands } from "./commands/allowedAt.ts";
import { addAppCommands } from "./commands/app.ts";
import { addComposeHashCommand } from "./commands/composeHash.ts";
import { addControlCommands } from "./commands/control.ts";
import { addDaoCommands } from "./commands/dao.ts";
import { addLibraryCommands } from "./commands/library.ts";
import { addListCommands } from "./commands/lists.ts";
import { addNoteCommands } from "./commands/note.ts";
import { addPeopleCommands } from "./commands/people.ts";
import { addPlacementCommands } from "./commands/placement.ts";
import { addRebuildCommand } from "./commands/rebuild.ts";
import { addReleaseCommands } from "./commands/release.ts";
import { addReplicasCommand } from "./commands/replicas.ts";
import { addSafeCommands } from "./commands/safe.ts";
import { addSettingsCommands } from "./commands/settings.ts";
import { addSimulateCommands } from "./commands/simulate.ts";
import { addVerifyCommand } from "./commands/verify.ts";
import { addCollateralCommands } from "./commands/collateral.ts";
import { addCommitteeCommands } from "./commands/committee.ts";
import { addNodeCommands } from "./commands/node.ts";
import { addOperatorCommands } from "./commands/operators.ts";
import { addProofCommands } from "./commands/proof.ts";
import { addZkCommands } from "./commands/zk.ts";
import { ExitCode } from "./support/exitCodes.ts";
import { asCliError } from "./support/failures.ts";
import { printable, toJson } from "./support/output.ts";
import { addressOption, governorOption, wholeNumber } from "./support/values.ts";

/** The whole command, made anew for each run: commander keeps what it has parsed. */
function createProgram(): Command {
  const program = new Command("charter")
    .description("Charter: code that is governed like a smart contract")
    .option("--json", "results and errors as JSON")
    .option("--rpc <url>", "chain node (CHARTER_RPC_URL)")
    .option("--relayer <url>", "relayer (CHARTER_RELAYER_URL)")
    .option(
      "--deployment <file>",
      "address book (CHARTER_DEPLOYMENT; default .charter/devnet/deployment.json)",
    )
    .option("--key-file <file>", "private key that signs (default: CHARTER_KEY)")
    .option(
      "--governor <address>",
      "make an owner's action a proposal to this Governor (`deployment`: the address book's)",
      governorOption,
    )
    .option("--safe <address>", "make an owner's action a transaction of this Safe", addressOption)
    .option("--safe-tx <file>", "with --safe: the transaction and its signatures, to pass around")
    .option("--safe-nonce <n>", "with --safe: its place in the Safe's queue (default: the next)", wholeNumber)
    .option("--execute", "with --safe: execute it, once enough owners have signed")
    .option("--export <file>", "with --safe: write it for Safe's Transaction Builder instead, unsigned")
    .option("--safe-contracts <file>", "addresses of Safe's contracts by chain id (CHARTER_SAFE_CONTRACTS)")
    .option(
      "--trusted-root <file>",
      "Sigstore trusted root: verify the provenance of every note that is reviewed",
    )
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 wrong usage or configuration, 2 refused by a rule, 3 evidence did not verify,\n" +
        "4 chain or relayer unreachable, 70 internal.",
    )
    .configureOutput({ writeErr: () => undefined });

  addAppCommands(program);
  addReleaseCommands(program);
  addControlCommands(program);
  addPeopleCommands(program);
  addSettingsCommands(program);
  addReplicasCommand(program);
  addDaoCommands(program);
  addSafeCommands(program);
  addNoteCommands(program);
  addRebuildCommand(program);
  addLibraryCommands(program);
  addNodeCommands(program);
  addListCommands(program);
  addOperatorCommands(program);
  addCommitteeCommands(program);
  addProofCommands(program);
  addZkCommands(program);
  addPlacementCommands(program);
  addAllowedAtCommands(program);
  addSimulateCommands(program);
  addVerifyCommand(program);
  addCollateralCommands(program);
  addComposeHashCommand(program);
  exitOverrideAll(program);
  return program;
}

/**
 * Runs `charter` with these arguments: prints its results and its one error. @returns the code of the failure that it ended with,
 * or 0; a command that found something without failing sets `process.exitCode` itself.
 */
export async function runProgram(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: "user" });
    return ExitCode.Ok;
  } catch (error) {
    return report(error, args.includes("--json"));
  }
}

/** Commander's own exits become exceptions, so that one place decides what is printed and returned. */
function exitOverrideAll(command: Command): void {
  command.exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  for (const child of command.commands) exitOverrideAll(child);
}

function report(error: unknown, json: boolean): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return ExitCode.Ok;
    const message = error.message
      .replace(/^error: /, "")
      .replace("(outputHelp)", "expected a command; see --help");
    console.error(
      json ? toJson({ error: { code: "cli/usage", message } }) : printable(`charter: ${message}`),
    );
    return ExitCode.Usage;
  }
  const known = asCliError(error);
  if (json) console.error(toJson({ error: known.toJSON() }));
  else {
    console.error(printable(`charter: ${known.message} (${known.code})`));
    for (const [name, value] of Object.entries(known.toJSON().details)) {
      console.error(printable(`  ${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`));
    }
  }
  return known.exitCode;
}
