import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Endpoint } from "./Endpoint.ts";
import type { EndpointHealth, RpcCall } from "./Endpoint.ts";
import { agreementOn, headAskedOf, isHeadTag, pinned } from "./agreeable.ts";
import { outcomeKey } from "./outcomeKey.ts";

/** Several endpoints as one node. */
export interface EndpointsOptions {
  readonly endpoints: readonly Endpoint[];
  /** How many must say the same. 1: the quickest one is believed, the others stand in for it. */
  readonly quorum: number;
}

type Outcome = { readonly result: unknown } | { readonly refusal: Error };

const BLOCK_BY_NUMBER = "eth_getBlockByNumber";
/** Once enough have answered, the others get as long again, but at least this: one that hangs holds nothing up. */
const LEAST_GRACE_MS = 50;

/**
 * Reads agreed upon by several endpoints (DESIGN section 6): what a decision or a nonce rests on is what `quorum` of them
 * say alike, at a height that as many have reached; of estimates, the middle one counts. Transactions go to all.
 */
export class Endpoints {
  readonly #endpoints: readonly Endpoint[];
  readonly #quorum: number;

  /** @throws CharterError `config/invalid` for a quorum that these endpoints cannot give. */
  constructor({ endpoints, quorum }: EndpointsOptions) {
    if (!Number.isInteger(quorum) || quorum < 1 || quorum > endpoints.length) {
      throw new CharterError("config/invalid", "CHARTER_RPC_QUORUM: expected 1 to the number of endpoints", {
        expected: endpoints.length,
        actual: quorum,
      });
    }
    this.#endpoints = endpoints;
    this.#quorum = quorum;
  }

  health(): readonly EndpointHealth[] {
    return this.#endpoints.map((endpoint) => endpoint.health());
  }

