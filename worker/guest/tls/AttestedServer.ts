import { createConnection, type AddressInfo, type Socket } from "node:net";
import { pipeline } from "node:stream";
import { createServer, type Server, type TLSSocket } from "node:tls";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { ATTESTATION_PROTOCOL, type AttestationMessage } from "../../../protocol/session/attestation.ts";
import type { TlsIdentity } from "./TlsIdentity.ts";

export interface AttestedServerOptions {
  readonly identity: TlsIdentity;
  /** Null while there is none: the client is cut off. */
  readonly attestation: () => AttestationMessage | null;
  /** Where the app's service answers now. Null where it does not run. */
  readonly target: () => Promise<{ readonly host: string; readonly port: number } | null>;
}

const MAX_CONNECTIONS = 1_024;
const HANDSHAKE_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 300_000;
/** Two pipelines and our own: more than the ten after which Node suspects a leak. */
const MAX_LISTENERS = 24;

/**
 * TLS of one instance: ends here, inside the guest, with a key that was made here. A client that asks for the
 * attestation protocol is given evidence and lease; any other is passed on to the app's service.
 */
export class AttestedServer {
  readonly #options: AttestedServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: AttestedServerOptions) {
    this.#options = options;
    this.#server = createServer({
      ...credentials(options.identity),
      minVersion: "TLSv1.2",
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      // The service behind speaks what it speaks: of what a client offers, HTTP/1.1 is all that is promised.
      ALPNCallback: ({ protocols }) =>
        [ATTESTATION_PROTOCOL, "http/1.1"].find((protocol) => protocols.includes(protocol)),
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    // From the first byte on: a client that has not finished its handshake must not keep `close` from ending.
    this.#server.on("connection", (socket: Socket) => this.#track(socket));
    this.#server.on("tlsClientError", (_error, socket) => socket.destroy());
    this.#server.on("secureConnection", (socket) => {
      this.#keep(socket);
      if (socket.alpnProtocol === ATTESTATION_PROTOCOL) this.#attest(socket);
      else void this.#passOn(socket);
    });
  }

  /** Listens, and gives the port. @throws CharterError `tls/cannot-listen`. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", ({ code }: NodeJS.ErrnoException) =>
        reject(
          new CharterError("tls/cannot-listen", "the guest's TLS address cannot be listened on", {
            host,
            port,
            code,
          }),
        ),
      );
      this.#server.listen({ host, port }, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on clients meet this key; connections that there are go on. */
  renew(identity: TlsIdentity): void {
    this.#server.setSecureContext(credentials(identity));
  }

  /** Cuts off every connection: without a lease nothing of the app answers. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #attest(socket: TLSSocket): void {
    const attestation = this.#options.attestation();
    if (attestation === null) socket.destroy();
    else socket.end(JSON.stringify(attestation));
  }

  async #passOn(socket: TLSSocket): Promise<void> {
    socket.pause();
    const target = await this.#options.target().catch(() => null);
    if (target === null || socket.destroyed) return void socket.destroy();
    const service = this.#keep(createConnection({ ...target, allowHalfOpen: true, noDelay: true }));
    pipeline(socket, service, () => undefined);
    pipeline(service, socket, () => socket.destroy());
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #keep<T extends Socket>(socket: T): T {
    this.#track(socket);
    socket.setTimeout(IDLE_TIMEOUT_MS, () => socket.destroy());
    socket.setMaxListeners(MAX_LISTENERS);
    socket.on("error", () => socket.destroy());
    return socket;
  }
}

const credentials = ({ key, certificate }: TlsIdentity): { key: string; cert: string } => ({
  key,
  cert: certificate,
});
