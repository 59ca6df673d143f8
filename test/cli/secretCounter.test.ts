import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { expect } from "chai";

import { runInProcess } from "./support/runInProcess.ts";

const APP = `0x${"ab".repeat(20)}`;

describe("the version of a secret that a relayer tells", () => {
  let server: Server;
  let told: { counter: number; removed: boolean };
  const methods: string[] = [];

  before(async () => {
    server = createServer(({ method }, response) => {
      methods.push(String(method));
      const secret = { name: "TOKEN", digest: `0x${"11".repeat(32)}`, setAt: 1, ...told };
      response.end(JSON.stringify({ secrets: [secret] }));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  after(() => server.close());

  const charter = (...args: string[]) => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return runInProcess(["--json", "--relayer", url, "secret", ...args]);
  };

  it("farAheadOfTheClock_isNotSignedUpon", async () => {
    told = { counter: Number.MAX_SAFE_INTEGER - 1, removed: false };
    for (const args of [
      ["remove", APP, "TOKEN"],
      ["set", APP, "TOKEN", "--value-file", "none"],
      ["rotate", APP, "TOKEN", "--value-file", "none"],
      ["remove", APP, "TOKEN", "--accept-counter", "7"],
    ]) {
      const run = await charter(...args);
      expect([run.exitCode, run.error().code], args.join(" ")).to.deep.equal([2, "secret/counter-ahead"]);
    }
    expect(new Set(methods)).to.deep.equal(new Set(["GET"]));
  });

  it("farAheadOfTheClock_isSignedUponByWhoeverSaysThatItIsTheirs", async () => {
    told = { counter: 9_000_000_000_000, removed: true };
    const run = await charter("remove", APP, "TOKEN", "--accept-counter", "9000000000000");
    expect(run.error().code).to.equal("secret/not-set");
  });

  it("aheadByHours_isSignedUpon", async () => {
    told = { counter: Date.now() + 3_600_000, removed: true };
    expect((await charter("remove", APP, "TOKEN")).error().code).to.equal("secret/not-set");
  });
});
