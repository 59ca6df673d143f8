import { createConnection, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream";

import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { appOfName } from "./appOfName.ts";
import { bytesMissing, MAX_HELLO_BYTES, readServerName } from "./readServerName.ts";
import type { Upstreams } from "./Upstreams.ts";

/** Where an instance answers TLS. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface GatewayOptions {
  /** `<app>.<domain>` is routed. */
  readonly domain: string;
  /** Endpoints of the app's instances that hold a lease now. @throws CharterError `relayer/…`. */
  readonly routes: (app: Address) => Promise<readonly Endpoint[]>;
  readonly upstreams: Upstreams;
  readonly maxConnections: number;
  /** At once, from one address. */
  readonly maxConnectionsPerAddress: number;
  readonly helloTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
  /** A connection in which nothing moves for so long is closed. */
  readonly idleTimeoutMs?: number;
  readonly onRouted?: (outcome: "routed" | GatewayRefusal["code"]) => void;
}

type GatewayRefusal = CharterError & { readonly code: `gateway/${string}` };

const HELLO_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 3_000;
const IDLE_TIMEOUT_MS = 300_000;
/** Two pipelines and our own: more than the ten after which Node suspects a leak. */
const MAX_LISTENERS = 24;
/** An instance that does not answer is passed over; so many are tried for one connection. */
const MAX_TRIES = 3;
/** TLS alerts (RFC 8446 §6.2) that say why, before anything is encrypted: fatal (2), then the description. */
const ALERT = { unrecognizedName: 112, internalError: 80 } as const;

/**
 * Routes TLS connections by the name that they ask for to live instances of that app, and passes bytes on as they are:
 * the connection is encrypted from client to instance, so the gateway sees no plaintext and holds no key. Whom a client
 * talks to, it checks itself (`charter call`): a gateway that routes wrongly is found out, not believed.
 */
export class Gateway {
  readonly #options: Required<GatewayOptions>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();
  #turn = 0;

  constructor(options: GatewayOptions) {
    this.#options = {
      helloTimeoutMs: HELLO_TIMEOUT_MS,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      onRouted: () => undefined,
      ...options,
    };
    this.#server = createServer(
      { allowHalfOpen: true, noDelay: true },
      (client) => void this.#accept(client),
    );
    this.#server.maxConnections = options.maxConnections;
  }

  /** Listens, and gives the port. @throws CharterError `config/cannot-listen`. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (cause: NodeJS.ErrnoException) =>
        reject(
          new CharterError("config/cannot-listen", `cannot listen on ${host}, port ${port}`, {
            host,
            port,
            code: cause.code,
          }),
        ),
      );
      this.#server.listen({ host, port }, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Takes no further connection, and cuts those that there are. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #accept(client: Socket): Promise<void> {
    this.#keep(client);
    const address = client.remoteAddress ?? "";
    const open = (this.#perAddress.get(address) ?? 0) + 1;
    this.#perAddress.set(address, open);
    client.once("close", () => {
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
    if (open > this.#options.maxConnectionsPerAddress) {
      this.#options.onRouted("gateway/too-many-connections");
      client.destroy();
      return;
    }
    try {
      const hello = await this.#hello(client);
      const upstream = await this.#connect(hello.app, client);
      this.#options.onRouted("routed");
      upstream.write(hello.bytes);
      for (const socket of [client, upstream]) {
        socket.setTimeout(this.#options.idleTimeoutMs, () => socket.destroy());
      }
      // Each direction ends by itself; one that fails takes the other with it.
      pipeline(client, upstream, (error) => error && client.destroy());
      pipeline(upstream, client, (error) => error && upstream.destroy());
    } catch (error) {
      if (!isCharterError(error)) throw error;
      this.#options.onRouted(error.code as GatewayRefusal["code"]);
      refuse(client, error.code);
    }
  }

  /** Reads until the name is known. */
  #hello(client: Socket): Promise<{ app: Address; bytes: Buffer }> {
    const { domain, helloTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let [length, needed] = [0, 1];
      const timer = setTimeout(() => end(slow()), helloTimeoutMs);
      const end = (result: { app: Address } | CharterError): void => {
        clearTimeout(timer);
        client.off("data", onData).off("close", onClose).off("end", onClose);
        client.pause();
        if (result instanceof CharterError) reject(result);
        else resolve({ ...result, bytes: Buffer.concat(chunks) });
      };
      const onClose = (): void => end(slow());
      const onData = (chunk: Buffer): void => {
        chunks.push(chunk);
        length += chunk.length;
        if (length < needed) return;
        try {
          const bytes = Buffer.concat(chunks.splice(0));
          chunks.push(bytes);
          const name = readServerName(bytes);
          if (name === undefined) {
            needed = length + bytesMissing(bytes);
            return;
          }
          const app = name === null ? null : appOfName(name, domain);
          if (app === null) {
            const expected = `<app>.${domain}`;
            return end(
              new CharterError("gateway/unknown-name", "no app has this name", { expected, actual: name }),
            );
          }
          end({ app });
        } catch (error) {
          end(error as CharterError);
        }
      };
      client.on("data", onData).once("close", onClose).once("end", onClose);
    });
  }

  /** The first of the app's endpoints, in turn, that answers. */
  async #connect(app: Address, client: Socket): Promise<Socket> {
    const { routes, upstreams } = this.#options;
    const allowed = (await routes(app)).filter(({ host }) => upstreams.isAllowed(host));
    const first = this.#turn++;
    for (let i = 0; i < Math.min(MAX_TRIES, allowed.length) && !client.destroyed; i++) {
      const endpoint = allowed[(first + i) % allowed.length] as Endpoint;
      const upstream = await this.#open(endpoint);
      if (upstream !== null && !client.destroyed) return upstream;
      upstream?.destroy();
    }
    throw new CharterError("gateway/no-instance", "no live instance of this app answers", {
      app,
      known: allowed.length,
    });
  }

  /** Null where it does not answer in time. */
  #open({ host, port }: Endpoint): Promise<Socket | null> {
    const socket = this.#keep(createConnection({ host, port, allowHalfOpen: true, noDelay: true }));
    return new Promise((resolve) => {
      const timer = setTimeout(() => socket.destroy(), this.#options.connectTimeoutMs);
      socket.once("connect", () => {
        clearTimeout(timer);
        resolve(socket);
      });
      socket.once("close", () => {
        clearTimeout(timer);
        resolve(null);
      });
    });
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.setMaxListeners(MAX_LISTENERS);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }
}

const slow = (): CharterError =>
  new CharterError("gateway/no-hello", "the client named no server in time", { maxBytes: MAX_HELLO_BYTES });

/** A TLS client is told by an alert; anything else is only cut off. */
function refuse(client: Socket, code: string): void {
  if (client.destroyed) return;
  if (code === "gateway/not-tls" || code === "gateway/no-hello") return void client.destroy();
  const description = code === "gateway/unknown-name" ? ALERT.unrecognizedName : ALERT.internalError;
  client.end(Buffer.from([21, 3, 3, 0, 2, 2, description]), () => client.destroy());
}
