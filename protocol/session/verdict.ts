import { encodeAbiParameters, hashTypedData, keccak256, stringToHex } from "viem";

import type { Address, Bytes32, Hex } from "../words/hex.ts";
import { committeeDomain, verdictTypes } from "./domains.ts";
import type { VerdictMessage } from "./messages.ts";

/** A verdict as the contracts' struct has it (contracts/interfaces/Types.sol): ready for viem's ABI coder. */
export type VerdictStruct = Omit<VerdictMessage, "evidenceBlock"> & { readonly evidenceBlock: bigint };

const ZERO = `0x${"0".repeat(64)}` as Bytes32;

/** JSON numbers of a verdict's message → the contracts' struct. */
export const verdictStruct = (verdict: VerdictMessage): VerdictStruct => ({
  ...verdict,
  evidenceBlock: BigInt(verdict.evidenceBlock),
});

/** keccak256 of the sorted advisory ids joined by ","; zero when there are none (Types.sol `advisoriesDigest`). */
export function advisoriesDigest(advisoryIds: readonly string[]): Bytes32 {
  const ids = [...new Set(advisoryIds)].sort();
  return ids.length === 0 ? ZERO : (keccak256(stringToHex(ids.join(","))) as Bytes32);
}

/** The typed data that a committee member signs for a verdict. */
export const verdictTypedData = (chainId: number, verifier: Address, verdict: VerdictMessage) =>
  ({
    domain: committeeDomain(chainId, verifier),
    types: verdictTypes,
    primaryType: "Verdict",
    message: verdictStruct(verdict),
  }) as const;

/** EIP-712 digest of a verdict, equal to `ICommitteeVerifier.verdictDigest`. */
export const verdictDigest = (chainId: number, verifier: Address, verdict: VerdictMessage): Bytes32 =>
  hashTypedData(verdictTypedData(chainId, verifier, verdict)) as Bytes32;

/** A committee's proof: abi.encode(Verdict, bytes[] signatures), ordered by ascending seat. */
export function encodeCommitteeProof(
  verdict: VerdictMessage,
  signatures: readonly { seat: Address; signature: Hex }[],
): Hex {
  const sorted = [...signatures].sort((a, b) => (a.seat < b.seat ? -1 : a.seat > b.seat ? 1 : 0));
  return encodeAbiParameters(
    [{ type: "tuple", components: verdictTypes.Verdict }, { type: "bytes[]" }],
    [verdictStruct(verdict), sorted.map(({ signature }) => signature)],
  );
}
