import { randomUUID } from "node:crypto";

import { keccak256 } from "viem";

import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import { pause } from "../pause.ts";
import type { InFlight, IntentStore, SignedTransaction, SignerLease } from "../store/intentStore.ts";
import { bumped, capped } from "./fees.ts";
import { fillerId } from "./intent.ts";
import type { Intent, IntentRequest, IntentState } from "./intent.ts";
import type { Fees, OutboxChain, Receipt, SignerPosition, TransactionSigner } from "./seams.ts";

/** Points between two steps, each a place to crash at. */
export type OutboxStep = "planned" | "stored" | "handed-over" | "sent" | "included" | "final";

export interface OutboxOptions {
  readonly chainId: number;
  readonly chain: OutboxChain;
  readonly store: IntentStore;
  readonly signer: TransactionSigner;
  /** Name of this replica in the signer's lease; random by default. */
  readonly holder?: string;
  readonly leaseMs?: number;
  /** Milliseconds between ticks of `run`; `plan` and `wake` shorten one. 500 by default. */
  readonly pollMs?: number;
  /** Blocks that sent bytes may wait before they are replaced by bytes with higher fees. */
  readonly bumpAfterBlocks?: number;
  /** Never more than this per unit of gas, in wei. */
  readonly maxFeePerGasWei?: bigint;
  /** Nonces that may wait for finality at once. */
  readonly maxInFlight?: number;
  /** Called at each point between two steps, before the next one: metrics, and tests that crash there. */
  readonly onStep?: (step: OutboxStep, id: Bytes32) => void;
}

export interface OutboxStatus {
  /** Does this replica write for the signer? */
  readonly leading: boolean;
  readonly lastError: { readonly code: string; readonly message: string } | null;
}

const DEFAULTS = {
  leaseMs: 15_000,
  pollMs: 500,
  bumpAfterBlocks: 6,
  maxFeePerGasWei: 500_000_000_000n,
  maxInFlight: 64,
  onStep: () => undefined,
};
/** What keeps stored bytes from the chain for now. */
const REFUSED: ReadonlySet<string> = new Set(["outbox/refused", "outbox/insufficient-funds"]);
const MAX_BACKOFF_MS = 10_000;
/** How long a planned intent rests after a failure that may pass. */
const RETRY_MS = 2_000;

/**
 * Brings planned calls onto the chain, each exactly once as far as its contract is idempotent: nonce and signed bytes
 * are stored before they are sent, so a crash anywhere is healed by sending stored bytes again.
 */
export class Outbox {
  readonly #options: Required<OutboxOptions>;
  #lease: SignerLease | null = null;
  #lastError: CharterError | null = null;
  #wake: (() => void) | null = null;
  /** Height at which this process last handed bytes over, by transaction hash. */
  readonly #handedOver = new Map<Hex, bigint>();
  /** Height at which a nonce was first seen used by bytes that are not ours. */
  readonly #usedByOthers = new Map<Bytes32, bigint>();

  constructor(options: OutboxOptions) {
    this.#options = { ...DEFAULTS, holder: randomUUID(), ...options };
  }

  /** Idempotent: the same id gives the stored intent; a failed one is planned again. */
  async plan(request: IntentRequest): Promise<Intent> {
    const intent = await this.#options.store.plan(this.#options.signer.address, request);
    this.#options.onStep("planned", intent.id);
    this.wake();
    return intent;
  }

  intentById(id: Bytes32): Promise<Intent | null> {
    return this.#options.store.byId(id);
  }

  counts(): Promise<Record<IntentState, number>> {
    return this.#options.store.counts();
  }

  status(): OutboxStatus {
    const error = this.#lastError;
    return {
      leading: this.#lease !== null,
      lastError: error && { code: error.code, message: error.message },
    };
  }

  /** Ends the current wait of `run`. */
  wake(): void {
    this.#wake?.();
  }

  /** Ticks until `signal` aborts, then lets another replica take over. */
  async run(signal: AbortSignal): Promise<void> {
    let waitMs = 0;
    while (!signal.aborted) {
      try {
        await this.tick();
        waitMs = this.#options.pollMs;
      } catch {
        // `status()` says what failed.
        waitMs = Math.min(MAX_BACKOFF_MS, Math.max(waitMs, 100) * 2) * (0.75 + Math.random() / 2);
      }
      await this.#wait(waitMs, signal);
    }
    if (this.#lease) await this.#options.store.release(this.#lease).catch(() => undefined);
    this.#lease = null;
  }

  async #wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await pause(milliseconds, AbortSignal.any([signal, woken.signal]));
    this.#wake = null;
  }

