import { keccak256 } from "viem";

import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import { inLanes } from "../inLanes.ts";
import type { InFlight, SignedTransaction, SignerLease, Step } from "../store/intentStore.ts";
import { bumped, capped } from "./fees.ts";
import { fillerId } from "./intent.ts";
import type { IntentRequest } from "./intent.ts";
import type { OutboxOptions } from "./outbox.ts";
import type { Fees, Receipt, SignerPosition } from "./seams.ts";

/** The outbox's options, all of them given. */
export type Rules = Required<OutboxOptions>;

/** One pass: under which lease, and where the chain stood when it began. */
export interface Pass {
  readonly lease: SignerLease;
  readonly position: SignerPosition;
  /** Renews the lease when it has grown old. @throws CharterError `outbox/lease-lost`. */
  readonly keepLease: () => Promise<void>;
}

interface HandedOver {
  readonly id: Bytes32;
  readonly bytes: SignedTransaction;
}

interface Found {
  readonly hash: Hex;
  readonly cancels: boolean;
  readonly receipt: Receipt;
}

const TRANSFER_GAS = 21_000n;
/** What keeps stored bytes from the chain for now. */
const REFUSED: ReadonlySet<string> = new Set(["outbox/refused", "outbox/insufficient-funds"]);

/** Moves intents that hold a nonce: signed → sent → included → final, replaced by higher fees or given up on the way. */
export class Mover {
  readonly #rules: Rules;
  /** Height at which this process last handed bytes over, by transaction hash. */
  readonly #handedOver = new Map<Hex, bigint>();
  /** Height at which a nonce was first seen used by bytes that are not ours. */
  readonly #usedByOthers = new Map<Bytes32, bigint>();

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  async signed(
    call: { readonly to: Address; readonly data: Hex },
    nonce: bigint,
    gas: bigint,
    fees: Fees,
    cancels = false,
  ): Promise<SignedTransaction> {
    const { chainId, signer } = this.#rules;
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
    return { raw, hash: keccak256(raw), gas, ...fees, cancels };
  }

  /** Why it is too late for this intent, or null. */
  overdue({ deadline }: Pick<IntentRequest, "deadline">): CharterError | null {
    const now = this.#rules.now();
    if (deadline === undefined || now < deadline) return null;
    return new CharterError("outbox/deadline", "it was not done in time", {
      expected: deadline,
      actual: now,
    });
  }

  givenUp(refusals: number, { code, message, details }: CharterError): CharterError {
    const last = { code, message, details };
    return new CharterError("outbox/given-up", "the node refused it too often", { refusals, last });
  }

  /**
   * Sends stored bytes, several at once. What the node refuses stays signed, with the reason, and is tried again.
   * What it says it will never take is cancelled at the next pass.
   */
  async handOver({ lease, position, keepLease }: Pass, all: readonly HandedOver[]): Promise<void> {
    const { store, chain, concurrency, onStep } = this.#rules;
    const taken: { id: Bytes32; hash: Hex }[] = [];
    const steps: Step[] = [];
    try {
      await inLanes(all, concurrency, async ({ id, bytes }) => {
        await keepLease();
        this.#handedOver.set(bytes.hash, position.newestBlock);
        try {
          await chain.send(bytes.raw);
        } catch (error) {
          const isRefusal = isCharterError(error) && (REFUSED.has(error.code) || isNever(error));
          if (!isRefusal) throw error;
          const refused = error.code !== "outbox/insufficient-funds";
          steps.push({ id, state: "signed", error, refused });
          return;
        }
        onStep("handed-over", id);
        taken.push({ id, hash: bytes.hash });
      });
    } finally {
      await store.step(lease, steps);
      await store.sent(lease, taken, position.newestBlock);
    }
    for (const { id } of taken) onStep("sent", id);
  }

