import { once } from "node:events";
import { createConnection, createServer, type AddressInfo, type Server } from "node:net";
import { connect } from "node:tls";

import { expect } from "chai";
import { privateKeyToAccount } from "viem/accounts";

import type { Address } from "../../../../protocol/words/hex.ts";
import { AttestedServer } from "../../../../worker/guest/tls/AttestedServer.ts";
import { tlsIdentity, type TlsIdentity } from "../../../../worker/guest/tls/TlsIdentity.ts";
import { CHAIN } from "../../support/TestRelayer.ts";

describe("the attested server", () => {
  let identity: TlsIdentity;
  let server: AttestedServer;
  let service: Server;
  let port: number;

  before(async () => {
    identity = await tlsIdentity({
      chainId: CHAIN.chainId,
      ledger: CHAIN.ledger,
      app: `0x${"ab".repeat(20)}` as Address,
      account: privateKeyToAccount(`0x${"31".repeat(32)}`),
      now: Math.floor(Date.now() / 1_000),
      lifetimeSeconds: 3_600,
    });
  });
  beforeEach(async () => {
    service = createServer((socket) => void socket.pipe(socket)).listen(0, "127.0.0.1");
    await once(service, "listening");
    const target = { host: "127.0.0.1", port: (service.address() as AddressInfo).port };
    server = new AttestedServer({ identity, attestation: () => null, target: async () => target });
    port = await server.listen("127.0.0.1", 0);
  });
  afterEach(() => service.close());

  it("close_clientWithinItsHandshake_isCutOff", async () => {
    // It would otherwise have ten seconds more, in which the app's containers run without a lease.
    const half = createConnection(port, "127.0.0.1");
    await once(half, "connect");
    const whole = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    whole.on("error", () => undefined);
    whole.write("hello");
    expect(String(await once(whole, "data"))).to.equal("hello"); // So the server has taken both.
    half.on("error", () => undefined);
    const cut = [once(half, "close"), once(whole, "close")];
    await server.close();
    await Promise.all(cut);
  }).timeout(5_000);
});
