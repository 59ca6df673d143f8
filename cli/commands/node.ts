import type { Command } from "commander";
import { parseEventLogs } from "viem";

import { dcapVerifierAbi } from "../../protocol/abi/dcapVerifier.ts";
import { nodeRegistryAbi } from "../../protocol/abi/nodeRegistry.ts";
import { nameOf, TcbStatus, TeeKind } from "../../protocol/words/enums.ts";
import type { NodeState } from "../../protocol/state/types.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { readChainState } from "../support/chainState.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import {
  readOutlook,
  readReport,
  reportBrief,
  reportText,
  type SignedReport,
} from "../support/nodeReport.ts";
import { nodeText, readNode } from "../support/readNode.ts";
import { table, timeText } from "../support/output.ts";
import { perform } from "../support/perform.ts";
import { send, type Call } from "../support/send.ts";
import { wholeNumber } from "../support/values.ts";

/** `charter node …`: registered platforms, by the contracts' own words. */
export function addNodeCommands(program: Command): void {
  const node = program.command("node").description("registered platforms");
  node
    .command("list")
    .description(
      "every node ever registered; with --relayer what each last said of itself there, by its own key",
    )
    .action(async (_options: object, command: Command) => {
      const context = contextOf(command);
      const { state, time } = await readChainState(context);
      const isAsked = command.optsWithGlobals<{ relayer?: string }>().relayer !== undefined;
      const nodes: (NodeState & { readonly report?: SignedReport | null })[] = [];
      for (const of of state.nodes.values()) {
        nodes.push(isAsked ? { ...of, report: of.retired ? null : await readReport(context, of.key) } : of);
      }
      const rows = nodes.map((of) => [
        String(of.number),
        of.retired
          ? "retired"
          : of.invalidated
            ? "invalidated"
            : of.expiresAt > time
              ? "active"
              : "suspended",
        nameOf(TeeKind, of.kind) + (of.simulated ? " (simulated)" : ""),
        nameOf(TcbStatus, of.status),
        of.operator,
        timeText(of.expiresAt),
        of.platformId,
        ...(of.report === undefined ? [] : [reportBrief(of.report)]),
      ]);
      context.out.result(
        { time, nodes },
        table(
          [
            ...["node", "state", "kind", "TCB status", "operator", "expires", "platform id"],
            ...(isAsked ? ["said"] : []),
          ],
          rows,
        ),
      );
    });
  node
    .command("show")
    .description(
      "one node: whether it counts now, why not, and how its platform's record stands; with --relayer what it last said " +
        "of itself there, by its own key, and what that relayer foresees for its evidence",
    )
    .argument("<node>", "number", wholeNumber)
    .action(async (number: number, _options: object, command: Command) => {
      const context = contextOf(command);
      const found = await readNode(context, number);
      if (command.optsWithGlobals<{ relayer?: string }>().relayer === undefined) {
        return context.out.result({ ...found }, nodeText(found));
      }
      const [report, outlook] = await Promise.all([
        readReport(context, found.key),
        readOutlook(context, found.key),
      ]);
      context.out.result(
        { ...found, report, outlook },
        `${nodeText(found)}\n\n${reportText(report, outlook)}`,
      );
    });
  node
    .command("retire")
    .description("take a node out for good (its operator; anyone once it has been expired for 30 days)")
    .argument("<node>", "number", wholeNumber)
    .option("--yes", "confirm: this cannot be undone")
    .action(async (number: number, options: { yes?: boolean }, command: Command) => {
      if (!options.yes) {
        throw new CliError(ExitCode.Usage, "cli/not-confirmed", "retiring cannot be undone: expected --yes", {
          node: number,
        });
      }
      const context = contextOf(command);
      await perform(
        context,
        registryCall(context.deployment().nodeRegistry, "retire", number),
        {
          title: `Retire node ${number}`,
          text: "It never counts again; its platform may be registered anew.",
        },
        { node: number },
      );
    });
  node
    .command("invalidate")
    .description("take a node out until it is renewed, where Intel's collateral of now refuses it (anyone)")
    .argument("<node>", "number", wholeNumber)
    .action(async (number: number, _options: object, command: Command) => {
      const context = contextOf(command);
      const call = registryCall(context.deployment().nodeRegistry, "invalidate", number);
      const { hash } = await send(context, call);
      context.out.result({ node: number, transaction: hash }, `node ${number} is out\ntransaction ${hash}`);
    });
  node
    .command("rejudge")
    .description("judge a node's platform by Intel's collateral of now, without new evidence (anyone)")
    .argument("<node>", "number", wholeNumber)
    .action(async (number: number, _options: object, command: Command) => {
      const context = contextOf(command);
      const { record, verifier, status: before } = await readNode(context, number);
      const facts = (await readChainState(context)).state.records.get(record)?.facts;
      if (record === 0 || verifier === null || facts === undefined) {
        throw new CliError(
          ExitCode.Refused,
          "node/no-record",
          "expected a node that rests on a record of the Direct verifier: another's proof is not judged anew",
          { node: number },
        );
      }
      const call = {
        address: verifier,
        abi: dcapVerifierAbi,
        functionName: "rejudge",
        args: [record, facts],
      };
      const { hash, receipt } = await send(context, call);
      const [judged] = parseEventLogs({
        abi: dcapVerifierAbi,
        eventName: "RecordJudged",
        logs: receipt.logs,
      });
      const status = judged ? nameOf(TcbStatus, judged.args.newStatus as TcbStatus) : before;
      context.out.result(
        { node: number, record, status, transaction: hash },
        `record ${record} of node ${number}: ${status}\ntransaction ${hash}`,
      );
    });
}

const registryCall = (address: Address, functionName: string, number: number): Call => ({
  address,
  abi: nodeRegistryAbi,
  functionName,
  args: [number],
});