  /** One pass over everything open; nothing when another replica leads. One at a time. */
  async tick(): Promise<void> {
    try {
      await this.#pass();
      this.#lastError = null;
    } catch (error) {
      this.#lastError = isCharterError(error)
        ? error
        : new CharterError("outbox/failed", "a pass over the outbox failed", {}, { cause: error });
      if (this.#lastError.code === "outbox/lease-lost") this.#lease = null;
      throw this.#lastError;
    }
  }

  async #pass(): Promise<void> {
    const { store, chain, signer, holder, leaseMs, maxInFlight } = this.#options;
    this.#lease = await store.acquire(signer.address, holder, leaseMs, this.#lease?.fence);
    if (!this.#lease) return;
    const lease = this.#lease;
    const position = await chain.position(signer.address);
    const open = await store.inFlight(signer.address);
    await this.#fillGaps(lease, open, position);
    for (const intent of open) await this.#advance(lease, intent, position);
    const room = maxInFlight - open.length;
    if (room <= 0) return;
    for (const intent of await store.ready(signer.address, room)) await this.#begin(lease, intent, position);
  }

  /** planned → signed → sent, or failed when the contract refuses. */
  async #begin(lease: SignerLease, intent: Intent, position: SignerPosition): Promise<void> {
    const { store, chain, signer, maxFeePerGasWei, onStep } = this.#options;
    let gas: bigint;
    try {
      gas = await chain.simulate({ from: signer.address, to: intent.to, data: intent.data });
    } catch (error) {
      if (!isCharterError(error) || error.code === "chain/unreachable") throw error;
      const permanent = error.code === "outbox/reverted";
      return store.step(lease, intent.id, {
        state: permanent ? "failed" : "planned",
        error,
        delayMs: RETRY_MS,
      });
    }
    const fees = capped(await chain.fees(), maxFeePerGasWei);
    // A nonce that nothing can pay for would hold up every one after it.
    const cost = ((gas * 5n) / 4n) * fees.maxFeePerGas;
    const balance = await chain.balance(signer.address);
    if (balance < cost) {
      const error = new CharterError("outbox/insufficient-funds", "the signer's account cannot pay", {
        signer: signer.address,
        expectedWei: cost,
        actualWei: balance,
      });
      return store.step(lease, intent.id, { state: "planned", error, delayMs: RETRY_MS });
    }
    // A quarter more than was needed: the state may differ when it is mined.
    const stored = await store.sign(lease, intent.id, position.nonce, (nonce) =>
      this.#signed(intent, nonce, (gas * 5n) / 4n, fees),
    );
    onStep("stored", intent.id);
    await this.#handOver(lease, intent.id, stored, position);
  }

