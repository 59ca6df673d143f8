import { keccak256, type Keccak256 } from "../crypto/keccak.ts";
import { abiWords } from "../words/abiWords.ts";
import { toHex, type Address, type Bytes32, type Hex } from "../words/hex.ts";

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

const domainOf = (purpose: Binding["purpose"]): Bytes32 =>
  keccak256(new TextEncoder().encode(`charter.${purpose}.v1`));
const DOMAINS = { instance: domainOf("instance"), node: domainOf("node") } as const;

/** What the first half of the report data is the hash of: abi.encode of everything that it binds. */
export const reportDataPreimage = (binding: Binding): Hex => toHex(preimageOf(binding));

function preimageOf(binding: Binding): Uint8Array {
  const { purpose, chainId, consumer, subject, key, blockNumber, blockHash } = binding;
  return abiWords(DOMAINS[purpose], BigInt(chainId), consumer, subject, key, blockNumber, blockHash);
}

/**
 * The 64 bytes of report data: keccak256(abi.encode(domain, chainId, consumer, subject, key, block number, block hash))
 * and then the GPU digest, or zeros (contracts/interfaces/Types.sol, `Verdict`).
 */
export function reportData(binding: Binding, keccak: Keccak256 = keccak256): Hex {
  const digest = keccak(preimageOf(binding));
  return `${digest as Hex}${binding.gpuDigest ? binding.gpuDigest.slice(2) : "0".repeat(64)}`;
}
