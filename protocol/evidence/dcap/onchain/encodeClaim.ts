import { encodePacked } from "viem";

import type { Address, Bytes32, Hex } from "../../../words/hex.ts";

/** What a direct proof says that its quote is bound to; the consumer is whoever calls. */
export interface DirectClaim {
  readonly subject: Address;
  readonly key: Address;
  readonly evidenceBlock: bigint;
  /** Of an instance; absent: a node's. */
  readonly instance?: {
    readonly osImageHash: Bytes32;
    /** compose hash ‖ app id ‖ kind of key provider ‖ its id, where MRCONFIGID has version 2 (53 to 255 bytes). */
    readonly preimage?: Hex;
  };
}

const NODE = 1;
const INSTANCE = 2;

/**
 * The proof that DcapVerifier's `verify` takes: claim ‖ quote (contracts/interfaces/IDcapVerifier.sol).
 * @param quote as `encodeFirstQuote` or `encodeKnownQuote` gives it.
 */
export function encodeDirectProof(claim: DirectClaim, quote: Hex): Hex {
  const { subject, key, evidenceBlock, instance } = claim;
  const prefix = encodePacked(
    ["uint8", "address", "address", "uint64"],
    [instance ? INSTANCE : NODE, subject, key, evidenceBlock],
  );
  const { osImageHash, preimage = "0x" } = instance ?? {};
  const bracket = osImageHash
    ? encodePacked(["bytes32", "uint8", "bytes"], [osImageHash, (preimage.length - 2) / 2, preimage])
    : "0x";
  return `${prefix}${bracket.slice(2)}${quote.slice(2)}`;
}
