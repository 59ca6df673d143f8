import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { secretKeys } from "../../../protocol/keys/secretEnvelope.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { openKeySource } from "../../../worker/keys/openKeySource.ts";
import { requireKeySource } from "../../../worker/keys/requireKeySource.ts";
import { SimulatorKeys } from "../../../worker/keys/SimulatorKeys.ts";
import { loadOrCreateTestPki } from "../../../worker/tee/simulator/pki.ts";
import { refusal, refusalOf } from "../../support/refusal.ts";
import { makeSnpguest } from "../support/snpguest.ts";
import { DstackAgentServer } from "../support/DstackAgentServer.ts";

const APP = `0x${"ab".repeat(20)}` as Address;
const OTHER = `0x${"ac".repeat(20)}` as Address;

describe("keys that survive the guest", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "charter-keys-"));
    loadOrCreateTestPki(dir);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("are the same after a restart, another for each use and app", async () => {
    const first = new SimulatorKeys(dir, 31337);
    const later = new SimulatorKeys(dir, 31337);
    expect(await later.key(APP, "hpke")).to.deep.equal(await first.key(APP, "hpke"));
    const all = await Promise.all([
      first.key(APP, "hpke"),
      first.key(APP, "volume"),
      first.key(OTHER, "hpke"),
      first.key(OTHER, "volume"),
    ]);
    expect(new Set(all.map((key) => Buffer.from(key).toString("hex"))).size).to.equal(4);
    const publicKeys = [
      await secretKeys(await first.key(APP, "hpke")),
      await secretKeys(await later.key(APP, "hpke")),
    ];
    expect(publicKeys[0]?.publicKey).to.deep.equal(publicKeys[1]?.publicKey);
  });

  it("are simulated on development chains only", () => {
    for (const chainId of [1, 8453, 11155111]) {
      expect(refusalOf(() => new SimulatorKeys(dir, chainId))).to.equal("keys/simulator-refused");
    }
  });

  it("are refused by name of the reason where none survives: nothing falls back to a key that is lost", () => {
    for (const evidence of ["tsm-tdx", "tsm-snp", "nitro", undefined] as const) {
      expect(refusalOf(() => requireKeySource({ source: null, evidence }))).to.equal("keys/no-source");
    }
    const source = new SimulatorKeys(dir, 1337);
    expect(requireKeySource({ source, evidence: "tsm-tdx" })).to.equal(source);
  });

  it("are the machine's own or none: nothing falls back to the simulator", async () => {
    const places = {
      dstackSockets: [join(dir, "dstack.sock")],
      tsmRoot: join(dir, "tsm"),
      snpDevice: join(dir, "sev-guest"),
      nsmDevice: join(dir, "nsm"),
      nvidiaDevices: join(dir, "gpus"),
      snpguest: join(dir, "snpguest"),
    };
    const keys = { ledger: OTHER, leaseSigners: [APP], secretsDir: "/dev/shm" };
    const found = (evidence: "simulator" | "machine", chainId = 31337) =>
      openKeySource({ evidence, simulatorDir: dir, ...keys }, chainId, places);
    expect((await found("simulator")).source?.name).to.equal("simulator");
    expect(await refusal(found("simulator", 1))).to.equal("keys/simulator-refused");
    expect(await found("machine")).to.deep.equal({ source: null });

    mkdirSync(join(dir, "tsm"));
    writeFileSync(join(dir, "sev-guest"), "");
    expect(await found("machine")).to.deep.equal({
      source: null,
      evidence: "tsm-snp",
      reason: "it takes virtee's snpguest, which is not installed",
    });
    makeSnpguest(dir, { version: "1.2.0" });
    expect((await found("machine", 1)).reason).to.match(/not known here \(1\.2\)$/);
    makeSnpguest(dir);
    expect((await found("machine", 1)).source).to.include({ name: "snp", isShared: false });
    const agent = await new DstackAgentServer(dir).start();
    try {
      expect((await found("machine", 1)).source?.name).to.equal("dstack");
    } finally {
      await agent.close();
    }
  });
});
