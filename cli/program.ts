import { Command, CommanderError } from "commander";

import { roomsFor } from "./rooms.ts";
import { ExitCode } from "./support/exitCodes.ts";
import { asCliError } from "./support/failures.ts";
import { printable, toJson } from "./support/output.ts";
import { addressOption, governorOption, wholeNumber } from "./support/values.ts";

/** The command as far as these arguments need it, made anew for each run: commander keeps what it has parsed. */
async function createProgram(args: readonly string[]): Promise<Command> {
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

  // One after another: in the order of --help.
  for (const add of await Promise.all(roomsFor(args).map(({ load }) => load()))) add(program);
  exitOverrideAll(program);
  return program;
}

/**
 * Runs `charter` with these arguments: prints its results and its one error. @returns the code of the failure that it ended with,
 * or 0; a command that found something without failing sets `process.exitCode` itself.
 */
export async function runProgram(args: readonly string[]): Promise<number> {
  try {
    const program = await createProgram(args);
    await program.parseAsync(args, { from: "user" });
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
