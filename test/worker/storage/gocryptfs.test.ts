import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import {
  gocryptfsMissing,
  openGocryptfs,
  volumeDir,
  type Volume,
} from "../../../worker/storage/gocryptfs.ts";
import { refusal } from "../../support/refusal.ts";

const APP = `0x${"Ab".repeat(20)}`;
const key = (fill: number) => new Uint8Array(32).fill(fill);

/** The killed guest's file system notices a moment later. */
function whileInUse(error: unknown): undefined {
  if (isCharterError(error) && error.code === "storage/in-use") return undefined;
  throw error;
}

describe("the encrypted volume (gocryptfs)", function () {
  this.timeout(60_000);
  let dir: string;
  let open: Volume[];

  before(async function () {
    const missing = await gocryptfsMissing();
    if (missing === null) return;
    console.log(`      skipped: ${missing}`);
    this.skip();
  });
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "charter-volume-"));
    open = [];
  });
  afterEach(async () => {
    for (const volume of open) await volume.close();
    rmSync(dir, { recursive: true });
  });

  const cipherDir = () => volumeDir(join(dir, "disk"), APP, 0);
  const mount = async (fill: number, name = "plain") => {
    const volume = await openGocryptfs({
      cipherDir: cipherDir(),
      mountPoint: join(dir, name),
      key: key(fill),
    });
    open.push(volume);
    return volume;
  };
  const unmount = async (volume: Volume) => {
    await volume.close();
    open.splice(open.indexOf(volume), 1);
  };

  it("keeps what the app wrote across a restart, readable by nobody else", async () => {
    const first = await mount(1);
    writeFileSync(join(first.path, "notes.txt"), "what the app knows");
    await unmount(first);
    expect(readdirSync(join(dir, "plain"))).to.deep.equal([]);
    const names = readdirSync(cipherDir());
    expect(names).not.to.include("notes.txt");
    for (const name of names) {
      expect(readFileSync(join(cipherDir(), name)).includes("what the app knows"), name).to.equal(false);
    }
    const second = await mount(1, "again");
    expect(readFileSync(join(second.path, "notes.txt"), "utf8")).to.equal("what the app knows");
  });

  it("is not opened by another key, and stays as it was", async () => {
    const first = await mount(1);
    writeFileSync(join(first.path, "notes.txt"), "kept");
    await unmount(first);
    expect(await refusal(mount(2))).to.equal("storage/wrong-key");
    const again = await mount(1);
    expect(readFileSync(join(again.path, "notes.txt"), "utf8")).to.equal("kept");
  });

  it("is never open twice, whoever asks", async () => {
    const first = await mount(1);
    expect(await refusal(mount(1, "again"))).to.equal("storage/in-use");
    writeFileSync(join(first.path, "notes.txt"), "kept");
    await unmount(first);
    const again = await mount(1, "again");
    expect(readFileSync(join(again.path, "notes.txt"), "utf8")).to.equal("kept");
  });

  it("is closed when the guest that had it open is killed, and opens again", async () => {
    const program = `
      import { openGocryptfs } from ${JSON.stringify(new URL("../../../worker/storage/gocryptfs.ts", import.meta.url).href)};
      import { writeFileSync } from "node:fs";
      const [cipherDir, mountPoint] = process.argv.slice(1);
      const volume = await openGocryptfs({ cipherDir, mountPoint, key: new Uint8Array(32).fill(1) });
      writeFileSync(volume.path + "/notes.txt", "kept");
      console.log("open");
      setInterval(() => undefined, 1_000);`;
    const args = ["--input-type=module", "-e", program, cipherDir(), join(dir, "killed")];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((done) => child.stdout.once("data", done));
    expect(await refusal(mount(1))).to.equal("storage/in-use");
    child.kill("SIGKILL");
    await new Promise((done) => child.once("exit", done));
    let again: Volume | undefined;
    while (again === undefined) again = await mount(1).catch(whileInUse);
    expect(readFileSync(join(again.path, "notes.txt"), "utf8")).to.equal("kept");
  });

  it("is not made over other files", async () => {
    await unmount(await mount(1));
    rmSync(join(cipherDir(), "gocryptfs.conf"));
    writeFileSync(join(cipherDir(), "other"), "other");
    expect(await refusal(mount(1))).to.equal("storage/foreign-files");
  });
});
