import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import type { Address, ComposeHash } from "../../../protocol/words/hex.ts";
import { openMachineSource } from "../../../worker/tee/openMachineSource.ts";
import { loadOrCreateTestPki } from "../../../worker/tee/simulator/pki.ts";
import { refusal } from "../../support/refusal.ts";
import { DstackAgentServer } from "../support/DstackAgentServer.ts";

const HASH = `0x${"cd".repeat(32)}` as ComposeHash;
const APP = `0x${"ab".repeat(20)}` as Address;
const DEVICE = "12".repeat(32);

describe("opening a machine's source of evidence", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "charter-machine-"));
    loadOrCreateTestPki(dir);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const open = (evidence: "simulator" | "machine", chainId: number) =>
    openMachineSource({ evidence, simulatorDir: dir, platform: "one", places: places() }, chainId, {
      app: APP,
      composeHash: HASH,
    });
  const places = () => ({
    dstackSockets: [join(dir, "dstack.sock")],
    tsmRoot: join(dir, "tsm"),
    tdxDevice: join(dir, "tdx_guest"),
    snpDevice: join(dir, "sev-guest"),
    nsmDevice: join(dir, "nsm"),
    nvidiaDevices: join(dir, "gpus"),
  });

  it("never falls back to the simulator, even on a development chain", async () => {
    expect((await open("simulator", 31337)).simulated).to.equal(true);
    expect(await refusal(open("machine", 31337))).to.equal("tee/no-source");
    expect(await refusal(open("simulator", 1))).to.equal("tee/simulator-refused");
    const nowhere = openMachineSource({ evidence: "simulator" }, 31337);
    expect(await refusal(nowhere)).to.equal("tee/config-missing");
  });

  it("finds dstack's agent, on any chain", async () => {
    const agent = await new DstackAgentServer(dir).start();
    try {
      const info = {
        app_id: "ab".repeat(20),
        compose_hash: HASH.slice(2),
        device_id: DEVICE,
        tcb_info: "{}",
      };
      agent.answers["/Info"] = () => info;
      const source = await open("machine", 1);
      expect([source.simulated, source.platformId]).to.deep.equal([false, `0x${DEVICE}`]);
    } finally {
      await agent.close();
    }
  });

  it("names the document that a kernel's evidence lacks", async () => {
    mkdirSync(join(dir, "tsm"));
    writeFileSync(join(dir, "sev-guest"), "");
    expect(await refusal(open("machine", 1))).to.equal("tee/config-missing");
    writeFileSync(join(dir, "tdx_guest"), "");
    expect(await refusal(open("machine", 1))).to.equal("tee/config-missing");
  });
});
