import { expect } from "chai";

import type { Forecast } from "../../../protocol/evidence/forecast.ts";
import type { EvidenceMessage } from "../../../protocol/session/messages.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { failingSoon, NodeForecast } from "../../../relayer/evidence/nodeForecast.ts";

const NOW = 1_800_000_000;
const DAY = 86_400;

const fine: Forecast = {
  kind: "tdx",
  platformId: null,
  now: { status: "UpToDate", refusedBy: null },
  next: { status: "UpToDate", refusedBy: null },
  endings: [{ what: "TCB info", at: NOW + 20 * DAY }],
};

const none = { refused: [], "next-set": [], ending: [] };
const of = (quote: string): EvidenceMessage => ({
  kind: "tdx",
  quote,
  eventLog: "[]",
  vmConfig: "{}",
  blockNumber: 1,
  blockHash: `0x${"00".repeat(32)}` as Bytes32,
});

describe("the forecast for nodes", () => {
  it("names a node once for each reason", () => {
    const refused: Forecast = { ...fine, now: { status: null, refusedBy: "pck-revoked" }, next: null };
    const worse: Forecast = { ...fine, next: { status: "OutOfDate", refusedBy: null } };
    const out: Forecast = { ...fine, next: { status: null, refusedBy: "platform-tcb" } };
    const ending: Forecast = {
      ...fine,
      endings: [
        { what: "TCB info", at: NOW + 7 * DAY },
        { what: "PCK certificate", at: NOW + 7 * DAY },
      ],
    };
    const late: Forecast = { ...fine, endings: [{ what: "TCB info", at: NOW + 7 * DAY + 1 }] };
    const numbered = (...forecasts: Forecast[]) =>
      forecasts.map((forecast, i) => ({ node: i + 1, forecast }));
    expect(failingSoon(numbered(fine, late), NOW)).to.deep.equal(none);
    const outlooks = numbered(fine, refused, worse, out, ending);
    // Two guests on one node, each with a GPU.
    expect(failingSoon([...outlooks, { node: 2, forecast: refused }], NOW)).to.deep.equal({
      refused: [2],
      "next-set": [3, 4],
      ending: [5],
    });
  });

  it("looks at every node, tells of one that it cannot look at, and keeps what it saw", async () => {
    const told: unknown[] = [];
    const nodes = new NodeForecast({
      evidence: () =>
        Promise.resolve(["good", "bad", "good"].map((quote, node) => ({ node, evidence: of(quote) }))),
      forecast: ({ quote }) =>
        quote === "bad"
          ? Promise.reject(new Error("no collateral"))
          : Promise.resolve({ ...fine, endings: [] }),
      now: () => NOW,
      onFailed: (cause) => told.push(cause),
    });
    expect(nodes.latest).to.equal(null);
    await nodes.look();
    expect(nodes.latest).to.deep.equal(none);
    expect(told).to.have.lengthOf(1);
  });

  it("tells each node what is foreseen for it and for GPUs of its guests", async () => {
    const ending: Forecast = { ...fine, endings: [{ what: "OCSP answer", at: NOW + DAY }] };
    const worse: Forecast = { ...ending, next: { status: null, refusedBy: "platform-tcb" } };
    const nodes = new NodeForecast({
      evidence: () =>
        Promise.resolve([
          { node: 1, evidence: of("worse") },
          { node: 1, evidence: of("ending") },
          { node: 2, evidence: of("fine") },
        ]),
      forecast: ({ quote }) => Promise.resolve({ worse, ending, fine }[quote as "fine"]),
      now: () => NOW,
      onFailed: (cause) => expect.fail(String(cause)),
    });
    expect(nodes.outlookOf(1)).to.equal(null);
    await nodes.look();
    const end = { reason: "ending", what: "OCSP answer", at: NOW + DAY };
    expect(nodes.outlookOf(1)).to.deep.equal({
      lookedAt: NOW,
      trouble: [{ reason: "next-set", what: "refused by platform-tcb", at: null }, end, end],
    });
    expect(nodes.outlookOf(2)).to.deep.equal({ lookedAt: NOW, trouble: [] });
    expect(nodes.outlookOf(3)).to.equal(null);
  });

  it("stops at once when asked, also before its first look", async () => {
    const stopping = new AbortController();
    const nodes = new NodeForecast({
      evidence: () => Promise.resolve([]),
      forecast: () => Promise.reject(new Error("nobody asks")),
      now: () => NOW,
      onFailed: () => undefined,
    });
    const running = nodes.run(stopping.signal);
    stopping.abort();
    await running;
    expect(nodes.latest).to.equal(null);
  });
});
