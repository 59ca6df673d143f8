import { RpcRequestError, SocketClosedError, TimeoutError } from "viem";
import { WebSocket } from "ws";

import type { RpcCall } from "./Endpoint.ts";

interface Options {
  readonly url: string;
  readonly timeoutMs: number;
  /** The node has a new head. */
  readonly onHead: () => void;
}

interface Waiting {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** As much as viem reads of an answer over http. */
const MAX_MESSAGE_BYTES = 10_485_760;
const TOO_LONG = "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
/** What alone an honest node may have so much of: fewer blocks may do. */
const LOGS = "eth_getLogs";

/** A message was longer than any may be, and ended its socket. */
export class OversizedMessageError extends Error {
  override readonly name = "OversizedMessageError";

  constructor(maxBytes: number) {
    super(`The WebSocket's response is too large: more than ${maxBytes} bytes.`);
  }
}

const SUBSCRIBE = { method: "eth_subscribe", params: ["newHeads"] };

/**
 * JSON-RPC over one WebSocket, opened by the first question and again by the next one after it died. While it is open
 * the node tells of new heads; they only wake, what they say is read by quorum like everything else.
 */
export class RpcSocket {
  readonly #options: Options;
  readonly #waiting = new Map<number, Waiting>();
  /** The one that is open or being opened. */
  #opened: Promise<WebSocket> | null = null;
  #abandon: (() => void) | null = null;
  #tellsHeads = false;
  #lastId = 0;
  /** Messages so far. */
  #heard = 0;

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
    const id = ++this.#lastId;
    const heard = this.#heard;
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new TimeoutError({ body: { method: call.method }, url }));
        // Where nothing was heard meanwhile its other end may be gone without a word: the next question opens another.
        if (this.#heard === heard) this.#abandon?.();
      }, timeoutMs);
    });
    try {
      return await Promise.race([silence, this.#open().then((socket) => this.#ask(socket, id, call))]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  close(): void {
    this.#abandon?.();
  }

  #ask(socket: WebSocket, id: number, { method, params }: RpcCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { method, resolve, reject });
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params: params ?? [] }));
    });
  }

  #open(): Promise<WebSocket> {
    this.#opened ??= this.#connect();
    return this.#opened;
  }

  #connect(): Promise<WebSocket> {
    const { url, timeoutMs, onHead } = this.#options;
    return new Promise((resolve, reject) => {
      // Compressed messages would be a way around the bound on what is read of the network.
      const bounds = { maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false, handshakeTimeout: timeoutMs };
      const socket = new WebSocket(url, bounds);
      let isOver = false;
      const over = (tooLong?: OversizedMessageError): void => {
        if (isOver) return; // Another may stand already, which this one's end does not concern.
        isOver = true;
        this.#opened = null;
        this.#abandon = null;
        this.#tellsHeads = false;
        const error = new SocketClosedError({ url });
        reject(error);
        for (const { method, reject: fail } of this.#waiting.values())
          fail(method === LOGS ? (tooLong ?? error) : error);
        this.#waiting.clear();
      };
      this.#abandon = () => {
        over();
        socket.terminate();
      };
      socket.addEventListener("close", () => over());
      socket.addEventListener("error", ({ error }) => {
        const isTooLong = (error as NodeJS.ErrnoException | undefined)?.code === TOO_LONG;
        over(isTooLong ? new OversizedMessageError(MAX_MESSAGE_BYTES) : undefined);
      });
      socket.addEventListener("message", ({ data }) => {
        if (!isOver) this.#hear(typeof data === "string" ? data : ""); // Bytes are no JSON-RPC.
      });
      socket.addEventListener("open", () => {
        if (isOver) return;
        resolve(socket);
        this.#ask(socket, ++this.#lastId, SUBSCRIBE).then(
          () => {
            if (isOver) return;
            this.#tellsHeads = true;
            onHead(); // What came while nobody was told.
          },
          () => undefined, // A node without subscriptions is asked.
        );
      });
    });
  }

  #hear(text: string): void {
    this.#heard++;
    const message = readMessage(text);
    if (message === null) return; // No JSON-RPC: whoever waits for it times out.
    if (message.method === "eth_subscription") return this.#options.onHead();
    const { id, error } = message;
    const waiting = typeof id === "number" ? this.#waiting.get(id) : undefined;
    if (typeof id !== "number" || waiting === undefined) return;
    this.#waiting.delete(id);
    if (error === undefined || error === null) waiting.resolve(message.result);
    else waiting.reject(new RpcRequestError({ body: {}, url: this.#options.url, error: refusalOf(error) }));
  }
}

/** Whatever a node sends: it must not end the process that asked it. */
function readMessage(text: string): Message | null {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === "object" && message !== null ? message : null;
  } catch {
    return null;
  }
}

function refusalOf(error: unknown): { code: number; message: string; data?: unknown } {
  const { code, message, data } = error as { code?: unknown; message?: unknown; data?: unknown };
  return {
    code: typeof code === "number" ? code : -32_603,
    message: typeof message === "string" ? message : "refused without a word",
    ...(data === undefined ? {} : { data }),
  };
}
