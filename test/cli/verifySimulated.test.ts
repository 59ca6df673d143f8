import { expect } from "chai";

import type { Address, ComposeHash } from "../../protocol/words/hex.ts";
import { measureBoot } from "../../worker/tee/measureBoot.ts";
import { issueCollateral } from "../../worker/tee/simulator/collateral.ts";
import { createTestPki } from "../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../worker/tee/simulator/SimulatedTdx.ts";
import { simulatedCcel } from "../protocol/evidence/eventlog/simulatedCcel.ts";
import { makeFolder } from "./support/folder.ts";
import { runCharter } from "./support/runCharter.ts";

const at = 1_800_000_000;
const AT = new Date((at + 60) * 1000).toISOString();
const composeHash = `0x${"cd".repeat(32)}` as ComposeHash;

describe("charter verify on development evidence", () => {
  const folder = makeFolder();
  after(() => folder.remove());
  let files: { evidence: string; collateral: string; root: string };

  before(async () => {
    const pki = createTestPki({ notBefore: at - 86_400, validitySeconds: 400 * 86_400 });
    const source = new SimulatedTdx(simulatedPlatform(pki, { name: "one" }), { composeHash });
    await measureBoot(source, { app: `0x${"ab".repeat(20)}` as Address, composeHash, instanceId: "0x" });
    const evidence = { kind: source.kind, ...(await source.quote(new Uint8Array(64))) };
    files = {
      evidence: folder.file("evidence.json", JSON.stringify(evidence)),
      collateral: folder.file("collateral.json", JSON.stringify(issueCollateral(pki, { at }))),
      root: folder.file("root.pem", pki.file.root),
    };
  });
  const ccel = (log: Uint8Array): string => folder.file("ccel", log);
  const verify = (...more: string[]) =>
    runCharter(["--json", "verify", files.evidence, "--collateral", files.collateral, "--at", AT, ...more]);

  it("accepts it under the root that --root names, and says that it is simulated", async () => {
    const run = await verify("--root", files.root);
    expect(run.exitCode).to.equal(0);
    expect(run.result()).to.include({ simulated: true, status: "UpToDate", composeHash });
  });

  it("refuses it by root-pinned without --root: only Intel's root counts then", async () => {
    const run = await verify();
    expect(run.exitCode).to.equal(3);
    expect(run.error().code).to.equal("evidence/root-pinned");
  });

  it("holds a boot log to the quote's registers: in JSON, explained, and refused by the register that differs", async () => {
    const root = ["--root", files.root];
    const run = await verify(...root, "--ccel", ccel(simulatedCcel()));
    expect(run.exitCode).to.equal(0);
    const result = run.result<{ checks: { name: string }[] }>();
    expect(result).to.deep.include({ composeHash, ccelRegisters: ["RTMR0", "RTMR1", "RTMR2"] });
    const names = result.checks.map(({ name }) => name);
    expect(names).to.include.members(["rtmr-replay", "ccel-format", "ccel-digests", "ccel-replay"]);

    const changed = ccel(simulatedCcel((boot) => boot.slice(0, -1)));
    const refused = await verify(...root, "--ccel", changed);
    expect(refused.exitCode).to.equal(3);
    expect(refused.error().code).to.equal("evidence/ccel-replay");
    expect(refused.error().details).to.deep.include({ differing: ["RTMR1"] });

    const args = ["--collateral", files.collateral, "--at", AT, ...root, "--ccel", changed, "--explain"];
    const explained = await runCharter(["verify", files.evidence, ...args]);
    expect(explained.exitCode).to.equal(3);
    expect(explained.stderr).to.match(/✓ ccel-digests\n.*✗ ccel-replay\n.*gives the quote's RTMR0/s);
  });
});
