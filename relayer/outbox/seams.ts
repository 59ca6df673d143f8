import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";

/** Who signs transactions: a key of this process or another one's (signers/). */
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

/** Per unit of gas, in wei. */
export interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** Where the chain and a signer stand. */
export interface SignerPosition {
  readonly newestBlock: bigint;
  readonly finalBlock: bigint;
  /** Transactions of the signer mined up to the newest block: the next nonce that the chain takes. */
  readonly nonce: bigint;
}

export interface Receipt {
  readonly blockNumber: bigint;
  readonly blockHash: Bytes32;
  readonly success: boolean;
}

/**
 * All that the outbox knows of a chain. Every method throws CharterError; `outbox/reverted` (the contract refuses) and
 * `outbox/unacceptable` (the node will never take it) are permanent.
 */
export interface OutboxChain {
  /** Runs the call on the newest block; gas that it needs, in units. @throws `outbox/reverted` with the error's name, `outbox/refused`, `outbox/unacceptable`. */
  simulate(call: { from: Address; to: Address; data: Hex }): Promise<bigint>;
  /** Fees for a transaction that should be in one of the next blocks. */
  fees(): Promise<Fees>;
  position(signer: Address): Promise<SignerPosition>;
  /** What the signer's account holds, in wei. */
  balance(signer: Address): Promise<bigint>;
  /** Sends signed bytes. That the chain knows them, or is past their nonce, is no error. @throws `outbox/refused`, `outbox/unacceptable`, `outbox/insufficient-funds`. */
  send(raw: Hex): Promise<void>;
  /** Receipt on the canonical chain of now, or null. */
  receipt(transactionHash: Hex): Promise<Receipt | null>;
}
