import type { PublicClient } from "viem";
import { BaseError, ContractFunctionRevertedError } from "viem";

import { committeeVerifierAbi } from "../../protocol/abi/committeeVerifier.ts";
import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { seatAt } from "../../protocol/policy/seatAt.ts";
import { committeeAt } from "../../protocol/state/committeeAt.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { Projection } from "../chain/projection.ts";
import { asChainError } from "../chain/rpc.ts";

/** Who may speak for the committee now. */
export interface Committee {
  /** Seats that must have signed. */
  readonly threshold: number;
  /** The seat that this key speaks for now; null where its signature does not count. @throws CharterError `chain/…`. */
  readonly seatOf: (signer: Address) => Promise<Address | null>;
}

interface Options {
  readonly projection: Pick<Projection, "newest">;
  readonly client: Pick<PublicClient, "readContract">;
  readonly deployment: Pick<Deployment, "chainId" | "attestationLedger" | "committeeVerifier">;
  /** Unix seconds. */
  readonly now: number;
}

const ZERO = `0x${"00".repeat(20)}`;

/**
 * The committee as the newest block has it, for a transaction of now. Where operators sit, whom events let sign is asked of the chain as well: only
 * it knows how the record of a signer's direct proof stands.
 */
export function committeeNow({ projection, client, deployment, now }: Options): Committee {
  const { state, block } = projection.newest;
  const { chainId, attestationLedger: ledger, committeeVerifier } = deployment;
  const time = Math.max(block.timestamp, now);
  const committee = committeeAt(state, time);
  return {
    threshold: committee.threshold,
    seatOf: async (signer) => {
      const seat = seatAt(state, signer, { time, chainId, ledger });
      if (seat === null || (committee.ledger as string) === ZERO) return seat;
      const asked = await asChainError("seatOf", seatOnChain(client, committeeVerifier, signer));
      return asked === seat ? seat : null;
    },
  };
}

/** Null where the contract refuses: then it is no seat's. */
async function seatOnChain(
  client: Options["client"],
  address: Address,
  signer: Address,
): Promise<Address | null> {
  try {
    const call = { address, abi: committeeVerifierAbi, functionName: "seatOf", args: [signer] } as const;
    return (await client.readContract(call)).toLowerCase() as Address;
  } catch (cause) {
    const isRefusal =
      cause instanceof BaseError && cause.walk((at) => at instanceof ContractFunctionRevertedError) !== null;
    if (isRefusal) return null;
    throw cause;
  }
}
