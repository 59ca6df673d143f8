import { expect } from "chai";

import type { Address, ComposeHash } from "../../protocol/words/hex.ts";
import { measureBoot } from "../../worker/tee/measureBoot.ts";
import { COLLATERAL_VALIDITY_SECONDS, issueCollateral } from "../../worker/tee/simulator/collateral.ts";
import { createTestPki } from "../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../worker/tee/simulator/SimulatedTdx.ts";
import { makeFolder } from "./support/folder.ts";
import { runCharter, type Run } from "./support/runCharter.ts";

const at = 1_800_000_000;
const iso = (time: number): string => new Date(time * 1000).toISOString();
const composeHash = `0x${"cd".repeat(32)}` as ComposeHash;

/** What verify.test.ts shows on real quotes where those are there, here on made ones wherever this runs. */
describe("charter verify on bad input", () => {
  const folder = makeFolder();
  after(() => folder.remove());
  const collateral = (content: object) => folder.file("collateral.json", JSON.stringify(content));
  let evidence: { kind: string; quote: string };
  let issued: ReturnType<typeof issueCollateral>;
  let root: string;

  before(async () => {
    const pki = createTestPki({ notBefore: at - 86_400, validitySeconds: 4_000 * 86_400 });
    const source = new SimulatedTdx(simulatedPlatform(pki, { name: "one" }), { composeHash });
    await measureBoot(source, { app: `0x${"ab".repeat(20)}` as Address, composeHash, instanceId: "0x" });
    evidence = { kind: source.kind, ...(await source.quote(new Uint8Array(64))) };
    issued = issueCollateral(pki, { at });
    root = folder.file("root.pem", pki.file.root);
  });
  const verify = (change: object, { time = at + 60, given = issued } = {}): Promise<Run> =>
    runCharter([
      ...["--json", "verify", folder.file("evidence.json", JSON.stringify({ ...evidence, ...change }))],
      ...["--collateral", collateral(given), "--root", root, "--at", iso(time)],
    ]);
  /** No verdict is ever printed beside an error. */
  const refused = (run: Run): string => {
    expect(run.stdout).to.equal("");
    expect(run.exitCode, run.stderr).to.be.oneOf([1, 3]);
    return run.error().code;
  };

  it("accepts the evidence that the others are made from", async () => {
    expect((await verify({})).exitCode).to.equal(0);
  });

  it("refuses a malformed quote", async () => {
    const cut = evidence.quote.slice(0, 1_402);
    for (const quote of ["0x", "0x00", "0xzz", cut, evidence.quote.slice(0, -1)]) {
      expect(refused(await verify({ quote })), quote.slice(0, 8)).to.equal("evidence/quote-format");
    }
  });

  it("refuses collateral from the second on in which it has expired", async () => {
    const ends = at + COLLATERAL_VALIDITY_SECONDS;
    expect((await verify({}, { time: ends - 1 })).exitCode).to.equal(0);
    expect(refused(await verify({}, { time: ends }))).to.equal("evidence/validity");
  });

  it("refuses collateral before its time", async () => {
    expect(refused(await verify({}, { time: at - 1 }))).to.equal("evidence/validity");
  });

  it("refuses malformed collateral", async () => {
    expect(refused(await verify({}, { given: { ...issued, tcb_info: "{}" } }))).to.equal(
      "collateral/malformed",
    );
  });
});
