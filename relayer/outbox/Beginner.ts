import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import { inLanes } from "../inLanes.ts";
import type { Step } from "../store/intentStore.ts";
import { capped } from "./fees.ts";
import type { Intent } from "./intent.ts";
import type { Mover, Pass, Rules } from "./Mover.ts";
import type { Fees } from "./seams.ts";

/** How long a planned intent rests after a failure that may pass. */
const RETRY_MS = 2_000;
/** Transactions that are signed under one lock of the lease's row. */
const SIGNED_AT_ONCE = 32;

interface Affordable {
  readonly intent: Intent;
  readonly gas: bigint;
}

/** planned → signed → sent; or failed where the contract refuses, its deadline has passed, or the node never takes it. */
export class Beginner {
  readonly #rules: Rules;
  readonly #mover: Mover;

  constructor(rules: Rules, mover: Mover) {
    this.#rules = rules;
    this.#mover = mover;
  }

  /** Simulates all at once, then signs and sends what the contracts would take and the account can pay for. */
  async begin(pass: Pass, ready: readonly Intent[]): Promise<void> {
    if (ready.length === 0) return;
    const { store, chain, signer, concurrency } = this.#rules;
    const steps: Step[] = [];
    const timely = ready.filter((intent) => {
      const error = this.#mover.overdue(intent);
      if (error !== null) steps.push({ id: intent.id, state: "failed", error });
      return error === null;
    });
    const simulated = await inLanes(timely, concurrency, async (intent): Promise<Affordable | null> => {
      await pass.keepLease();
      try {
        const gas = await chain.simulate({ from: signer.address, to: intent.to, data: intent.data });
        return { intent, gas };
      } catch (error) {
        if (!isCharterError(error) || error.code === "chain/unreachable") throw error;
        steps.push(this.#refused(intent, error));
        return null;
      }
    });
    const callable = simulated.filter((each) => each !== null);
    if (callable.length > 0) {
      const [fees, balance] = await Promise.all([chain.fees(), chain.balance(signer.address)]);
      const offered = capped(fees, this.#rules);
      const { affordable, poor } = this.#afford(callable, offered, balance);
      steps.push(...poor);
      await store.step(pass.lease, steps);
      for (let from = 0; from < affordable.length; from += SIGNED_AT_ONCE) {
        await pass.keepLease();
        await this.#signAndSend(pass, affordable.slice(from, from + SIGNED_AT_ONCE), offered);
      }
    } else await store.step(pass.lease, steps);
  }

  #refused({ id, refusals }: Intent, error: CharterError): Step {
    const { maxRefusals } = this.#rules;
    if (error.code === "outbox/reverted" || error.code === "outbox/unacceptable")
      return { id, state: "failed", error };
    // Endpoints that disagree, or have no such block, say nothing of the call.
    const saysNothing = error.code === "outbox/insufficient-funds" || error.code.startsWith("chain/");
    if (saysNothing) return { id, state: "planned", error, delayMs: RETRY_MS };
    if (refusals + 1 < maxRefusals) {
      return { id, state: "planned", error, refused: true, delayMs: RETRY_MS };
    }
    return { id, state: "failed", error: this.#mover.givenUp(refusals + 1, error) };
  }

  /** A nonce that nothing can pay for would hold up every one after it: only what the balance covers, all together. */
  #afford(
    callable: readonly Affordable[],
    fees: Fees,
    balance: bigint,
  ): { affordable: Affordable[]; poor: Step[] } {
    const affordable: Affordable[] = [];
    const poor: Step[] = [];
    let left = balance;
    for (const each of callable) {
      const cost = withReserve(each.gas) * fees.maxFeePerGas;
      if (left >= cost) {
        left -= cost;
        affordable.push(each);
        continue;
      }
      const error = new CharterError("outbox/insufficient-funds", "the signer's account cannot pay", {
        signer: this.#rules.signer.address,
        expectedWei: cost,
        actualWei: left,
      });
      poor.push({ id: each.intent.id, state: "planned", error, delayMs: RETRY_MS });
    }
    return { affordable, poor };
  }

  async #signAndSend(pass: Pass, batch: readonly Affordable[], fees: Fees): Promise<void> {
    const { store, onStep } = this.#rules;
    const byId = new Map(batch.map((each) => [each.intent.id, each]));
    const ids = batch.map(({ intent }) => intent.id);
    const signed = await store.sign(pass.lease, ids, pass.position.nonce, (id, nonce) => {
      const { intent, gas } = byId.get(id) as Affordable;
      return this.#mover.signed(intent, nonce, withReserve(gas), fees);
    });
    for (const id of ids) onStep("stored", id);
    await this.#mover.handOver(
      pass,
      ids.map((id, index) => ({ id, bytes: signed[index]! })),
    );
  }
}

/** A quarter more than was needed: the state may differ when it is mined. */
const withReserve = (gas: bigint): bigint => (gas * 5n) / 4n;
