import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import type { AddressInfo } from "node:net";

import { expect } from "chai";
import Fastify from "fastify";
import type { FastifyInstance } from "fastify";
import { privateKeyToAccount } from "viem/accounts";
import type { PrivateKeyAccount } from "viem/accounts";
import { WebSocket, WebSocketServer } from "ws";

import { nodeChannelCrypto } from "../../../protocol/crypto/node.ts";
import { acceptTypedData, openTypedData } from "../../../protocol/session/handshake.ts";
import { recoverLeaseSigner } from "../../../protocol/session/lease.ts";
import type { VerdictMessage } from "../../../protocol/session/messages.ts";
import { parseAddress, parseBytes32, parseComposeHash, toHex } from "../../../protocol/words/hex.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { KeyGuard } from "../../../relayer/api/limits/KeyGuard.ts";
import { sessionSocket } from "../../../relayer/api/routes/sessionSocket.ts";
import type { LeaseDecision } from "../../../relayer/decisions/lease.ts";
import { LeaseDesk } from "../../../relayer/leases/LeaseDesk.ts";
import { LeaseTicker } from "../../../relayer/leases/LeaseTicker.ts";
import { HeldSessions } from "../../../relayer/leases/sessions/HeldSessions.ts";
import { RelayerSession } from "../../../worker/session/RelayerSession.ts";
import { refusal } from "../../support/refusal.ts";
import { until } from "../support/until.ts";

const CHAIN = 31_337;
const signer = privateKeyToAccount(`0x${"11".repeat(32)}`);
const guest = privateKeyToAccount(`0x${"22".repeat(32)}`);
const other = privateKeyToAccount(`0x${"33".repeat(32)}`);
const ledger = parseAddress(`0x${"0a".repeat(20)}`);
const app = parseAddress(`0x${"0b".repeat(20)}`);
const composeHash = parseComposeHash(`0x${"0c".repeat(32)}`);
const lower = ({ address }: { address: string }) => address.toLowerCase() as Address;
const nonce = (n: number) => parseBytes32(`0x${n.toString(16).padStart(64, "0")}`);
const allowed: LeaseDecision = {
  allow: true,
  release: 2,
  composeHash,
  maxSeconds: 60,
  block: { number: 9n, hash: nonce(9), parentHash: nonce(8), timestamp: 1_000 },
};
const revoked: LeaseDecision = { allow: false, reason: "ReleaseNotAllowed", details: {} };

const connectionsOf = ({ server }: FastifyInstance): Promise<number> =>
  new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });

