import { custom, http } from "viem";

import { isNoAnswer } from "./noAnswer.ts";
import { isRangeRefusal } from "./rangeRefusal.ts";
import { OversizedMessageError, RpcSocket } from "./RpcSocket.ts";

/** One JSON-RPC request; `params` as the method wants them. */
export interface RpcCall {
  readonly method: string;
  readonly params?: unknown;
}

/** How one endpoint stands. Its URL is not told: it often holds a key. */
export interface EndpointHealth {
  /** Position in the configured list, 0 first. */
  readonly index: number;
  /** False while it is left alone after it did not answer. */
  readonly usable: boolean;
  /** Smoothed time of its answers; null before the first. */
  readonly latencyMs: number | null;
  /** Answers that a majority contradicted. */
  readonly contradicted: number;
}

interface Options {
  /** `http(s)` or `ws(s)`. */
  readonly url: string;
  readonly index: number;
  readonly timeoutMs?: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
  /** 0 to 1: spreads the retries of several relayers. */
  readonly random?: () => number;
  /** Called when a node behind a WebSocket tells of a new head. */
  readonly onHead?: () => void;
}

const FIRST_REST_MS = 250;
const LONGEST_REST_MS = 30_000;
/** Weight of the newest answer in the smoothed latency. */
const NEWEST = 0.2;

/**
 * One RPC endpoint behind a circuit breaker: after silence it is left alone for a while, twice as long each time it
 * happens again; the first answer ends that. An answer that refuses is an answer.
 */
export class Endpoint {
  readonly index: number;
  readonly #request: (call: RpcCall) => Promise<unknown>;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #socket: RpcSocket | null;
  #silences = 0;
  #restsUntil = -Infinity;
  #latencyMs: number | null = null;
  #contradicted = 0;

  constructor({
    url,
    index,
    timeoutMs = 10_000,
    now = () => performance.now(),
    random = Math.random,
    onHead = () => undefined,
  }: Options) {
    this.index = index;
    this.#now = now;
    this.#random = random;
    this.#socket = /^wss?:/.test(url) ? new RpcSocket({ url, timeoutMs, onHead }) : null;
    const transport =
      this.#socket === null ? http(url, { timeout: timeoutMs, retryCount: 0 }) : overSocket(this.#socket);
    const { request } = transport({});
    this.#request = (call) => request(call as never);
  }

  get isUsable(): boolean {
    return this.#now() >= this.#restsUntil;
  }

  /** When its rest ends. */
  get restsUntil(): number {
    return this.#restsUntil;
  }

  /** For choosing the quickest; one that has not answered yet is tried before a slow one. */
  get latencyMs(): number {
    return this.#latencyMs ?? 0;
  }

  /** Does its node tell of new heads now? */
  get tellsHeads(): boolean {
    return this.#socket?.tellsHeads ?? false;
  }

  /** Ends its WebSocket, if it has one. */
  close(): void {
    this.#socket?.close();
  }

  health(): EndpointHealth {
    const { index, isUsable } = this;
    return { index, usable: isUsable, latencyMs: this.#latencyMs, contradicted: this.#contradicted };
  }

  contradict(): void {
    this.#contradicted++;
  }

  /** @throws viem's error of an answer that refuses, or of silence. */
  async request(call: RpcCall): Promise<unknown> {
    const started = this.#now();
    try {
      const answer = await this.#request(call);
      this.#answered(started);
      return answer;
    } catch (error) {
      if (isNoAnswer(error) && (!isRangeRefusal(error) || endedSocket(error))) this.#silent();
      else this.#answered(started);
      throw error;
    }
  }

  #answered(started: number): void {
    const took = this.#now() - started;
    this.#latencyMs = this.#latencyMs === null ? took : this.#latencyMs * (1 - NEWEST) + took * NEWEST;
    this.#silences = 0;
    this.#restsUntil = -Infinity;
  }

  #silent(): void {
    const rest = Math.min(FIRST_REST_MS * 2 ** this.#silences, LONGEST_REST_MS);
    this.#silences++;
    this.#restsUntil = this.#now() + rest * (0.5 + this.#random() / 2);
  }
}

/** An answer too large ended whatever else was asked over its socket. */
function endedSocket(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause)
    if (at instanceof OversizedMessageError) return true;
  return false;
}

const overSocket = (socket: RpcSocket) =>
  custom({ request: (call: RpcCall) => socket.request(call) }, { retryCount: 0 });
