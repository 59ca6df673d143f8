import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import type { FastifyInstance } from "fastify";
import { WebSocketServer } from "ws";
import type { RawData, WebSocket } from "ws";

import { CharterError, isCharterError } from "../../../protocol/errors/CharterError.ts";
import type { GuestSession, Wire } from "../../leases/sessions/GuestSession.ts";
import type { HeldSessions } from "../../leases/sessions/HeldSessions.ts";
import { statusOf } from "../errors.ts";
import { clientAddress, limitName } from "../limits/clientAddress.ts";
import type { IsProxy } from "../limits/clientAddress.ts";
import { RateLimiter } from "../limits/RateLimiter.ts";

export interface SessionSocketOptions {
  readonly held: HeldSessions;
  /** Sockets that one address may open in a minute. */
  readonly maxPerMinute: number;
  readonly isProxy: IsProxy;
}

export const SESSIONS_PATH = "/sessions";
/** A guest's longest message is its `open`. */
const MAX_MESSAGE_BYTES = 2_048;
/** Not taken by the other end yet; a guest that does not read is no reason to keep more. */
const MAX_UNSENT_BYTES = 65_536;
const SWEEP_MS = 5_000;
/** Whoever does not answer the closing frame is cut off after that. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Sessions over WebSocket (protocol/session/handshake.ts), on the same listener as everything else that guests ask. */
export function sessionSocket(server: FastifyInstance, options: SessionSocketOptions): void {
  const { held, isProxy } = options;
  const opened = new RateLimiter({ max: options.maxPerMinute, windowSeconds: 60 });
  // A variable, since the published types lack `closeTimeout`.
  const socketOptions = {
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    autoPong: false, // Answered within the same bound as all else.
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  const sockets = new WebSocketServer(socketOptions);

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on("error", destroy);
    const address = limitName(
      clientAddress(request.socket.remoteAddress, request.headers["x-forwarded-for"], isProxy),
    );
    try {
      requireOpenable(request, address, opened, held);
    } catch (error) {
      if (!isCharterError(error)) throw error;
      return refuse(socket, error);
    }
    sockets.handleUpgrade(request, socket, head, (client) => hold(client, held, address));
  };
  server.server.on("upgrade", upgrade);
  const sweeping = setInterval(() => held.sweep(), SWEEP_MS).unref();
  server.addHook("preClose", async () => {
    clearInterval(sweeping);
    server.server.off("upgrade", upgrade);
    held.closeAll();
  });
}

function requireOpenable(
  request: IncomingMessage,
  address: string,
  opened: RateLimiter,
  held: HeldSessions,
): void {
  if (request.method !== "GET" || request.url !== SESSIONS_PATH) {
    throw new CharterError("api/unknown", "there is nothing at this address");
  }
  // A page of somebody else's in a guest's browser is no guest: workers send no origin.
  if (request.headers.origin !== undefined) {
    throw new CharterError("api/invalid-request", "sessions are not for browsers", {});
  }
  const retryAfterSeconds = opened.waitSeconds(address);
  if (retryAfterSeconds > 0) {
    throw new CharterError("api/too-many-requests", "too many requests; wait before the next", {
      retryAfterSeconds,
    });
  }
  opened.count(address);
  held.requireRoom(address);
}

/** A session's socket. One object with methods, and listeners that all sockets share: there are ten thousand of them. */
class SocketWire implements Wire {
  readonly #client: WebSocket;

  constructor(client: WebSocket) {
    this.#client = client;
  }

  send(data: string | Uint8Array): void {
    if (this.#client.bufferedAmount > MAX_UNSENT_BYTES) this.#client.terminate();
    else this.#client.send(data);
  }

  close(code: number, reason: string): void {
    this.#client.close(code, reason);
  }
}

const SESSION = Symbol("session");
interface HoldingSocket extends WebSocket {
  [SESSION]?: GuestSession;
}

function hold(client: HoldingSocket, held: HeldSessions, address: string): void {
  client[SESSION] = held.begin(new SocketWire(client), address);
  client.on("message", onMessage);
  client.on("ping", onPing);
  client.on("close", onClose);
  client.on("error", onError);
}

function onMessage(this: HoldingSocket, data: RawData, isBinary: boolean): void {
  const bytes = data as Buffer; // The default `binaryType`.
  void (isBinary ? this[SESSION]?.onBinary(bytes) : this[SESSION]?.onText(bytes.toString("utf8")));
}

function onPing(this: HoldingSocket, data: Buffer): void {
  if (this.bufferedAmount > MAX_UNSENT_BYTES) this.terminate();
  else this.pong(data);
}

function onClose(this: HoldingSocket): void {
  this[SESSION]?.onClosed();
}

function onError(this: HoldingSocket): void {
  this.terminate();
}

function destroy(this: Duplex): void {
  this.destroy();
}

/** An HTTP answer in place of the upgrade. */
function refuse(socket: Duplex, error: CharterError): void {
  const status = statusOf(error);
  const body = JSON.stringify({ error: error.toJSON() });
  const after = error.details["retryAfterSeconds"];
  socket.once("finish", destroy); // Whoever was refused keeps no socket of ours open.
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      (typeof after === "number" ? `retry-after: ${after}\r\n` : "") +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
