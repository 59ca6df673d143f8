import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { once } from "node:events";
import {
  connect as connectTcp,
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
} from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";

import { expect } from "chai";
import fastify from "fastify";

import type { Address } from "../../../protocol/words/hex.ts";
import { Gateway, type Endpoint, type GatewayOptions } from "../../../relayer/gateway/Gateway.ts";
import { relayerRoutes } from "../../../relayer/gateway/relayerRoutes.ts";
import { Upstreams } from "../../../relayer/gateway/Upstreams.ts";
import { issueCertificate, toPem } from "../../../worker/tee/simulator/certificate.ts";

const APP = `0x${"ab".repeat(20)}` as Address;
const OTHER = `0x${"cd".repeat(20)}` as Address;
const DOMAIN = "apps.example";
const nameOf = (app: Address): string => `${app.slice(2)}.${DOMAIN}`;

/** An instance: TLS with a key of its own, answering each line with its name before it. */
async function instance(name: string): Promise<{ server: Server; endpoint: Endpoint; fingerprint: string }> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = issueCertificate({
    issuer: { name, key: privateKey },
    subject: name,
    key: privateKey,
    serial: Buffer.from([1]),
    notBefore: 1_600_000_000,
    notAfter: 4_000_000_000,
  });
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  const server = createServer({ key, cert: toPem(certificate) }, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data: Buffer) => socket.write(`${name}: ${data.toString()}`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    server,
    endpoint: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    fingerprint: new X509Certificate(certificate).fingerprint256,
  };
}

