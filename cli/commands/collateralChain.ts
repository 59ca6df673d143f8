import type { Command } from "commander";
import { BaseError, ContractFunctionRevertedError } from "viem";

import { dcapCollateralAbi } from "../../protocol/abi/dcapCollateral.ts";
import { INTEL_PCS_URL } from "../../protocol/evidence/dcap/pcsAnswers.ts";
import { platformFamily, type PlatformFamily } from "../../protocol/evidence/dcap/platformFamily.ts";
import { readEvidence } from "../../protocol/evidence/index.ts";
import type { Hex } from "../../protocol/words/hex.ts";
import { fetchCollateral } from "../support/collateral/fetchCollateral.ts";
import {
  piecesOfFile,
  piecesOfFiles,
  piecesOfSet,
  type Piece,
  type PieceFiles,
} from "../support/collateral/pieces.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, readBytes, type Context } from "../support/context.ts";
import { deployed } from "../support/deployed.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { table, timeText } from "../support/output.ts";
import { perform } from "../support/perform.ts";
import { send } from "../support/send.ts";
import { fmspcOption, repeat, timeOption, wholeNumber } from "../support/values.ts";

interface PutOptions extends PieceFiles {
  readonly set?: string;
  readonly for?: string;
  readonly pcs?: string;
  readonly early?: boolean;
}

const text = repeat((path: string) => path);

/** `charter collateral put|set-minimum`: Intel's collateral on the chain. Anyone may bring it; the contract verifies it. */
export function addCollateralChainCommands(collateral: Command): void {
  collateral
    .command("put")
    .description(
      "bring Intel's collateral onto the chain (anyone): from files, or for a platform from Intel's service",
    )
    .option("--set <file>", "a whole set, in the JSON form that `charter verify --collateral` takes")
    .option("--crl <file>", "a CRL in DER (repeatable)", text)
    .option(
      "--certificate <file>",
      "a PCK CA's certificate or the TCB signer's, PEM or DER (repeatable)",
      text,
    )
    .option("--identity <file>", "a QE identity as the service answers it (repeatable)", text)
    .option("--tcb-info <file>", "TCB info as the service answers it (repeatable)", text)
    .option("--for <evidence>", "fetch all that this TDX or SGX quote is judged by")
    .option("--pcs <url>", "with --for: the service or a PCCS (default: Intel's)")
    .option("--early", "with --for: the TCB set that Intel has announced")
    .action(async (options: PutOptions, command: Command) => {
      const context = contextOf(command);
      const address = deployed(context, "dcapCollateral");
      const pieces = await piecesIn(options);
      const outcomes: { piece: string; outcome: "kept" | "older"; transaction: Hex | null }[] = [];
      for (const { name: piece, call } of pieces) {
        context.out.note(`${piece} …`);
        const transaction = await bring(context, { address, abi: dcapCollateralAbi, ...call });
        outcomes.push({ piece, outcome: transaction === null ? "older" : "kept", transaction });
      }
      const rows = outcomes.map(({ piece, outcome, transaction }) => [
        piece,
        outcome === "kept" ? "kept" : "older than what the chain has",
        transaction ?? "",
      ]);
      context.out.result({ pieces: outcomes }, table(["piece", "outcome", "transaction"], rows));
    });
  collateral
    .command("set-minimum")
    .description(
      "least evaluation number of a family's TCB info and QE identity from a time on (owner: the Timelock)",
    )
    .argument("<fmspc>", "12 hex digits", fmspcOption)
    .argument("<number>", "evaluation number", wholeNumber)
    .requiredOption("--from <time>", "until then the previous set counts (ISO time)", timeOption)
    .action(async (fmspc: Hex, number: number, { from }: { from: number }, command: Command) => {
      const context = contextOf(command);
      await perform(
        context,
        {
          address: deployed(context, "dcapCollateral"),
          abi: dcapCollateralAbi,
          functionName: "setMinEvaluationNumber",
          args: [fmspc, number, from],
        },
        {
          title: `Want evaluation number ${number} of platforms ${fmspc}`,
          text: `From ${timeText(from)} on older TCB info and QE identity of this family count no more.`,
        },
        { fmspc, number, from },
      );
    });
}

async function piecesIn({ set, for: evidence, pcs, early, ...files }: PutOptions): Promise<readonly Piece[]> {
  if (evidence === undefined && (pcs !== undefined || early !== undefined)) {
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --for with --pcs and --early");
  }
  const pieces = [
    ...(set === undefined ? [] : piecesOfFile(set)),
    ...piecesOfFiles(files),
    ...(evidence === undefined
      ? []
      : piecesOfSet(await fetchCollateral(pcs ?? INTEL_PCS_URL, familyOf(evidence), early ?? false))),
  ];
  if (pieces.length > 0) return pieces;
  throw new CliError(ExitCode.Usage, "cli/usage", "expected --set, files of single pieces, or --for");
}

function familyOf(path: string): PlatformFamily {
  const evidence = readEvidence(readBytes(path));
  if (evidence.kind === "dcap") return platformFamily(evidence.quote);
  throw new CliError(ExitCode.Usage, "cli/usage", "expected evidence of TDX or SGX", { path });
}

/** Null where the chain has a newer one: that is no failure, somebody else was first. Anything else that is refused is. */
async function bring(context: Context, call: Parameters<typeof send>[1]): Promise<Hex | null> {
  try {
    return (await send(context, call)).hash;
  } catch (error) {
    const reverted =
      error instanceof BaseError
        ? error.walk((cause) => cause instanceof ContractFunctionRevertedError)
        : null;
    if (reverted instanceof ContractFunctionRevertedError && reverted.data?.errorName === "CollateralOlder") {
      return null;
    }
    throw error;
  }
}
