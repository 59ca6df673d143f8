import { expect } from "chai";

import type { Address, ComposeHash } from "../../protocol/words/hex.ts";
import { measureBoot } from "../../worker/tee/measureBoot.ts";
import { issueCollateral } from "../../worker/tee/simulator/collateral.ts";
import { createTestPki } from "../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../worker/tee/simulator/SimulatedTdx.ts";
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
});
