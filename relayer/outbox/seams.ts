import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";

/** Who signs transactions. A development key today; KMS or an enclave stands behind the same two members. */
export interface TransactionSigner {
  readonly address: Address;
  signTransaction(transaction: UnsignedTransaction): Promise<Hex>;
}

/** An EIP-1559 transaction; fees in wei. */
export interface UnsignedTransaction {
  readonly type: "eip1559";
  readonly chainId: number;
  readonly nonce: number;
  readonly to: Address;
  readonly data: Hex;
  readonly value: bigint;
  readonly gas: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** Where a signer stands: counts are the numbers of transactions mined up to a block. */
export interface SignerPosition {
  readonly newestBlock: bigint;
  readonly finalBlock: bigint;
  readonly newestNonce: bigint;
  readonly finalNonce: bigint;
}

export interface Receipt {
  readonly blockNumber: bigint;
  readonly blockHash: Bytes32;
  readonly success: boolean;
}

/** All that the outbox knows of a chain. Every method throws CharterError; `outbox/reverted` alone is permanent. */
export interface OutboxChain {
  /** Runs the call on the newest block; gas that it needs, in units. */
  simulate(call: { from: Address; to: Address; data: Hex }): Promise<bigint>;
  /** Fees for a transaction that should be in the next blocks, in wei. */
  fees(): Promise<{ maxFeePerGas: bigint; maxPriorityFeePerGas: bigint }>;
  position(signer: Address): Promise<SignerPosition>;
  /** Sends signed bytes. Bytes that the chain already knows are no error. */
  send(raw: Hex): Promise<void>;
  /** Receipt on the canonical chain of now, or null. */
  receipt(transactionHash: Hex): Promise<Receipt | null>;
}
