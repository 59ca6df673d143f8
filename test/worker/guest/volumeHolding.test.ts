import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import type { Address } from "../../../protocol/words/hex.ts";
import { machineClock } from "../../../worker/clock.ts";
import { SecretCounters } from "../../../worker/guest/holdings/SecretCounters.ts";
import { VolumeHolding } from "../../../worker/guest/holdings/VolumeHolding.ts";
import { SimulatorKeys } from "../../../worker/keys/SimulatorKeys.ts";
import { examineStorage } from "../../../worker/storage/chooseStorage.ts";
import { volumeDir } from "../../../worker/storage/Volume.ts";
import { loadOrCreateTestPki } from "../../../worker/tee/simulator/pki.ts";
import { refusal } from "../../support/refusal.ts";

const APP = `0x${"ab".repeat(20)}` as Address;
const OTHER = `0x${"ac".repeat(20)}` as Address;

describe("an app's volume", function () {
  this.timeout(60_000);
  let dir: string;
  let open: VolumeHolding[];
  const never = new AbortController().signal;

  before(async function () {
    const missing = Object.values(await examineStorage());
    if (missing.includes(null)) return;
    console.log(`      skipped: ${missing.join("; ")}`);
    this.skip();
  });
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "charter-held-"));
    loadOrCreateTestPki(dir);
    open = [];
  });
  afterEach(async () => {
    for (const holding of open) await holding.close();
    rmSync(dir, { recursive: true });
  });

  const cipherDir = (slot = 0) => volumeDir(join(dir, "volumes"), APP, slot);
  const holding = async (workdir: string, changes: { app?: Address; onInUse?: () => void } = {}) => {
    const made = await VolumeHolding.prepare({
      app: APP,
      source: new SimulatorKeys(dir, 31337),
      cipherDir: cipherDir(),
      storage: "auto",
      sizeMb: 64,
      memoryDir: "/dev/shm",
      mountPoint: join(dir, workdir),
      names: ["data"],
      clock: machineClock(),
      onInUse: () => undefined,
      ...changes,
    });
    open.push(made);
    return made;
  };

  it("goes to the successor when the predecessor has closed it, with what was written, writable by any user", async () => {
    const first = await holding("r1");
    await first.open(never);
    writeFileSync(join(dir, "r1", "data", "notes.txt"), "kept");
    expect(statSync(join(dir, "r1", "data")).mode & 0o777).to.equal(0o777);

    const told = new Promise<void>((onInUse) => {
      void holding("r2", { onInUse }).then((second) => second.open(never).then(() => opened(second)));
    });
    let opened: (second: VolumeHolding) => void = () => undefined;
    const successor = new Promise<VolumeHolding>((done) => (opened = done));
    await told;
    await first.close();
    await successor;
    expect(readFileSync(join(dir, "r2", "data", "notes.txt"), "utf8")).to.equal("kept");
  });

  it("remembers for the next instance which secrets were taken, where no service sees it", async () => {
    const first = await holding("r1");
    expect(first.path).to.equal(undefined);
    await first.open(never);
    await new SecretCounters(first.path ?? "").raise(new Map([["TOKEN", 7]]));
    expect(readdirSync(join(dir, "r1", "data"))).to.deep.equal([]);
    await first.close();
    expect(first.path).to.equal(undefined);
    const second = await holding("r2");
    await second.open(never);
    expect([...(await new SecretCounters(second.path ?? "").read())]).to.deep.equal([["TOKEN", 7]]);
  });

  it("has its directories writable by any user, also where making one was cut off", async () => {
    const first = await holding("r1");
    await first.open(never);
    rmSync(join(dir, "r1", "data"), { recursive: true });
    mkdirSync(join(dir, "r1", ".charter-new-data"), { mode: 0o700 });
    await first.close();
    const second = await holding("r2");
    await second.open(never);
    expect(readdirSync(join(dir, "r2"))).to.deep.equal(["data"]);
    expect(statSync(join(dir, "r2", "data")).mode & 0o777).to.equal(0o777);
  });

  it("is not waited for beyond the right to run", async () => {
    await (await holding("r1")).open(never);
    const ended = new AbortController();
    const second = await holding("r2", { onInUse: () => ended.abort() });
    await second.open(ended.signal);
    expect(statSync(join(dir, "r2"), { throwIfNoEntry: false })).to.equal(undefined);
  });

  it("is not opened by another app's key, and not shared by two slots", async () => {
    const first = await holding("r1");
    await first.open(never);
    await first.close();
    expect(await refusal((await holding("other", { app: OTHER })).open(never))).to.equal("storage/wrong-key");
    expect(cipherDir(1)).not.to.equal(cipherDir(0));
  });
});
