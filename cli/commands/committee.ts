import type { Command } from "commander";
import { zeroAddress } from "viem";

import { committeeVerifierAbi } from "../../protocol/abi/committeeVerifier.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { committeeText, readCommittees } from "../support/committee/readCommittees.ts";
import { liveSignersByOperator } from "../support/committee/signers.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, type Context } from "../support/context.ts";
import { deployed } from "../support/deployed.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { timeText } from "../support/output.ts";
import { perform } from "../support/perform.ts";
import { addressOption, repeat, timeOption, wholeNumber } from "../support/values.ts";
import { addDisputeCommand } from "./committeeDispute.ts";

interface ProposeOptions {
  readonly member?: readonly Address[];
  readonly threshold: number;
  readonly expires: number;
  readonly app?: Address;
  readonly yes?: boolean;
}

/** `charter committee …`: who signs verdicts, and how that changes. */
export function addCommitteeCommands(program: Command): void {
  const committee = program.command("committee").description("who signs verdicts for the chain");
  committee
    .command("show")
    .description("the committee in force and the next one, their ends, and who of them can sign now")
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const found = await readCommittees(context);
      context.out.result({ ...found }, committeeText(found));
    });
  committee
    .command("propose")
    .description("propose another committee, in force after the notice (owner: the Timelock)")
    .option(
      "--member <address>",
      "a signer's key, or with --app an operator (repeatable)",
      repeat(addressOption),
    )
    .requiredOption("--threshold <n>", "signatures that a verdict needs: more than half", wholeNumber)
    .requiredOption("--expires <time>", "when its signatures stop counting (ISO time)", timeOption)
    .option(
      "--app <address>",
      "the relayer's own app: members are operators, and its live instances on their nodes sign for them; " +
        "without --member, every operator that has one now",
      addressOption,
    )
    .option("--yes", "also where too few operators have a live signer now")
    .action(async (options: ProposeOptions, command: Command) => {
      const context = contextOf(command);
      const { members, threshold, expires, app } = await proposed(context, options);
      const { noticeSeconds } = await readCommittees(context);
      const { committeeVerifier, attestationLedger } = context.deployment();
      await perform(
        context,
        {
          address: committeeVerifier,
          abi: committeeVerifierAbi,
          functionName: "proposeCommittee",
          args: app
            ? [members, threshold, expires, attestationLedger, app]
            : [members, threshold, expires, zeroAddress, zeroAddress],
        },
        {
          title: `Propose a committee: ${threshold} of ${members.length}`,
          text: [
            app ? `operators with live instances of ${app}:` : "keys:",
            ...members.map((member) => `  ${member}`),
            `in force ${noticeSeconds} s after this is carried out, until ${timeText(expires)}`,
          ].join("\n"),
        },
        { members, threshold, expiresAt: expires, app: app ?? null },
      );
    });
  committee
    .command("cancel")
    .description("take back the committee that is not in force yet (owner: the Timelock)")
    .action((_options: object, command: Command) =>
      perform(
        contextOf(command),
        {
          address: contextOf(command).deployment().committeeVerifier,
          abi: committeeVerifierAbi,
          functionName: "cancelCommittee",
          args: [],
        },
        { title: "Take back the committee that waits" },
        {},
      ),
    );
  committee
    .command("set-disputes")
    .description(
      "name the contract that may mark signers (owner: the Timelock); `deployment`: the address book's",
    )
    .argument("<address>", "address, `deployment`, or the zero address for none", disputesOption)
    .action(async (named: Address | "deployment", _options: object, command: Command) => {
      const context = contextOf(command);
      const disputes = named === "deployment" ? deployed(context, "committeeDisputes") : named;
      await perform(
        context,
        {
          address: context.deployment().committeeVerifier,
          abi: committeeVerifierAbi,
          functionName: "setDisputes",
          args: [disputes],
        },
        { title: `Let ${disputes} mark signers` },
        { disputes },
      );
    });
  addDisputeCommand(committee);
}

const disputesOption = (text: string): Address | "deployment" =>
  text === "deployment" ? text : addressOption(text);

/** Members ascending, as the contract wants them. */
async function proposed(context: Context, options: ProposeOptions) {
  const { threshold, expires, app } = options;
  const named = options.member ?? [];
  if (app === undefined && named.length === 0) {
    throw new CliError(
      ExitCode.Usage,
      "cli/usage",
      "expected --member, or --app for a committee of operators",
    );
  }
  const signers = app === undefined ? null : await liveSignersByOperator(context, app);
  const members = [...new Set(named.length > 0 ? named : (signers?.keys() ?? []))].sort();
  const unready = signers === null ? [] : members.filter((member) => !signers.has(member));
  if (members.length - unready.length < threshold && signers !== null && !options.yes) {
    throw new CliError(
      ExitCode.Refused,
      "committee/cannot-sign",
      "expected at least the threshold of operators with a live signer now, or --yes",
      { threshold, members, withoutSigner: unready },
    );
  }
  for (const member of unready) context.out.note(`${member} has no live signer now`);
  return { members, threshold, expires, app };
}
