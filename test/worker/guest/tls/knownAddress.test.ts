import { expect } from "chai";

import { knownAddress } from "../../../../worker/guest/tls/knownAddress.ts";
import { ManualClock } from "../../support/ManualClock.ts";

describe("a service's known address", () => {
  let clock: ManualClock;
  let asked: { resolve: (address: string | null) => void; reject: (error: Error) => void }[];
  let address: () => Promise<string | null>;

  beforeEach(() => {
    clock = new ManualClock();
    asked = [];
    address = knownAddress(() => new Promise((resolve, reject) => asked.push({ resolve, reject })), clock);
  });

  it("manyAtOnce_oneQuestion", async () => {
    const all = Array.from({ length: 1_000 }, () => address());
    clock.advance(60_000); // However long it takes.
    all.push(address());
    expect(asked).to.have.length(1);
    asked[0]?.resolve("10.0.0.2");
    expect(new Set(await Promise.all(all))).to.deep.equal(new Set(["10.0.0.2"]));
  });

  it("afterASecond_askedAnew", async () => {
    const first = address();
    asked[0]?.resolve("10.0.0.2");
    await first;
    clock.advance(999);
    expect(await address()).to.equal("10.0.0.2");
    clock.advance(1);
    const second = address();
    asked[1]?.resolve(null); // It does not run any more.
    expect(await second).to.equal(null);
    expect(asked).to.have.length(2);
  });

  it("engineThatFails_askedAnewAfterASecond", async () => {
    const first = address();
    asked[0]?.reject(new Error("no engine"));
    await first.catch(() => undefined);
    clock.advance(1_000);
    const second = address();
    asked[1]?.resolve("10.0.0.3");
    expect(await second).to.equal("10.0.0.3");
  });
});