  /**
   * Every open intent by one step: receipts are read together, what follows from them is written together.
   * @return how many are in no block.
   */
  async advance(pass: Pass, open: readonly InFlight[]): Promise<number> {
    const found = await inLanes(open, this.#rules.concurrency, async (intent) => {
      await pass.keepLease();
      return this.#findReceipt(intent);
    });
    await this.#included(
      pass,
      open.flatMap((intent, index) => {
        const at = found[index];
        return at ? [{ intent, at }] : [];
      }),
    );
    const resent: HandedOver[] = [];
    for (const [index, intent] of open.entries()) {
      if (found[index]) continue;
      await pass.keepLease();
      const again = await this.#missing(pass, intent);
      if (again !== null) resent.push({ id: intent.id, bytes: again });
    }
    await this.handOver(pass, resent);
    return found.filter((at) => at === null).length;
  }

  /** The receipt of whichever bytes of this nonce were mined: only one can be. */
  async #findReceipt(intent: InFlight): Promise<Found | null> {
    for (const { hash, cancels } of intent.transactions.toReversed()) {
      const receipt = await this.#rules.chain.receipt(hash);
      if (receipt) return { hash, cancels, receipt };
    }
    return null;
  }

  async #included(
    { lease, position }: Pass,
    all: readonly { readonly intent: InFlight; readonly at: Found }[],
  ): Promise<void> {
    const { store, onStep } = this.#rules;
    for (const { intent } of all) this.#usedByOthers.delete(intent.id); // They were ours after all.
    const fresh = all.filter(
      ({ intent, at }) => intent.state !== "included" || intent.includedIn?.hash !== at.receipt.blockHash,
    );
    await store.step(
      lease,
      fresh.map(({ intent, at: { hash, receipt } }) => ({
        id: intent.id,
        state: "included" as const,
        transactionHash: hash,
        included: { number: receipt.blockNumber, hash: receipt.blockHash },
        error: intent.cancelled,
      })),
    );
    for (const { intent } of fresh) onStep("included", intent.id);
    const settled = all.filter(({ at }) => at.receipt.blockNumber <= position.finalBlock);
    await store.step(
      lease,
      settled.map(({ intent, at }) => ({ id: intent.id, ...outcomeOf(intent, at) })),
    );
    for (const { intent } of settled) {
      for (const { hash } of intent.transactions) this.#handedOver.delete(hash);
      onStep("final", intent.id);
    }
  }

  /** One whose bytes are in no block. @return bytes to be handed over again, or null. */
  async #missing(pass: Pass, intent: InFlight): Promise<SignedTransaction | null> {
    const { store, bumpAfterBlocks, maxRefusals } = this.#rules;
    const { lease, position } = pass;
    const newest = intent.transactions.at(-1);
    if (!newest) return null;
    if (intent.state === "included") {
      // Its block is gone: the bytes are valid still.
      await store.step(lease, [{ id: intent.id, state: "sent", transactionHash: null, included: null }]);
      return newest;
    }
    if (position.nonce > intent.nonce) {
      await this.#usedElsewhere(pass, intent);
      return null;
    }
    this.#usedByOthers.delete(intent.id);
    if (intent.cancelled === null && !isFiller(lease, intent)) {
      const late = this.overdue(intent);
      if (late !== null) return this.#cancel(pass, intent, newest, late);
      if (intent.state === "signed" && intent.error !== null) {
        const error = new CharterError(intent.error.code, intent.error.message, intent.error.details);
        if (isNever(error)) return this.#cancel(pass, intent, newest, error);
        if (intent.refusals >= maxRefusals)
          return this.#cancel(pass, intent, newest, this.givenUp(intent.refusals, error));
      }
    }
    const waited = newest.sentAtBlock === null ? 0n : position.newestBlock - newest.sentAtBlock;
    if (intent.state === "sent" && waited >= BigInt(bumpAfterBlocks)) return this.#bump(pass, intent, newest);
    // Once per process (it may have been stored before a crash), then once per block that passes without it.
    const isDue = intent.state === "signed" || this.#handedOver.get(newest.hash) !== position.newestBlock;
    return isDue ? newest : null;
  }

  /** The nonce is used, and not by bytes of ours: once that is final, the intent needs another. */
  async #usedElsewhere({ lease, position }: Pass, intent: InFlight): Promise<void> {
    const since = this.#usedByOthers.get(intent.id) ?? position.newestBlock;
    this.#usedByOthers.set(intent.id, since);
    if (position.finalBlock < since) return;
    this.#usedByOthers.delete(intent.id);
    const error = new CharterError(
      "outbox/nonce-used-elsewhere",
      "the signer's key was used outside the outbox",
      { nonce: intent.nonce },
    );
    const { cancelled } = intent;
    const state = isFiller(lease, intent) ? "failed" : cancelled === null ? "planned" : "replaced";
    await this.#rules.store.step(lease, [{ id: intent.id, state, nonce: null, error: cancelled ?? error }]);
  }

  /** Higher fees, after the contract was asked again: what it would refuse now is not worth a nonce's fee. */
  async #bump(pass: Pass, intent: InFlight, newest: SignedTransaction): Promise<SignedTransaction | null> {
    const { store, chain, signer, maxFeePerGasWei, maxPriorityFeePerGasWei, onStep } = this.#rules;
    const { lease, position } = pass;
    const isTransfer = newest.cancels || isFiller(lease, intent);
    if (!isTransfer) {
      try {
        await chain.simulate({ from: signer.address, to: intent.to, data: intent.data });
      } catch (error) {
        if (!isCharterError(error) || error.code === "chain/unreachable") throw error;
        if (error.code === "outbox/reverted") return this.#cancel(pass, intent, newest, error);
      }
    }
    const fees = bumped(newest, await chain.fees(), this.#rules);
    if (!fees) {
      const error = new CharterError("outbox/fee-cap", "the transaction waits at the highest fee allowed", {
        maxFeePerGasWei,
        maxPriorityFeePerGasWei,
      });
      await store.step(lease, [{ id: intent.id, state: "sent", error }]);
      if (this.#handedOver.get(newest.hash) === position.newestBlock) return null;
      this.#handedOver.set(newest.hash, position.newestBlock);
      await chain.send(newest.raw);
      return null;
    }
    const call = isTransfer ? this.#nothing() : intent;
    const replacement = await this.signed(call, intent.nonce, newest.gas, fees, newest.cancels);
    await store.replace(lease, intent, replacement);
    onStep("stored", intent.id);
    return replacement;
  }

  /** Gives an intent up: its nonce is used up by a transfer of nothing, so that what comes after it can go on. */
  async #cancel(
    { lease }: Pass,
    intent: InFlight,
    newest: SignedTransaction,
    reason: CharterError,
  ): Promise<SignedTransaction> {
    const { store, chain, onStep } = this.#rules;
    const now = await chain.fees();
    // Bytes that the node never took need no higher fee than is asked today; at the cap a node may still have dropped them.
    const fees = bumped(newest, now, this.#rules) ?? capped(now, this.#rules);
    const bytes = await this.signed(this.#nothing(), intent.nonce, TRANSFER_GAS, fees, true);
    await store.replace(lease, intent, bytes, reason);
    onStep("stored", intent.id);
    return bytes;
  }

  /**
   * A nonce that the chain has yet to see was given out, and nothing open stands on it: a deep reorg took back what was
   * final, or the row is gone. Stored bytes are sent again; a nonce without any is used up by a transfer of nothing.
   */
  async fillGaps(pass: Pass, open: readonly InFlight[]): Promise<void> {
    const { store, chain, signer } = this.#rules;
    const { lease, position } = pass;
    const held = new Set(open.map((intent) => intent.nonce));
    for (let nonce = position.nonce; nonce < lease.nextNonce; nonce++) {
      if (held.has(nonce)) continue;
      await pass.keepLease();
      const earlier = await store.byNonce(signer.address, nonce);
      const bytes = earlier?.transactions.at(-1);
      if (earlier && bytes) {
        await store.step(lease, [{ id: earlier.id, state: "sent", transactionHash: null, included: null }]);
        await this.handOver(pass, [{ id: earlier.id, bytes }]);
        continue;
      }
      const fees = capped(await chain.fees(), this.#rules);
      const request = { id: fillerId(signer.address, nonce), ...this.#nothing(), label: "filler" };
      const filler = await this.signed(request, nonce, TRANSFER_GAS, fees);
      await store.fill(lease, request, nonce, filler);
      await this.handOver(pass, [{ id: request.id, bytes: filler }]);
    }
  }

  #nothing(): { readonly to: Address; readonly data: Hex } {
    return { to: this.#rules.signer.address, data: "0x" };
  }
}

const isNever = ({ code }: CharterError): boolean => code === "outbox/unacceptable";

const isFiller = ({ signer }: SignerLease, { id, nonce }: InFlight): boolean =>
  id === fillerId(signer, nonce);

/** What a final receipt makes of an intent. */
function outcomeOf(intent: InFlight, { hash, cancels, receipt }: Found): Omit<Step, "id"> {
  if (cancels) return { state: "replaced", error: intent.cancelled };
  if (receipt.success) return { state: "final", error: null };
  const error = new CharterError(
    "outbox/reverted-on-chain",
    "the contract refused the transaction when it was mined",
    { transactionHash: hash },
  );
  return { state: "failed", error };
}
