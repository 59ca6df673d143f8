import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { parseEventLog, replayRtmrs } from "../../../protocol/evidence/eventlog/eventLog.ts";
import { mrConfigHash } from "../../../protocol/evidence/snp/hostData.ts";
import { concatBytes } from "../../../protocol/words/bytes.ts";
import { toHex, type Address, type ComposeHash } from "../../../protocol/words/hex.ts";
import { measureBoot } from "../../../worker/tee/measureBoot.ts";
import { createTestPki } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { makeQuote } from "../../../worker/tee/simulator/quote.ts";
import { createAmdPki } from "../../../worker/tee/simulator/snp/amdPki.ts";
import { SimulatedSnp } from "../../../worker/tee/simulator/snp/SimulatedSnp.ts";
import { TsmSnp } from "../../../worker/tee/tsm/TsmSnp.ts";
import { TsmTdx } from "../../../worker/tee/tsm/TsmTdx.ts";
import { tsmReport } from "../../../worker/tee/tsm/tsmReport.ts";
import { simulatedCcel } from "../../protocol/evidence/eventlog/simulatedCcel.ts";
import { refusal } from "../../support/refusal.ts";
import { TsmTree } from "../support/TsmTree.ts";

const DATA = new Uint8Array(64).fill(9);
const APP = `0x${"ab".repeat(20)}` as Address;
const HASH = `0x${"cd".repeat(32)}` as ComposeHash;

describe("a report of configfs-tsm", () => {
  let tree: TsmTree;
  const ask = (privlevel?: number) =>
    tsmReport(DATA, { root: "/tsm", files: tree, ...(privlevel === undefined ? {} : { privlevel }) });
  beforeEach(() => {
    tree = new TsmTree();
  });

  it("is over the bytes that were asked for, and leaves no instance behind", async () => {
    const { outblob, provider, auxblob } = await ask();
    expect([outblob, provider, auxblob]).to.deep.equal([DATA, "tdx_guest", new Uint8Array()]);
    expect(tree.instances.size).to.equal(0);
  });

  it("is asked for again when somebody else wrote in between", async () => {
    let others = 2;
    tree.meanwhile = (dir) => {
      const one = tree.instances.get(dir);
      if (one === undefined || others-- <= 0) return;
      one.inblob = new Uint8Array(64).fill(0xee);
      one.generation++;
    };
    expect((await ask()).outblob).to.deep.equal(DATA);
    expect(others).to.equal(-1);
  });

  it("is refused when others always write in between, never answered over their bytes", async () => {
    tree.meanwhile = (dir) => {
      const one = tree.instances.get(dir);
      if (one) one.generation++;
    };
    expect(await refusal(ask())).to.equal("tee/tsm-contended");
    expect(tree.instances.size).to.equal(0);
  });

  it("waits for a TEE that is busy, and says what else went wrong", async () => {
    let busy = 3;
    tree.make = (inblob) => {
      if (busy-- > 0) throw TsmTree.error("EBUSY");
      return inblob;
    };
    expect((await ask()).outblob).to.deep.equal(DATA);
    tree.make = () => {
      throw TsmTree.error("EIO");
    };
    expect(await refusal(ask())).to.equal("tee/tsm-failed");
    expect(tree.instances.size).to.equal(0);
  });

  it("counts the write of a privilege level, and is refused below the floor", async () => {
    tree.privlevelFloor = 1;
    expect((await ask(2)).outblob).to.deep.equal(DATA);
    expect(await refusal(ask(0))).to.equal("tee/tsm-failed");
  });

  it("is over exactly 64 bytes, and needs the kernel's directory", async () => {
    for (const size of [0, 63, 65]) {
      const refused = await refusal(tsmReport(new Uint8Array(size), { root: "/tsm", files: tree }));
      expect(refused).to.equal("tee/report-data-length");
    }
    expect(await refusal(tsmReport(DATA, { root: "/nowhere/at/all" }))).to.equal("tee/tsm-failed");
  });
});

describe("a TD without dstack", () => {
  it("quotes with the firmware's log, and logs what it extends as the kernel was told", async () => {
    const dir = mkdtempSync(join(tmpdir(), "charter-tsm-"));
    try {
      const platform = simulatedPlatform(createTestPki(), { name: "one" });
      const tree = new TsmTree();
      const zero = () => new Uint8Array(48);
      tree.make = (reportData) =>
        makeQuote(platform, {
          mrTd: zero(),
          mrConfigId: zero(),
          rtmrs: [zero(), zero(), zero(), zero()],
          reportData,
          debug: false,
        });
      const [ccelFile, rtmr3File] = [join(dir, "CCEL"), join(dir, "rtmr3:sha384")];
      writeFileSync(ccelFile, simulatedCcel());
      const options = { root: "/tsm", files: tree, vmConfig: "{}", ccelFile, rtmr3File };
      const source = await TsmTdx.open(options);
      expect(source.platformId).to.equal(platform.platformId);
      expect(await refusal(source.extend("system-ready", new Uint8Array()))).to.equal(
        "tee/no-runtime-register",
      );
      writeFileSync(rtmr3File, "");
      await source.extend("app-id", Uint8Array.of(1, 2, 3));
      const { quote, eventLog } = await source.quote(DATA);
      expect(quote).to.contain("09".repeat(64));
      const events = parseEventLog(eventLog);
      // What the kernel was given is what a verifier extends by.
      const rtmrs = await replayRtmrs(events, nodeCrypto);
      const digest = readFileSync(rtmr3File);
      expect(digest).to.have.length(48);
      const expected = await nodeCrypto.digest("SHA-384", concatBytes(zero(), digest));
      expect(toHex(rtmrs[3] as Uint8Array)).to.equal(toHex(expected));
      expect(events.filter(({ imr }) => imr !== 3)).not.to.have.length(0);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe("an SEV-SNP guest", () => {
  const mrConfig = JSON.stringify({ version: 3, compose_hash: HASH.slice(2), app_id: APP.slice(2) });
  const snp = new SimulatedSnp(createAmdPki({ product: "Milan", notBefore: 1_700_000_000 }), { name: "one" });
  const tree = async (changes: { maskedChipId?: boolean } = {}, document = mrConfig) => {
    const kernel = new TsmTree();
    kernel.provider = "sev_guest";
    kernel.auxblob = Uint8Array.of(1, 2, 3);
    const hostData = await mrConfigHash(document, nodeCrypto);
    kernel.make = (reportData) => snp.attest(reportData, { hostData, ...changes }).report;
    return { root: "/tsm", files: kernel, mrConfig };
  };

  it("gives its report with the host's certificates, and was started for one app", async () => {
    const source = await TsmSnp.open(await tree());
    expect(source.platformId).to.equal(snp.platformId);
    expect((await source.quote(DATA)).quote).to.match(/010203$/);
    await measureBoot(source, { app: APP, composeHash: HASH, instanceId: "0x" });
    const other = { app: `0x${"ac".repeat(20)}` as Address, composeHash: HASH, instanceId: "0x" } as const;
    expect(await refusal(measureBoot(source, other))).to.equal("tee/boot-mismatch");
    expect(await refusal(source.extend("late"))).to.equal("tee/no-runtime-register");
  });

  it("is refused where the launch bound another document, or the chip hides itself", async () => {
    expect(await refusal(TsmSnp.open(await tree({}, `${mrConfig} `)))).to.equal("tee/boot-unbound");
    expect(await refusal(TsmSnp.open(await tree({ maskedChipId: true })))).to.equal("tee/chip-masked");
  });
});