  /** @throws viem's error of the node, CharterError `chain/endpoints-disagree`. */
  async request(call: RpcCall): Promise<unknown> {
    if (call.method === "eth_sendRawTransaction") return this.#broadcast(call);
    if (this.#quorum === 1) return this.#quickest(call);
    if (call.method === "eth_blockNumber") return quantity((await this.#agreedHead("latest")).number);
    const [block] = Array.isArray(call.params) ? (call.params as unknown[]) : [];
    if (call.method === BLOCK_BY_NUMBER && isHeadTag(block)) return (await this.#agreedHead(block)).block;
    const head = headAskedOf(call);
    if (head !== undefined) {
      return this.#agreed(pinned(call, quantity((await this.#agreedHead(head)).number)));
    }
    const agreement = agreementOn(call);
    if (agreement === "middle") return this.#middle(call);
    return agreement === "same" ? this.#agreed(call) : this.#quickest(call);
  }

  /**
   * The highest block that `quorum` endpoints have reached, and the same at as many. Whoever lies about its height may have
   * lifted the first one that is tried above what the slowest honest one has: a lower one is tried then.
   */
  async #agreedHead(tag: string): Promise<{ readonly number: bigint; readonly block: unknown }> {
    const answers = await this.#askAll({ method: BLOCK_BY_NUMBER, params: [tag, false] });
    const heights = answers
      .flatMap((answer) => (answer.status === "fulfilled" ? [heightOf(answer.value)] : []))
      .filter((height) => height !== undefined)
      .sort((a, b) => (a < b ? 1 : -1));
    let failure: Error | undefined;
    for (const number of new Set(heights.slice(this.#quorum - 1))) {
      try {
        const block = await this.#agreed({ method: BLOCK_BY_NUMBER, params: [quantity(number), false] });
        if (block !== null) return { number, block };
      } catch (error) {
        failure ??= error as Error;
        if (!isCharterError(error)) break; // Silence, or a refusal: no other height would have an answer.
      }
    }
    throw failure ?? failureOf(answers) ?? disagree(BLOCK_BY_NUMBER, this.#quorum);
  }

  /** Each node reckons for itself: a number that a majority brackets, or the refusal that `quorum` of them give. */
  async #middle(call: RpcCall): Promise<unknown> {
    const answers = await this.#askAll(call);
    const numbers = answers
      .map((answer) => (answer.status === "fulfilled" ? numberOf(answer.value) : undefined))
      .filter((number) => number !== undefined)
      .sort((a, b) => (a < b ? -1 : 1));
    const refusals = answers.flatMap((answer) =>
      answer.status === "rejected" && outcomeKey(call.method, { refusal: answer.reason }) !== undefined
        ? [answer.reason as Error]
        : [],
    );
    if (numbers.length >= this.#quorum) return quantity(numbers[Math.floor(numbers.length / 2)] as bigint);
    if (refusals.length >= this.#quorum) throw refusals[0] as Error;
    throw numbers.length > 0 && refusals.length > 0
      ? disagree(call.method, this.#quorum)
      : (failureOf(answers) ?? disagree(call.method, this.#quorum));
  }

  /** What all that are usable say, without waiting long for those that are slower than a quorum. */
  async #askAll(call: RpcCall): Promise<PromiseSettledResult<unknown>[]> {
    const asked = this.#usable(this.#quorum).map((endpoint) => endpoint.request(call));
    const started = performance.now();
    const settled: PromiseSettledResult<unknown>[] = [];
    let answered = 0;
    return new Promise((resolve) => {
      const hear = (result: PromiseSettledResult<unknown>): void => {
        settled.push(result);
        if (result.status === "fulfilled" && ++answered === this.#quorum) {
          setTimeout(() => resolve([...settled]), Math.max(LEAST_GRACE_MS, performance.now() - started));
        }
        if (settled.length === asked.length) resolve(settled);
      };
      for (const request of asked) {
        request.then(
          (value) => hear({ status: "fulfilled", value }),
          (reason: unknown) => hear({ status: "rejected", reason }),
        );
      }
    });
  }

  /** Asks all that are usable, and answers as soon as `quorum` of them have said the same. */
  #agreed(call: RpcCall): Promise<unknown> {
    const asked = this.#usable(this.#quorum);
    return new Promise((resolve, reject) => {
      const said = new Map<string, { readonly by: Endpoint[]; readonly outcome: Outcome }>();
      let silence: unknown;
      let left = asked.length;
      let decided: string | undefined;
      const hear = (endpoint: Endpoint, key: string, outcome: Outcome): void => {
        if (decided !== undefined) {
          if (key !== decided) endpoint.contradict();
          return;
        }
        const group = said.get(key) ?? { by: [], outcome };
        said.set(key, group);
        group.by.push(endpoint);
        if (group.by.length < this.#quorum) return;
        decided = key;
        for (const [other, { by }] of said) if (other !== key) for (const wrong of by) wrong.contradict();
        if ("result" in outcome) resolve(outcome.result);
        else reject(outcome.refusal);
      };
      const end = (): void => {
        left--;
        if (left > 0 || decided !== undefined) return;
        // Several versions are a contradiction; one version and silence are silence.
        reject(
          said.size <= 1 && silence !== undefined ? (silence as Error) : disagree(call.method, this.#quorum),
        );
      };
      for (const endpoint of asked) {
        endpoint
          .request(call)
          .then(
            (result) => hear(endpoint, outcomeKey(call.method, { result }), { result }),
            (error: Error) => {
              const key = outcomeKey(call.method, { refusal: error });
              if (key === undefined) silence = error;
              else hear(endpoint, key, { refusal: error });
            },
          )
          .finally(end);
      }
    });
  }

  /** The quickest endpoint that answers; the next one where it is silent. */
  async #quickest(call: RpcCall): Promise<unknown> {
    let silence: unknown;
    for (const endpoint of this.#usable(1).toSorted((a, b) => a.latencyMs - b.latencyMs)) {
      try {
        return await endpoint.request(call);
      } catch (error) {
        if (outcomeKey(call.method, { refusal: error }) !== undefined) throw error;
        silence = error;
      }
    }
    throw silence;
  }

  /**
   * To every endpoint: one that drops or withholds it does not matter while another takes it, and that it is refused is the
   * word of `quorum` of them, since a refusal may be for good.
   */
  async #broadcast(call: RpcCall): Promise<unknown> {
    const sent = this.#usable(this.#endpoints.length).map((endpoint) => endpoint.request(call));
    try {
      return await Promise.any(sent);
    } catch {
      const answers = await Promise.allSettled(sent);
      const [refusals, silences] = split(answers);
      const heard = refusals.length >= this.#quorum ? refusals : silences;
      throw heard[0] ?? failureOf(answers) ?? disagree(call.method, this.#quorum);
    }
  }

  /** Those not at rest; where they are too few, also those whose rest ends soonest: silence must not outlast its cause. */
  #usable(least: number): readonly Endpoint[] {
    const usable = this.#endpoints.filter((endpoint) => endpoint.isUsable);
    if (usable.length >= least) return usable;
    const resting = this.#endpoints.filter((endpoint) => !endpoint.isUsable);
    const soonest = resting.toSorted((a, b) => a.restsUntil - b.restsUntil);
    return [...usable, ...soonest.slice(0, least - usable.length)];
  }
}

const quantity = (value: bigint): string => `0x${value.toString(16)}`;

const heightOf = (block: unknown): bigint | undefined =>
  numberOf((block as { number?: unknown } | null)?.number);

const numberOf = (value: unknown): bigint | undefined =>
  typeof value === "string" && /^0x[0-9a-f]{1,16}$/i.test(value) ? BigInt(value) : undefined;

/** Refusals, and silences. */
function split(answers: readonly PromiseSettledResult<unknown>[]): [Error[], Error[]] {
  const failures = answers.flatMap((answer) =>
    answer.status === "rejected" ? [answer.reason as Error] : [],
  );
  const isRefusal = (error: Error): boolean => outcomeKey("", { refusal: error }) !== undefined;
  return [failures.filter(isRefusal), failures.filter((error) => !isRefusal(error))];
}

/** A refusal says more than silence. */
function failureOf(answers: readonly PromiseSettledResult<unknown>[]): Error | undefined {
  const [refusals, silences] = split(answers);
  return refusals[0] ?? silences[0];
}

const disagree = (method: string, quorum: number): CharterError =>
  new CharterError("chain/endpoints-disagree", "too few endpoints say the same", {
    method,
    expected: quorum,
  });
