import { encodeAbiParameters } from "viem";

import { abiWords } from "../../protocol/words/abiWords.ts";
import type { ProofSystem } from "../../protocol/words/enums.ts";
import { fromHex } from "../../protocol/words/hex.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import { keccak256 } from "../keccak.ts";

/**
 * `planned → signed → sent → included → final`; `failed` when the contract or the node refuses; `replaced` when it was
 * given up after it had a nonce, which a transfer of nothing to oneself has used up. A reorg takes `included` back to `sent`.
 */
export type IntentState = "planned" | "signed" | "sent" | "included" | "final" | "failed" | "replaced";

/** Why an intent failed, or what keeps it: a stable code and details. */
export interface IntentError {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** One effect that the chain shall have, exactly once. */
export interface IntentRequest {
  /** Idempotency key: see `intentId`. */
  readonly id: Bytes32;
  readonly to: Address;
  readonly data: Hex;
  /** What it is, for people and metrics, e.g. `node.register`. */
  readonly label: string;
  /** Unix seconds after which it shall not happen any more; none by default. */
  readonly deadline?: number;
}

/** An intent as stored: what the API answers and metrics count. */
export interface Intent extends IntentRequest {
  readonly state: IntentState;
  readonly nonce: bigint | null;
  /** Transaction that was included last, null before. */
  readonly transactionHash: Hex | null;
  readonly includedIn: { readonly number: bigint; readonly hash: Bytes32 } | null;
  /** Why it failed, or what kept it from advancing when last tried. */
  readonly error: IntentError | null;
  /** Refusals by the node since it last took something. */
  readonly refusals: number;
}

/**
 * Idempotency key of a proof or an entry: the same evidence for the same subject and key at the same contract, proven by
 * the same system, is one effect, however often and from wherever it is asked for. Where one proof of whatever system is
 * enough (a node's entry) the system is `None`. It is known before the proof exists.
 */
export function intentId(of: {
  chainId: number;
  contract: Address;
  subject: Address;
  key: Address;
  evidenceDigest: Bytes32;
  system: ProofSystem;
}): Bytes32 {
  const { chainId, contract, subject, key, evidenceDigest, system } = of;
  return keccak256(abiWords(BigInt(chainId), contract, subject, key, evidenceDigest, BigInt(system)));
}

/** Idempotency key of a batch's posting: one per root at one ledger. */
export function batchId(chainId: number, ledger: Address, root: Bytes32): Bytes32 {
  return hashOf(
    encodeAbiParameters(
      [{ type: "string" }, { type: "uint256" }, { type: "address" }, { type: "bytes32" }],
      ["batch", BigInt(chainId), ledger, root],
    ),
  );
}

/** Idempotency key of claiming these leaves of a batch, by their places. */
export function claimId(
  chainId: number,
  ledger: Address,
  root: Bytes32,
  positions: readonly number[],
): Bytes32 {
  return hashOf(
    encodeAbiParameters(
      [
        { type: "string" },
        { type: "uint256" },
        { type: "address" },
        { type: "bytes32" },
        { type: "uint32[]" },
      ],
      ["claim", BigInt(chainId), ledger, root, positions],
    ),
  );
}

/**
 * Idempotency key of what brings collateral or a judgement up to date: once per contract and content.
 * @param content what makes this effect another than an earlier one.
 */
export function upkeepId(chainId: number, contract: Address, content: Bytes32): Bytes32 {
  return hashOf(
    encodeAbiParameters(
      [{ type: "string" }, { type: "uint256" }, { type: "address" }, { type: "bytes32" }],
      ["upkeep", BigInt(chainId), contract, content],
    ),
  );
}

/** Id of the bytes that use up a nonce which nothing stands on. */
export function fillerId(signer: Address, nonce: bigint): Bytes32 {
  return hashOf(encodeAbiParameters([{ type: "address" }, { type: "uint256" }], [signer, nonce]));
}

const hashOf = (encoded: Hex): Bytes32 => keccak256(fromHex(encoded));
