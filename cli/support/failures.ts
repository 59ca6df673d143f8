import {
  BaseError,
  ContractFunctionRevertedError,
  HttpRequestError,
  TimeoutError,
  toFunctionSelector,
} from "viem";

import { appAbi } from "../../protocol/abi/app.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { EvidenceError } from "../../protocol/evidence/index.ts";
import { SettingKind } from "../../protocol/policy/settingKind.ts";
import { Level, nameOf, ProofSystem, TcbStatus } from "../../protocol/words/enums.ts";
import { CliError } from "./CliError.ts";
import { ExitCode } from "./exitCodes.ts";

/** Any failure → the typed error that is shown and the code that the process exits with. */
export function asCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof EvidenceError) {
    const checks = error.checks.map(({ name, ok }) => ({ name, ok }));
    return new CliError(ExitCode.NotVerified, error.code, error.message, { ...error.details, checks });
  }
  if (error instanceof CharterError) return wrap(ExitCode.Usage, error);
  if (error instanceof BaseError) return asChainError(error);
  return new CliError(ExitCode.Internal, "cli/internal", "an unexpected failure; please report it", {
    message: error instanceof Error ? error.message : String(error),
  });
}

const wrap = (exitCode: CliError["exitCode"], error: CharterError): CliError =>
  new CliError(exitCode, error.code, error.message, { ...error.details });

function asChainError(error: BaseError): CliError {
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (reverted instanceof ContractFunctionRevertedError) {
    const name = reverted.data?.errorName ?? reverted.reason ?? "without a known error";
    return new CliError(ExitCode.Refused, "chain/refused", `the contract refuses: ${name}`, {
      error: name,
      ...namedArguments(reverted),
    });
  }
  const isUnreachable = error.walk(
    (cause) => cause instanceof HttpRequestError || cause instanceof TimeoutError,
  );
  if (isUnreachable) {
    return new CliError(ExitCode.Unreachable, "chain/unreachable", "the chain cannot be reached", {
      message: error.shortMessage,
    });
  }
  return new CliError(ExitCode.Refused, "chain/failed", error.shortMessage);
}

/** Arguments of a decoded revert by their names, and in words where they are numbers of ours or selectors. */
function namedArguments(reverted: ContractFunctionRevertedError): Record<string, unknown> {
  const { data } = reverted;
  const inputs = data?.abiItem && "inputs" in data.abiItem ? data.abiItem.inputs : [];
  return Object.fromEntries(
    inputs.map((input, i) => [input.name ?? String(i), inWords(input.internalType, data?.args?.[i])]),
  );
}

const WORDS: Readonly<Record<string, Record<string, number>>> = {
  "enum Level": Level,
  "enum SettingKind": SettingKind,
  "enum ProofSystem": ProofSystem,
  "enum TcbStatus": TcbStatus,
};

function inWords(type: string | undefined, value: unknown): unknown {
  const words = WORDS[type ?? ""];
  if (words && typeof value === "number") return nameOf(words, value);
  if (type !== "bytes4") return value;
  const called = appAbi.find((item) => item.type === "function" && toFunctionSelector(item) === value);
  return called && "name" in called ? called.name : value;
}