describe("sessions between a relayer and its guests, over real sockets", () => {
  let server: FastifyInstance;
  let url: string;
  let held: HeldSessions;
  let desk: LeaseDesk;
  let decision: LeaseDecision;
  let clock: number;
  const open: { close(): void }[] = [];

  const start = async (options: { maxSessions?: number; perKey?: number; perMinute?: number } = {}) => {
    decision = allowed;
    clock = 0;
    desk = new LeaseDesk({
      chainId: CHAIN,
      ledger,
      decide: () => decision,
      now: () => 1_000,
      maxLeaseSeconds: async () => Infinity,
      recall: async () => undefined,
      ticker: new LeaseTicker({ chainId: CHAIN, ledger, signer, later: (run) => setImmediate(run) }),
    });
    desk.admit({ app, key: lower(guest), node: 3, verdict: { evidenceBlock: 5 } as VerdictMessage });
    const guard = new KeyGuard({ perKey: options.perKey ?? 100 });
    held = new HeldSessions({
      chainId: CHAIN,
      ledger,
      crypto: nodeChannelCrypto,
      signer,
      maxSessions: options.maxSessions ?? 100,
      idleSeconds: 120,
      knows: (...of) => desk.knows(...of),
      nodeOf: (...of) => desk.nodeOf(...of),
      objection: (...of) => desk.objection(...of),
      grant: (...of) => desk.grant(...of),
      guarded: (key, address, work) => guard.run({ key, address }, work),
      onDefect: (error) => {
        throw error;
      },
      now: () => clock,
    });
    server = Fastify({ forceCloseConnections: true });
    sessionSocket(server, { held, maxPerMinute: options.perMinute ?? 100, isProxy: () => false });
    url = await server.listen({ host: "127.0.0.1", port: 0 });
  };
  afterEach(async () => {
    for (const one of open.splice(0)) one.close();
    await server.close();
  });

  const connect = async (
    of: { account?: PrivateKeyAccount; leaseSigners?: readonly Address[]; onDenied?: () => void } = {},
  ): Promise<RelayerSession> => {
    const { account = guest, leaseSigners = [lower(signer)], onDenied = () => undefined } = of;
    const terms = { chainId: CHAIN, ledger, app, account, leaseSigners };
    const session = await RelayerSession.open(url, terms, onDenied);
    open.push(session);
    return session;
  };
  /** A guest that speaks by hand: the challenge that it was sent, and its socket. */
  const raw = async () => {
    const socket = new WebSocket(`${url.replace("http", "ws")}/sessions`);
    open.push({ close: () => socket.terminate() });
    const [data] = (await once(socket, "message")) as [Buffer];
    const { challenge } = JSON.parse(data.toString()) as { challenge: Bytes32 };
    const answer = async (): Promise<{ type: string; error?: { code: string } }> =>
      JSON.parse(((await once(socket, "message")) as [Buffer])[0].toString()) as never;
    const closed = async () => String(((await once(socket, "close")) as [number, Buffer])[1]);
    return { socket, challenge, answer, closed };
  };
  const opening = async (
    challenge: Bytes32,
    change: { by?: PrivateKeyAccount; key?: Address; relayer?: Address } = {},
  ) => {
    const guestChallenge = toHex(nodeChannelCrypto.newAgreementKey().publicKey) as Bytes32;
    const { key = lower(guest), relayer = lower(signer), by = guest } = change;
    const shaken = { app, key, relayer, relayerChallenge: challenge, guestChallenge };
    const signature = await by.signTypedData(openTypedData({ chainId: CHAIN, ledger }, shaken));
    return JSON.stringify({ type: "open", app, key, challenge: guestChallenge, signature });
  };

  it("leases over one signature as often as it is asked, each nonce its own", async () => {
    await start();
    const session = await connect();
    for (const n of [1, 2, 3]) {
      const signed = await session.lease(nonce(n));
      expect(signed.lease).to.deep.equal({
        ...{ app, key: lower(guest), release: 2, composeHash },
        ...{ nonce: nonce(n), maxSeconds: 60 },
      });
      expect(await recoverLeaseSigner(CHAIN, ledger, signed)).to.equal(lower(signer));
    }
    expect(held.size).to.equal(1);
  });

  it("tells a denial as such, and goes on when it is lifted", async () => {
    await start();
    const session = await connect();
    decision = revoked;
    expect(await refusal(session.lease(nonce(1)))).to.equal("lease/denied");
    decision = allowed;
    expect((await session.lease(nonce(2))).lease.release).to.equal(2);
  });

  it("tells a guest whose lease would be denied now, and no other", async () => {
    await start();
    desk.admit({ app, key: lower(other), node: 4, verdict: { evidenceBlock: 5 } as VerdictMessage });
    let told = 0;
    const denied = new Promise<void>((resolve) => {
      void connect({ onDenied: resolve }).then((session) => session.lease(nonce(1)));
    });
    const bystander = await connect({ account: other, onDenied: () => told++ });
    await bystander.lease(nonce(2));
    decision = revoked;
    held.redecide(({ node }) => node === 3);
    await denied;
    expect(await refusal(bystander.lease(nonce(3)))).to.equal("lease/denied"); // Its frames came in order.
    expect(told).to.equal(0);
  });

  it("refuses a guest that holds another key, one that signed another relayer's challenge, and a stranger", async () => {
    await start();
    const attempts = [
      [{ by: other }, "session/signature-invalid"],
      [{ relayer: lower(other) }, "session/signature-invalid"],
      [{ by: other, key: lower(other) }, "lease/denied"],
    ] as const;
    for (const [change, code] of attempts) {
      const { socket, challenge, answer } = await raw();
      socket.send(await opening(challenge, change));
      expect(await answer()).to.have.nested.property("error.code", code);
    }
    expect(held.size).to.equal(0);
  });

  it("refuses an opening that was sent before, since each challenge is new", async () => {
    await start();
    const first = await raw();
    const message = await opening(first.challenge);
    first.socket.send(message);
    expect((await first.answer()).type).to.equal("accepted");
    const second = await raw();
    second.socket.send(message);
    expect(await second.answer()).to.have.nested.property("error.code", "session/signature-invalid");
  });

  it("ends a session over a frame that its key did not make", async () => {
    await start();
    const { socket, challenge, answer, closed } = await raw();
    socket.send(await opening(challenge));
    expect((await answer()).type).to.equal("accepted");
    const over = closed();
    socket.send(Buffer.concat([Buffer.alloc(32), Buffer.from(`{"type":"lease","nonce":"${nonce(1)}"}`)]));
    expect(await over).to.equal("session/frame-refused");
    expect(held.size).to.equal(0);
  });

  for (const [what, message] of [
    ["anything but an opening first", "{}"],
    ["no JSON", "hello"],
    ["a lease before the handshake", Buffer.from("{}")],
  ] as const) {
    it(`ends what begins with ${what}`, async () => {
      await start();
      const { socket, closed } = await raw();
      const over = closed();
      socket.send(message);
      expect(await over).to.equal("session/malformed");
    });
  }

  it("is refused by a guest whose manifest does not name the signer", async () => {
    await start();
    expect(await refusal(connect({ leaseSigners: [lower(other)] }))).to.equal("lease/signer-not-named");
  });

  it("is no session where the other end names a signer whose key it does not hold", async () => {
    await start();
    const impostor = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(impostor, "listening");
    const agreement = nodeChannelCrypto.newAgreementKey();
    const challenge = toHex(agreement.publicKey) as Bytes32;
    impostor.on("connection", (socket) => {
      socket.send(JSON.stringify({ type: "challenge", relayer: lower(signer), challenge }));
      socket.once("message", (data: Buffer) => {
        const said = JSON.parse(data.toString()) as { challenge: Bytes32 };
        const shaken = {
          ...{ app, key: lower(guest), relayer: lower(signer) },
          ...{ relayerChallenge: challenge, guestChallenge: said.challenge },
        };
        void other
          .signTypedData(acceptTypedData({ chainId: CHAIN, ledger }, shaken))
          .then((signature) => socket.send(JSON.stringify({ type: "accepted", signature })));
      });
    });
    url = `http://127.0.0.1:${(impostor.address() as AddressInfo).port}`;
    expect(await refusal(connect())).to.equal("session/not-mutual");
    impostor.close();
  });

  it("keeps one session per key, the newest", async () => {
    await start();
    const former = await connect();
    const latter = await connect();
    expect((await latter.lease(nonce(1))).lease.nonce).to.equal(nonce(1));
    expect(await refusal(former.lease(nonce(2)))).to.equal("relayer/unreachable");
    expect(held.size).to.equal(1);
  });

  it("counts a key's openings, and refuses the one that reconnects in a loop", async () => {
    await start({ perKey: 2 });
    desk.admit({ app, key: lower(other), node: 4, verdict: { evidenceBlock: 5 } as VerdictMessage });
    await connect();
    await connect();
    expect(await refusal(connect())).to.equal("api/too-many-requests");
    await connect({ account: other });
  });

  it("counts an address's sockets, and takes no more sessions than it has room for", async () => {
    await start({ perMinute: 1 });
    await connect();
    expect(await refusal(connect())).to.equal("relayer/unreachable");
    await server.close();
    await start({ maxSessions: 1 });
    await connect();
    expect(await refusal(connect())).to.equal("relayer/unreachable");
  });

  it("leaves room to other nodes, however many keys one machine attests", async () => {
    await start({ maxSessions: 4 });
    const accounts = ["44", "55", "66", "77"].map((byte) => privateKeyToAccount(`0x${byte.repeat(32)}`));
    for (const account of accounts) {
      desk.admit({ app, key: lower(account), node: 3, verdict: { evidenceBlock: 5 } as VerdictMessage });
    }
    desk.admit({ app, key: lower(other), node: 4, verdict: { evidenceBlock: 5 } as VerdictMessage });
    const [first, second, third, fourth] = accounts as [
      PrivateKeyAccount,
      PrivateKeyAccount,
      PrivateKeyAccount,
      PrivateKeyAccount,
    ];
    for (const account of [first, second, third]) await connect({ account });
    expect(await refusal(connect({ account: fourth }))).to.equal("relayer/busy");
    await connect({ account: third }); // In place of the one that stands.
    await connect({ account: other });
    expect(held.size).to.equal(4);
  });

  it("cuts off a guest that pings and does not read the answers", async () => {
    await start();
    const { hostname, port } = new URL(url);
    const socket = connectTcp(Number(port), hostname);
    socket.on("error", () => undefined);
    const key = Buffer.alloc(16).toString("base64");
    socket.write(
      `GET /sessions HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
        `sec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`,
    );
    await once(socket, "readable"); // The upgrade; nothing is read from here on.
    const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125, 0, 0, 0, 0]), Buffer.alloc(125)]);
    const pings = Buffer.concat(Array.from({ length: 500 }, () => ping));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const flood = (): void => {
      if (socket.destroyed) return;
      socket.write(pings, () => setImmediate(flood));
    };
    flood();
    await closed;
  });

  it("keeps no socket of whoever is refused, though they never close it", async () => {
    await start({ perMinute: 0 });
    const { hostname, port } = new URL(url);
    const socket = connectTcp({ port: Number(port), host: hostname, allowHalfOpen: true });
    socket.write("GET /sessions HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    await once(socket.resume(), "end");
    await until("the socket is gone", async () => (await connectionsOf(server)) === 0);
    socket.destroy();
  });

  it("ends what never speaks and what has been silent beyond every lease", async () => {
    await start();
    const silent = await raw();
    await connect();
    clock = 20_000;
    const timedOut = silent.closed();
    held.sweep();
    expect(await timedOut).to.equal("session/handshake-timeout");
    expect(held.size).to.equal(1);
    clock = 200_000;
    held.sweep();
    expect(held.size).to.equal(0);
  });

  it("ends a session that asks without end", async () => {
    await start();
    const session = await connect();
    const asked = Array.from({ length: 20 }, (_, n) => refusal(session.lease(nonce(n))));
    expect(await Promise.all(asked)).to.include("relayer/unreachable");
    expect(held.size).to.equal(0);
  });

  it("is no place for pages of a browser", async () => {
    await start();
    const socket = new WebSocket(`${url.replace("http", "ws")}/sessions`, { origin: "https://evil.test" });
    const [error] = (await once(socket, "error")) as [Error];
    expect(error.message).to.contain("400");
  });
});
