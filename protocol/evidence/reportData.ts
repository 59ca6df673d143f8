import { encodeAbiParameters, keccak256, stringToHex } from "viem";

import type { Address, Bytes32, Hex } from "../words/hex.ts";

/** What evidence is bound to. `consumer`: ledger (instances) or node registry (nodes); `subject`: app or operator. */
export interface Binding {
  readonly purpose: "instance" | "node";
  readonly chainId: number;
  readonly consumer: Address;
  readonly subject: Address;
  readonly key: Address;
  readonly blockNumber: bigint;
  readonly blockHash: Bytes32;
  /** Digest of GPU evidence, when there is any. */
  readonly gpuDigest?: Bytes32;
}

const domainOf = (purpose: Binding["purpose"]): Hex => keccak256(stringToHex(`charter.${purpose}.v1`));

const FIELDS = [
  { type: "bytes32" },
  { type: "uint256" },
  { type: "address" },
  { type: "address" },
  { type: "address" },
  { type: "uint64" },
  { type: "bytes32" },
] as const;

/** What the first half of the report data is the hash of: abi.encode of everything that it binds. */
export function reportDataPreimage(binding: Binding): Hex {
  const { purpose, chainId, consumer, subject, key, blockNumber, blockHash } = binding;
  return encodeAbiParameters(FIELDS, [
    domainOf(purpose),
    BigInt(chainId),
    consumer,
    subject,
    key,
    blockNumber,
    blockHash,
  ]);
}

/**
 * The 64 bytes of report data: keccak256(abi.encode(domain, chainId, consumer, subject, key, block number, block hash))
 * and then the GPU digest, or zeros (contracts/interfaces/Types.sol, `Verdict`).
 */
export function reportData(binding: Binding): Hex {
  const digest = keccak256(reportDataPreimage(binding));
  return `${digest}${binding.gpuDigest ? binding.gpuDigest.slice(2) : "0".repeat(64)}`;
}
