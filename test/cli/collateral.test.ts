import { expect } from "chai";

import { AT, issued, pki, platform, quoteOf } from "../protocol/evidence/simulated.ts";
import { makeFolder } from "./support/folder.ts";
import { runCharter } from "./support/runCharter.ts";

const DAY = 86_400;

describe("charter collateral check", function () {
  this.timeout(60_000);
  const folder = makeFolder();
  after(() => folder.remove());
  const root = folder.file("root.pem", pki.file.root);
  const collateral = folder.file("collateral.json", JSON.stringify(issued()));
  const revoked = folder.file("next.json", JSON.stringify(issued({ revokedPcks: [platform.pckSerial] })));
  let quote: string;
  before(async () => {
    quote = folder.file("quote.bin", Buffer.from(await quoteOf()));
  });
  const check = (at: number, ...more: string[]) =>
    runCharter([
      ...["collateral", "check", quote, "--collateral", collateral, "--root", root],
      ...["--at", new Date(at * 1000).toISOString(), ...more],
    ]);

  it("exits 0 where nothing ends within the days looked at", async () => {
    const run = await check(AT + 1);
    expect(run.exitCode).to.equal(0);
    expect(run.stdout).to.include("UpToDate").and.include("none");
  });

  it("exits 3 when something ends within them, and names it", async () => {
    const run = await check(AT + 1, "--days", "40");
    expect(run.exitCode).to.equal(3);
    expect(run.stdout).to.include("TCB info ends").and.include("PCK revocation list ends");
  });

  it("exits 3 when the next set refuses the platform, and says by which check", async () => {
    const run = await check(AT + 1, "--next-collateral", revoked, "--json");
    expect(run.exitCode).to.equal(3);
    const { platforms } = run.result<{ platforms: { trouble: string[]; next: object }[] }>();
    expect(platforms[0]?.trouble).to.deep.equal(["refused under the next set: pck-revoked"]);
  });

  it("exits 3 for what is refused already, and 1 for days that are no number", async () => {
    expect((await check(AT + 31 * DAY)).stdout).to.include("refused today: validity");
    expect((await check(AT + 1, "--days", "soon")).exitCode).to.equal(1);
  });
});
