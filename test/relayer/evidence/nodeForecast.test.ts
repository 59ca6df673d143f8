import { expect } from "chai";

import type { Forecast } from "../../../protocol/evidence/forecast.ts";
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

describe("the forecast for nodes", () => {
  it("counts a node once for each reason", () => {
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
    expect(failingSoon([fine, late], NOW)).to.deep.equal({ refused: 0, "next-set": 0, ending: 0 });
    expect(failingSoon([fine, refused, worse, out, ending], NOW)).to.deep.equal({
      refused: 1,
      "next-set": 2,
      ending: 1,
    });
  });

  it("looks at every node, tells of one that it cannot look at, and keeps what it saw", async () => {
    const told: unknown[] = [];
    const nodes = new NodeForecast({
      quotes: () => Promise.resolve(["good", "bad", "good"]),
      forecast: (quote) =>
        quote === "bad"
          ? Promise.reject(new Error("no collateral"))
          : Promise.resolve({ ...fine, endings: [] }),
      now: () => NOW,
      onFailed: (cause) => told.push(cause),
    });
    expect(nodes.latest).to.equal(null);
    await nodes.look();
    expect(nodes.latest).to.deep.equal({ refused: 0, "next-set": 0, ending: 0 });
    expect(told).to.have.lengthOf(1);
  });

  it("stops at once when asked, also before its first look", async () => {
    const stopping = new AbortController();
    const nodes = new NodeForecast({
      quotes: () => Promise.resolve([]),
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
