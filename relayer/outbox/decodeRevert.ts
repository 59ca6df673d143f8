import { decodeErrorResult } from "viem";
import type { Abi, Hex } from "viem";

import { advisorySetsAbi } from "../../protocol/abi/advisorySets.ts";
import { appAbi } from "../../protocol/abi/app.ts";
import { appRegistryAbi } from "../../protocol/abi/appRegistry.ts";
import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { committeeVerifierAbi } from "../../protocol/abi/committeeVerifier.ts";
import { dcapCollateralAbi } from "../../protocol/abi/dcapCollateral.ts";
import { dcapVerifierAbi } from "../../protocol/abi/dcapVerifier.ts";
import { nodeRegistryAbi } from "../../protocol/abi/nodeRegistry.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";

const ERRORS: Abi = [
  advisorySetsAbi,
  appAbi,
  appRegistryAbi,
  attestationLedgerAbi,
  committeeVerifierAbi,
  nodeRegistryAbi,
  dcapCollateralAbi,
  dcapVerifierAbi,
].flatMap((abi) => abi.filter((item) => item.type === "error"));

/** Every level of an error, outermost first. */
function* causes(error: unknown): Generator<Error> {
  for (let at = error; at instanceof Error; at = at.cause) yield at;
}

/** The bytes that a revert returned, wherever the node put them; null when it gave none. */
function revertData(error: unknown): Hex | null {
  for (const cause of causes(error)) {
    const data: unknown = "data" in cause ? cause.data : undefined;
    const found = typeof data === "object" && data !== null && "data" in data ? data.data : data;
    if (typeof found === "string" && /^0x([0-9a-f]{2})+$/i.test(found)) return found as Hex;
  }
  return null;
}

/** Did the contract refuse, or did the node fail? Code 3 is geth's for a revert; others only say so. */
const isRevert = (error: unknown): boolean =>
  [...causes(error)].some(
    (cause) =>
      ("code" in cause && cause.code === 3) || /execution reverted|\brevert(ed)?\b/i.test(cause.message),
  );

/** The typed error for a refused call: `outbox/reverted` with the contract's own error; null when it is no refusal. */
export function decodeRevert(error: unknown): CharterError | null {
  const data = revertData(error);
  if (data === null && !isRevert(error)) return null;
  try {
    if (data === null) throw new Error("no data");
    const { errorName, args } = decodeErrorResult({ abi: ERRORS, data });
    return new CharterError("outbox/reverted", `the contract refuses: ${errorName}`, {
      error: errorName,
      args,
    });
  } catch {
    return new CharterError("outbox/reverted", "the contract refuses without a known error", {
      error: null,
      data,
    });
  }
}