  async #signed(
    call: { readonly to: Address; readonly data: Hex },
    nonce: bigint,
    gas: bigint,
    fees: Fees,
  ): Promise<SignedTransaction> {
    const { chainId, signer } = this.#options;
    const raw = await signer.signTransaction({
      type: "eip1559",
      chainId,
      nonce: Number(nonce),
      to: call.to,
      data: call.data,
      value: 0n,
      gas,
      ...fees,
    });
    return { raw, hash: keccak256(raw), gas, ...fees };
  }

  /** Sends stored bytes. What the node refuses stays signed, with the reason, and is tried again. */
  async #handOver(lease: SignerLease, id: Bytes32, bytes: SignedTransaction, position: SignerPosition) {
    const { store, chain, onStep } = this.#options;
    this.#handedOver.set(bytes.hash, position.newestBlock);
    try {
      await chain.send(bytes.raw);
    } catch (error) {
      if (!isCharterError(error) || !REFUSED.has(error.code)) throw error;
      return store.step(lease, id, { state: "signed", error });
    }
    onStep("handed-over", id);
    await store.sent(lease, id, bytes.hash, position.newestBlock);
    onStep("sent", id);
  }

  async #advance(lease: SignerLease, intent: InFlight, position: SignerPosition): Promise<void> {
    const found = await this.#findReceipt(intent);
    if (found) return this.#included(lease, intent, found.hash, found.receipt, position);
    const newest = intent.transactions.at(-1);
    if (!newest) return;
    if (intent.state === "included") {
      // Its block is gone: the bytes are valid still.
      await this.#options.store.step(lease, intent.id, {
        state: "sent",
        transactionHash: null,
        included: null,
      });
      return this.#handOver(lease, intent.id, newest, position);
    }
    if (position.nonce > intent.nonce) return this.#usedElsewhere(lease, intent, position);
    this.#usedByOthers.delete(intent.id);
    const waited = newest.sentAtBlock === null ? 0n : position.newestBlock - newest.sentAtBlock;
    if (intent.state === "sent" && waited >= BigInt(this.#options.bumpAfterBlocks)) {
      return this.#bump(lease, intent, newest, position);
    }
    // Once per process (it may have been stored before a crash), then once per block that passes without it.
    if (intent.state === "signed" || this.#handedOver.get(newest.hash) !== position.newestBlock) {
      await this.#handOver(lease, intent.id, newest, position);
    }
  }

  /** The receipt of whichever bytes of this nonce were mined: only one can be. */
  async #findReceipt(intent: InFlight): Promise<{ hash: Hex; receipt: Receipt } | null> {
    for (const { hash } of intent.transactions.toReversed()) {
      const receipt = await this.#options.chain.receipt(hash);
      if (receipt) return { hash, receipt };
    }
    return null;
  }

  async #included(
    lease: SignerLease,
    intent: InFlight,
    hash: Hex,
    receipt: Receipt,
    position: SignerPosition,
  ) {
    const { store, onStep } = this.#options;
    const included = { number: receipt.blockNumber, hash: receipt.blockHash };
    if (intent.state !== "included" || intent.includedIn?.hash !== included.hash) {
      await store.step(lease, intent.id, { state: "included", transactionHash: hash, included, error: null });
      onStep("included", intent.id);
    }
    if (receipt.blockNumber > position.finalBlock) return;
    const error = receipt.success
      ? null
      : new CharterError(
          "outbox/reverted-on-chain",
          "the contract refused the transaction when it was mined",
          {
            transactionHash: hash,
          },
        );
    await store.step(lease, intent.id, { state: error ? "failed" : "final", error });
    for (const { hash: done } of intent.transactions) this.#handedOver.delete(done);
    onStep("final", intent.id);
  }

  /** The nonce is used, and not by bytes of ours: once that is final, the intent needs another. */
  async #usedElsewhere(lease: SignerLease, intent: InFlight, position: SignerPosition): Promise<void> {
    const since = this.#usedByOthers.get(intent.id) ?? position.newestBlock;
    this.#usedByOthers.set(intent.id, since);
    if (position.finalBlock < since) return;
    this.#usedByOthers.delete(intent.id);
    const error = new CharterError(
      "outbox/nonce-used-elsewhere",
      "the signer's key was used outside the outbox",
      {
        nonce: intent.nonce,
      },
    );
    const filler = intent.id === fillerId(lease.signer, intent.nonce);
    await this.#options.store.step(lease, intent.id, {
      state: filler ? "failed" : "planned",
      nonce: null,
      error,
    });
  }

  async #bump(
    lease: SignerLease,
    intent: InFlight,
    newest: SignedTransaction,
    position: SignerPosition,
  ): Promise<void> {
    const { store, chain, maxFeePerGasWei, onStep } = this.#options;
    const fees = bumped(newest, await chain.fees(), maxFeePerGasWei);
    if (!fees) {
      const error = new CharterError("outbox/fee-cap", "the transaction waits at the highest fee allowed", {
        maxFeePerGasWei,
      });
      await store.step(lease, intent.id, { state: "sent", error });
      if (this.#handedOver.get(newest.hash) === position.newestBlock) return;
      this.#handedOver.set(newest.hash, position.newestBlock);
      return chain.send(newest.raw);
    }
    const replacement = await this.#signed(intent, intent.nonce, newest.gas, fees);
    await store.replace(lease, intent, replacement);
    onStep("stored", intent.id);
    await this.#handOver(lease, intent.id, replacement, position);
  }

  /**
   * A nonce that the chain has yet to see was given out, and nothing open stands on it: a deep reorg took back what was final, or
   * the row is gone. Stored bytes are sent again; a nonce without any is used up by a transfer of nothing to oneself.
   */
  async #fillGaps(lease: SignerLease, open: readonly InFlight[], position: SignerPosition): Promise<void> {
    const { store, chain, signer, maxFeePerGasWei } = this.#options;
    const held = new Set(open.map((intent) => intent.nonce));
    for (let nonce = position.nonce; nonce < lease.nextNonce; nonce++) {
      if (held.has(nonce)) continue;
      const earlier = await store.byNonce(signer.address, nonce);
      const bytes = earlier?.transactions.at(-1);
      if (earlier && bytes) {
        await store.step(lease, earlier.id, { state: "sent", transactionHash: null, included: null });
        await this.#handOver(lease, earlier.id, bytes, position);
        continue;
      }
      const fees = capped(await chain.fees(), maxFeePerGasWei);
      const request = {
        id: fillerId(signer.address, nonce),
        to: signer.address,
        data: "0x" as Hex,
        label: "filler",
      };
      const filler = await this.#signed(request, nonce, 21_000n, fees);
      await store.fill(lease, request, nonce, filler);
      await this.#handOver(lease, request.id, filler, position);
    }
  }
}
