import { Agent, createServer, request as ask } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Random } from "../../support/random.ts";

/** What an endpoint does to its answers, each with a probability. */
export interface Faults {
  /** It answers nothing for long. */
  readonly hang: number;
  /** It does what it was asked and hangs up. */
  readonly drop: number;
  /** It does what it was asked twice. */
  readonly duplicate: number;
  /** It says what is not so. */
  readonly lie: number;
}

export const HONEST: Faults = { hang: 0, drop: 0, duplicate: 0, lie: 0 };
/** How long a hanging answer takes to come to nothing. */
const HANG_MS = 1_500;

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

const flipped = (hash: unknown): unknown =>
  typeof hash === "string" ? hash.replace(/.$/, (last) => (last === "0" ? "1" : "0")) : hash;

/** An answer that could mislead: another block, logs that are hidden, a nonce far ahead, a revert that is none. */
function lieAbout({ method }: Call, result: unknown): Record<string, unknown> {
  switch (method) {
    case "eth_getBlockByNumber":
    case "eth_getBlockByHash":
      return { result: { ...(result as object), hash: flipped((result as { hash?: unknown })?.hash) } };
    case "eth_getLogs":
      return { result: [] };
    case "eth_getTransactionReceipt":
      return { result: null };
    case "eth_getTransactionCount":
      return { result: "0x7fff" };
    case "eth_getBalance":
      return { result: "0x0" };
    case "eth_blockNumber":
      return { result: "0xffffff" };
    case "eth_call":
    case "eth_estimateGas":
      return { error: { code: 3, message: "execution reverted", data: "0x08c379a0" } };
    default:
      return { error: { code: -32_000, message: "no" } };
  }
}

/** An RPC endpoint over a real node that fails as it is told. */
export class FaultyRpc {
  faults: Faults = HONEST;
  readonly #target: string;
  readonly #random: Random;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  url = "";

  constructor(target: string, random: Random) {
    this.#target = target;
    this.#random = random;
  }

  async start(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#agent.destroy();
    return new Promise((done) => this.#server.close(() => done()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await whole(request);
    const { hang, drop, duplicate, lie } = this.faults;
    const { chance } = this.#random;
    const [hangs, drops, doubles, lies] = [chance(hang), chance(drop), chance(duplicate), chance(lie)];
    if (hangs) {
      setTimeout(() => response.destroy(), HANG_MS);
      return;
    }
    try {
      let answer = await this.#forward(body);
      if (doubles) answer = await this.#forward(body);
      if (drops) return void response.destroy();
      response.setHeader("content-type", "application/json");
      response.end(lies ? lying(body, answer) : answer);
    } catch {
      response.destroy();
    }
  }

  /** Plain HTTP, and bytes as they are: a run asks thousands of times. */
  async #forward(body: Buffer): Promise<Buffer> {
    const answer = await new Promise<IncomingMessage>((answered, fail) => {
      const headers = { "content-type": "application/json", "content-length": body.length };
      ask(this.#target, { method: "POST", agent: this.#agent, headers }, answered)
        .once("error", fail)
        .end(body);
    });
    return whole(answer);
  }
}

async function whole(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function lying(body: Buffer, answer: Buffer): string {
  const call = JSON.parse(body.toString()) as Call;
  const { result } = JSON.parse(answer.toString()) as { result?: unknown };
  return JSON.stringify({ jsonrpc: "2.0", id: call.id, ...lieAbout(call, result) });
}
