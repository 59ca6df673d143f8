import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { forecast } from "../../../protocol/evidence/forecast.ts";
import { parseCollateral } from "../../../protocol/evidence/index.ts";
import { AT, issued, platform, quoteOf, reissued, root } from "./simulated.ts";

const DAY = 86_400;

describe("the forecast for a platform", () => {
  const foresee = async (collateral: unknown, at = AT + 1, next?: unknown) =>
    forecast(await quoteOf(), {
      collateral: parseCollateral(collateral),
      at,
      crypto: nodeCrypto,
      roots: [root],
      ...(next === undefined ? {} : { next: parseCollateral(next) }),
    });

  it("says how it stands, and what ends when, soonest first", async () => {
    const seen = await foresee(issued({ validitySeconds: 5 * DAY }));
    expect(seen).to.deep.include({
      kind: "tdx",
      platformId: platform.platformId,
      now: { status: "UpToDate", refusedBy: null },
      next: null,
    });
    expect(seen.endings.slice(0, 4).map(({ at }) => at)).to.deep.equal(Array(4).fill(AT + 5 * DAY));
    expect(seen.endings.map(({ what }) => what)).to.include.members([
      "TCB info",
      "PCK certificate",
      "PCK CA certificate",
    ]);
    expect([...seen.endings].sort((a, b) => a.at - b.at)).to.deep.equal(seen.endings);
  });

  it("sees a platform fall behind, and out of all levels, with the next set", async () => {
    const level = (document: Record<string, unknown>) =>
      (document["tcbLevels"] as { tcb: { pcesvn: number }; tcbStatus: string }[])[0] as {
        tcb: { pcesvn: number };
        tcbStatus: string;
      };
    const behind = reissued("tcb_info", (document) => {
      level(document).tcb.pcesvn = 14;
    });
    const seen = await foresee(issued(), AT + 1, behind);
    expect(seen.now.status).to.equal("UpToDate");
    expect(seen.next).to.deep.equal({ status: "OutOfDate", refusedBy: null });
    const out = reissued("tcb_info", (document) => {
      for (const one of document["tcbLevels"] as { tcb: { pcesvn: number } }[]) one.tcb.pcesvn = 14;
    });
    expect((await foresee(issued(), AT + 1, out)).next).to.deep.equal({
      status: null,
      refusedBy: "platform-tcb",
    });
  });

  it("judges a set that is not issued yet from the time when it is", async () => {
    const { next } = await foresee(issued(), AT + 1, issued({ at: AT + 10 * DAY }));
    expect(next).to.deep.equal({ status: "UpToDate", refusedBy: null });
  });

  it("says which check refuses today", async () => {
    const revoked = await foresee(issued({ revokedPcks: [platform.pckSerial] }));
    expect([revoked.now.refusedBy, revoked.platformId]).to.deep.equal(["pck-revoked", null]);
    expect((await foresee(issued(), AT + 31 * DAY)).now.refusedBy).to.equal("validity");
  });
});
