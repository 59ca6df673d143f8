import type { Command } from "commander";
import { parseEventLogs, type Hex } from "viem";
import { z } from "zod";

import { committeeDisputesAbi } from "../../protocol/abi/committeeDisputes.ts";
import { committeeVerifierAbi } from "../../protocol/abi/committeeVerifier.ts";
import { encodeFirstQuote } from "../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { quoteDigest } from "../../protocol/evidence/dcap/quoteDigest.ts";
import { readEvidence } from "../../protocol/evidence/index.ts";
import { reportDataPreimage } from "../../protocol/evidence/reportData.ts";
import { addressSchema, bytes32Schema } from "../../protocol/session/messages.ts";
import type { Bytes32 } from "../../protocol/words/hex.ts";
import {
  evidenceDigestOf,
  readStatement,
  statementOf,
  type Statement,
} from "../support/committee/statement.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, readBytes, type Context } from "../support/context.ts";
import { deployed } from "../support/deployed.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { readJson } from "../support/jsonFile.ts";
import { send } from "../support/send.ts";
import { bytes32Option, hexOption, wholeNumber } from "../support/values.ts";

/** `Contradiction` of contracts/interfaces/ICommitteeDisputes.sol. */
const CONTRADICTIONS = ["None", "Platform", "Measurement", "Binding"] as const;

interface DisputeOptions {
  readonly evidence: string;
  readonly statement?: string;
  readonly transaction?: Bytes32;
  readonly leaf?: number;
  readonly mrconfigidPreimage?: Hex;
  readonly boundTo?: string;
}

const boundToSchema = z.strictObject({
  purpose: z.enum(["instance", "node"]),
  consumer: addressSchema,
  subject: addressSchema,
  key: addressSchema,
  blockNumber: z.number().int().nonnegative(),
  blockHash: bytes32Schema,
});

/** `charter committee dispute`: the same evidence, verified on the chain, against what a committee said of it. */
export function addDisputeCommand(committee: Command): void {
  committee
    .command("dispute")
    .description(
      "bring the evidence itself against what the committee said of it: marks who signed (anyone may)",
    )
    .requiredOption("--evidence <file>", "the TDX or SGX quote, or evidence or a quote report as JSON")
    .option(
      "--transaction <hash>",
      "the registration, attestation or claim that brought the committee's word",
      bytes32Option,
    )
    .option(
      "--statement <file>",
      "or its word as JSON: {verdict, signatures} or {batch, leaf, proof, signatures}",
    )
    .option("--leaf <n>", "which leaf of a claim of many, from 0", wholeNumber)
    .option("--mrconfigid-preimage <hex>", "what an MRCONFIGID of version 2 is the hash of", hexOption)
    .option(
      "--bound-to <file>",
      "what the report data really binds, as JSON: to dispute a leaf's app, key or block",
    )
    .action(async (options: DisputeOptions, command: Command) => {
      const context = contextOf(command);
      const disputes = deployed(context, "committeeDisputes");
      const statement = await statementIn(context, options);
      const quote = sameEvidence(options.evidence, evidenceDigestOf(statement));
      const { receipt, hash } = await send(context, {
        address: disputes,
        abi: committeeDisputesAbi,
        ...disputeCall(context, statement, quote, options),
      });
      const [disputed] = parseEventLogs({
        abi: committeeDisputesAbi,
        eventName: "Disputed",
        logs: receipt.logs,
      });
      if (!disputed) throw new CliError(ExitCode.Internal, "cli/internal", "expected the event Disputed");
      const marked = parseEventLogs({
        abi: committeeVerifierAbi,
        eventName: "SignerMarked",
        logs: receipt.logs,
      }).map(({ args: { signer, seat } }) => ({ signer: signer.toLowerCase(), seat: seat.toLowerCase() }));
      const { evidenceDigest, statement: digest } = disputed.args;
      const contradiction =
        CONTRADICTIONS[disputed.args.contradiction] ?? String(disputed.args.contradiction);
      context.out.result(
        { evidenceDigest, statement: digest, contradiction, marked, transaction: hash },
        [
          `the evidence contradicts it: ${contradiction}`,
          ...marked.map(({ signer, seat }) => `marked ${signer}${seat === signer ? "" : ` of ${seat}`}`),
          `transaction ${hash}`,
        ].join("\n"),
      );
    });
}

function statementIn(context: Context, { statement, transaction, leaf }: DisputeOptions): Promise<Statement> {
  if ((statement === undefined) === (transaction === undefined)) {
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --transaction or --statement, one of them");
  }
  return transaction === undefined
    ? Promise.resolve(readStatement(statement as string))
    : statementOf(context, transaction, leaf);
}

/** The packed quote. @throws CliError `dispute/other-evidence`: only the very evidence of the statement proves anything. */
function sameEvidence(path: string, expected: Bytes32): Hex {
  const evidence = readEvidence(readBytes(path));
  if (evidence.kind !== "dcap") {
    throw new CliError(
      ExitCode.Usage,
      "cli/usage",
      "expected evidence of TDX or SGX: no contract reads another",
      {
        path,
      },
    );
  }
  const actual = quoteDigest(evidence.quote);
  if (actual !== expected) {
    throw new CliError(
      ExitCode.Refused,
      "dispute/other-evidence",
      "expected the very evidence that the committee spoke of: other evidence proves nothing",
      { expected, actual },
    );
  }
  return encodeFirstQuote(evidence.quote);
}

function disputeCall(
  context: Context,
  statement: Statement,
  quote: Hex,
  { mrconfigidPreimage = "0x", boundTo }: DisputeOptions,
): { readonly functionName: string; readonly args: readonly unknown[] } {
  const { signatures } = statement;
  if (statement.kind === "verdict") {
    if (boundTo !== undefined) {
      throw new CliError(
        ExitCode.Usage,
        "cli/usage",
        "expected --bound-to with a leaf alone: a verdict says it all",
      );
    }
    return {
      functionName: "disputeVerdict",
      args: [statement.verdict, signatures, quote, mrconfigidPreimage],
    };
  }
  const { batch, leaf, proof } = statement;
  const bound = boundTo === undefined ? "0x" : boundPreimage(context, boundTo);
  return {
    functionName: "disputeLeaf",
    args: [batch, leaf, proof, signatures, quote, mrconfigidPreimage, bound],
  };
}

function boundPreimage(context: Context, path: string): Hex {
  const parsed = boundToSchema.safeParse(readJson(path));
  if (!parsed.success) {
    throw new CliError(
      ExitCode.Usage,
      "statement/malformed",
      "expected {purpose, consumer, subject, key, blockNumber, blockHash}",
      { path, issues: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`) },
    );
  }
  const { blockNumber, ...rest } = parsed.data;
  return reportDataPreimage({
    ...rest,
    chainId: context.deployment().chainId,
    blockNumber: BigInt(blockNumber),
  });
}
