import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { expect } from "chai";
import { privateKeyToAccount } from "viem/accounts";

import { endpointReportSchema, MAX_ENDPOINT_SECONDS } from "../../../../protocol/session/endpoints.ts";
import type { Address } from "../../../../protocol/words/hex.ts";
import { dryRuntime } from "../../../../worker/guest/compose/Runtime.ts";
import type { GuestState } from "../../../../worker/guest/state.ts";
import { TlsFront } from "../../../../worker/guest/tls/TlsFront.ts";
import { RelayerClient } from "../../../../worker/session/RelayerClient.ts";
import { Inbox } from "../../support/Inbox.ts";
import { ManualClock } from "../../support/ManualClock.ts";
import { CHAIN } from "../../support/TestRelayer.ts";

const NOW = 1_900_000_000;

describe("where an instance says that it answers", () => {
  let relayer: Server;
  let relayerNow: number;
  let kept: Inbox<number>;
  let states: Inbox<GuestState>;
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(async () => {
    [kept, states, stop] = [new Inbox(), new Inbox(), new AbortController()];
    relayer = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => {
        const { until } = endpointReportSchema.parse(JSON.parse(text));
        const [from, to] = [relayerNow + 1, relayerNow + MAX_ENDPOINT_SECONDS];
        if (until >= from && until <= to) {
          kept.put(until);
          return response.writeHead(204).end();
        }
        const error = { code: "endpoint/until", message: "no", details: { expected: [from, to] } };
        return response.writeHead(400).end(JSON.stringify({ error }));
      });
    }).listen(0, "127.0.0.1");
    await once(relayer, "listening");
  });
  afterEach(async () => {
    stop.abort();
    await running;
    relayer.close();
  });

  const front = async () => {
    const url = `http://127.0.0.1:${(relayer.address() as AddressInfo).port}`;
    const opened = await TlsFront.open({
      ...{ chainId: CHAIN.chainId, ledger: CHAIN.ledger, app: `0x${"ab".repeat(20)}` as Address },
      account: privateKeyToAccount(`0x${"31".repeat(32)}`),
      relayers: [new RelayerClient(url, 5_000)],
      runtime: dryRuntime("a test"),
      to: { service: "web", port: 80 },
      listen: { host: "127.0.0.1", port: 0 },
      attestation: () => null,
      clock: new ManualClock(),
      unixNow: () => NOW,
      report: states.put,
    });
    running = opened.run(stop.signal);
  };

  for (const [what, seconds] of [
    ["right", 0],
    ["minutesBehind", 400],
    ["minutesAhead", -400],
  ] as const) {
    it(`clockThatIs_${what}_isTakenByTheRelayer`, async () => {
      relayerNow = NOW + seconds;
      await front();
      expect(await kept.until(() => true)).to.be.closeTo(relayerNow + 90, 1);
    });
  }

  it("relayerThatTellsAnotherDay_isNotFollowed", async () => {
    relayerNow = NOW + 86_400;
    await front();
    const told = await states.until(({ state }) => state === "endpoint-not-told");
    expect(told).to.have.nested.property("error.code", "endpoint/until");
    expect(kept.all).to.deep.equal([]);
  });
});
