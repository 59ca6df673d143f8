import { RpcRequestError, SocketClosedError, TimeoutError } from "viem";

import type { RpcCall } from "./Endpoint.ts";

interface Options {
  readonly url: string;
  readonly timeoutMs: number;
  /** The node has a new head. */
  readonly onHead: () => void;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

const SUBSCRIBE = { method: "eth_subscribe", params: ["newHeads"] };

/**
 * JSON-RPC over one WebSocket, opened by the first question and again by the next one after it died. While it is open
 * the node tells of new heads; they only wake, what they say is read by quorum like everything else.
 */
export class RpcSocket {
  readonly #options: Options;
  readonly #waiting = new Map<number, Waiting>();
  #socket: WebSocket | null = null;
  #opening: Promise<WebSocket> | null = null;
  #tellsHeads = false;
  #lastId = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Is the node telling of new heads? Otherwise one has to ask. */
  get tellsHeads(): boolean {
    return this.#tellsHeads;
  }

  /** @throws viem's RpcRequestError of a refusal, TimeoutError or SocketClosedError of silence. */
  async request(call: RpcCall): Promise<unknown> {
    const { url, timeoutMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new TimeoutError({ body: { method: call.method }, url })), timeoutMs);
    });
    try {
      return await Promise.race([silence, this.#open().then((socket) => this.#ask(socket, call))]);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#socket?.close();
  }

  #ask(socket: WebSocket, { method, params }: RpcCall): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params: params ?? [] }));
    });
  }

  #open(): Promise<WebSocket> {
    if (this.#socket?.readyState === WebSocket.OPEN) return Promise.resolve(this.#socket);
    this.#opening ??= this.#connect().finally(() => (this.#opening = null));
    return this.#opening;
  }

  #connect(): Promise<WebSocket> {
    const { url, onHead } = this.#options;
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      const closed = (): void => {
        const error = new SocketClosedError({ url });
        reject(error);
        for (const { reject: fail } of this.#waiting.values()) fail(error);
        this.#waiting.clear();
        this.#socket = null;
        this.#tellsHeads = false;
      };
      socket.addEventListener("close", closed);
      socket.addEventListener("error", closed);
      socket.addEventListener("message", ({ data }) => this.#hear(String(data)));
      socket.addEventListener("open", () => {
        this.#socket = socket;
        resolve(socket);
        this.#ask(socket, SUBSCRIBE).then(
          () => {
            this.#tellsHeads = true;
            onHead(); // What came while nobody was told.
          },
          () => undefined, // A node without subscriptions is asked.
        );
      });
    });
  }

  #hear(text: string): void {
    let message: Message;
    try {
      message = JSON.parse(text) as Message;
    } catch {
      return; // No JSON-RPC: whoever waits for it times out.
    }
    if (message.method === "eth_subscription") return this.#options.onHead();
    const waiting = this.#waiting.get(message.id ?? 0);
    if (waiting === undefined) return;
    this.#waiting.delete(message.id ?? 0);
    const { error } = message;
    if (error === undefined) waiting.resolve(message.result);
    else waiting.reject(new RpcRequestError({ body: {}, url: this.#options.url, error }));
  }
}
