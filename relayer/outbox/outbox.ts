import type { Bytes32 } from "../../protocol/words/hex.ts";
import type { IntentStore } from "../store/intentStore.ts";
import type { Intent, IntentRequest, IntentState } from "./intent.ts";
import type { OutboxChain, TransactionSigner } from "./seams.ts";

export interface OutboxOptions {
  readonly chainId: number;
  readonly chain: OutboxChain;
  readonly store: IntentStore;
  readonly signer: TransactionSigner;
  readonly pollMs?: number;
}

export declare class Outbox {
  constructor(options: OutboxOptions);
  /** Idempotent: the same id gives the stored intent; a failed one is planned again. */
  plan(request: IntentRequest): Promise<Intent>;
  intentById(id: Bytes32): Promise<Intent | null>;
  counts(): Promise<Record<IntentState, number>>;
  tick(): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
  wake(): void;
}