describe("the gateway", () => {
  let one: Awaited<ReturnType<typeof instance>>;
  let two: Awaited<ReturnType<typeof instance>>;
  let routes: Map<Address, Endpoint[]>;
  let outcomes: string[];
  const open: { close: () => unknown }[] = [];

  before(async () => {
    [one, two] = [await instance("one"), await instance("two")];
  });
  after(() => [one, two].forEach(({ server }) => server.close()));
  beforeEach(() => {
    routes = new Map([
      [APP, [one.endpoint]],
      [OTHER, [two.endpoint]],
    ]);
    outcomes = [];
  });
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
  });

  async function gateway(changes: Partial<GatewayOptions> = {}): Promise<number> {
    const started = new Gateway({
      domain: DOMAIN,
      routes: async (app) => routes.get(app) ?? [],
      upstreams: new Upstreams(["127.0.0.0/8"]),
      maxConnections: 100,
      maxConnectionsPerAddress: 100,
      onRouted: (outcome) => outcomes.push(outcome),
      ...changes,
    });
    open.push(started);
    return started.listen("127.0.0.1", 0);
  }

  /** A client that takes whatever certificate it meets, and tells which. */
  async function client(port: number, servername: string): Promise<TLSSocket> {
    const socket = connect({ host: "127.0.0.1", port, servername, rejectUnauthorized: false });
    open.push({ close: () => socket.destroy() });
    await once(socket, "secureConnect");
    return socket;
  }
  const failureOf = (port: number, servername: string): Promise<string> =>
    client(port, servername).then(
      () => "connected",
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
  const fingerprintOf = (socket: TLSSocket): string => socket.getPeerCertificate().fingerprint256;

  it("joins each name to an instance of its app, whose own certificate the client meets", async () => {
    const port = await gateway();
    const first = await client(port, nameOf(APP));
    const second = await client(port, `0x${nameOf(OTHER)}`);
    expect(fingerprintOf(first)).to.equal(one.fingerprint);
    expect(fingerprintOf(second)).to.equal(two.fingerprint);
    first.write("hello");
    const [answer] = (await once(first, "data")) as [Buffer];
    expect(answer.toString()).to.equal("one: hello");
    expect(outcomes).to.deep.equal(["routed", "routed"]);
  });

  it("sees nothing of what is said: the bytes that it passes on are the client's own, encrypted", async () => {
    const seen: Buffer[] = [];
    const tap = createTcpServer((socket) => {
      const inner = connectTcp(one.endpoint);
      for (const [from, to] of [[socket, inner] as const, [inner, socket] as const]) {
        from.on("error", () => undefined).on("close", () => to.destroy());
        from.on("data", (chunk: Buffer) => {
          seen.push(chunk);
          to.write(chunk);
        });
      }
    }).listen(0, "127.0.0.1");
    await once(tap, "listening");
    open.push(tap);
    routes.set(APP, [{ host: "127.0.0.1", port: (tap.address() as AddressInfo).port }]);
    const socket = await client(await gateway(), nameOf(APP));
    socket.write("a secret of two parties");
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).to.contain("a secret of two parties");
    const all = Buffer.concat(seen);
    expect(all.length).to.be.greaterThan(500);
    expect(all.includes("secret of two")).to.equal(false);
    socket.destroy();
  });

  it("takes the instances in turn, and passes over one that does not answer", async () => {
    const gone = await instance("gone");
    await new Promise((done) => gone.server.close(done));
    routes.set(APP, [one.endpoint, gone.endpoint, two.endpoint]);
    const port = await gateway();
    const met = new Set<string>();
    for (let i = 0; i < 6; i++) met.add(fingerprintOf(await client(port, nameOf(APP))));
    expect([...met]).to.have.members([one.fingerprint, two.fingerprint]);
  });

  it("refuses a name that is no app's, by an alert", async () => {
    const port = await gateway();
    for (const name of ["example.org", `x.${DOMAIN}`, `a.${nameOf(APP)}`, DOMAIN]) {
      expect(await failureOf(port, name), name).to.contain("UNRECOGNIZED_NAME");
    }
  });

  it("refuses an app without live instances, and connects to no network that is not allowed", async () => {
    routes.delete(APP);
    expect(await failureOf(await gateway(), nameOf(APP))).to.contain("INTERNAL_ERROR");
    const nowhere = await gateway({ upstreams: new Upstreams([]) });
    expect(await failureOf(nowhere, nameOf(OTHER))).to.contain("INTERNAL_ERROR");
    expect(outcomes).to.deep.equal(["gateway/no-instance", "gateway/no-instance"]);
  });

  it("cuts off what is no TLS, and who says nothing", async () => {
    const port = await gateway({ helloTimeoutMs: 50 });
    for (const first of ["GET / HTTP/1.1\r\n\r\n", ""]) {
      const socket = connectTcp({ host: "127.0.0.1", port });
      open.push({ close: () => socket.destroy() });
      if (first !== "") socket.write(first);
      socket.resume();
      await once(socket, "close");
    }
    expect(outcomes).to.deep.equal(["gateway/not-tls", "gateway/no-hello"]);
  });

  it("bounds what one address may hold open", async () => {
    const port = await gateway({ maxConnectionsPerAddress: 1 });
    const first = await client(port, nameOf(APP));
    expect(await failureOf(port, nameOf(APP))).to.match(/ECONNRESET|socket/);
    first.destroy();
    await once(first, "close");
  });
});

describe("routes from relayers", () => {
  it("come from the first relayer that answers as it should, and are asked for once in their time", async () => {
    const asked: string[] = [];
    const answers: unknown[] = [{ endpoints: [{ key: APP, host: "localhost", port: 1, until: 5 }] }];
    const relayers = [0, 1].map((i) =>
      fastify().get("/apps/:app/endpoints", (request) => {
        asked.push(`${i} ${request.url}`);
        return answers[i];
      }),
    );
    try {
      const relayerUrls = await Promise.all(
        relayers.map((relayer) => relayer.listen({ host: "127.0.0.1", port: 0 })),
      );
      answers[1] = { endpoints: [{ key: APP, host: "127.0.0.1", port: 7, until: 5 }] };
      let now = 0;
      const route = relayerRoutes({ relayerUrls, maxAgeMs: 1_000, now: () => now });
      const found = await Promise.all([route(APP), route(APP)]);
      expect(found).to.deep.equal(Array(2).fill([{ host: "127.0.0.1", port: 7 }]));
      expect(asked).to.deep.equal([`0 /apps/${APP}/endpoints`, `1 /apps/${APP}/endpoints`]);
      now = 1_001;
      answers[1] = "nonsense";
      const failure = await route(APP).catch((error: { code: string }) => error.code);
      expect(failure).to.equal("gateway/no-relayer");
    } finally {
      await Promise.all(relayers.map((relayer) => relayer.close()));
    }
  });
});
