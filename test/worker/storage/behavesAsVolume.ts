import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import {
  MARKS,
  volumeDir,
  type StorageKind,
  type Volume,
  type VolumeOptions,
} from "../../../worker/storage/Volume.ts";
import { refusal } from "../../support/refusal.ts";

const APP = `0x${"Ab".repeat(20)}`;
const key = (fill: number) => new Uint8Array(32).fill(fill);

/** The killed guest's volume closes a moment later. */
function whileInUse(error: unknown): undefined {
  if (isCharterError(error) && error.code === "storage/in-use") return undefined;
  throw error;
}

export interface VolumeKind {
  readonly kind: StorageKind;
  /** Why it cannot be opened on this machine, or null. */
  readonly missing: () => Promise<string | null>;
  readonly open: (options: VolumeOptions) => Promise<Volume>;
  /** For a process of its own: the module, its function's name, and what that takes beside `VolumeOptions`. */
  readonly module: string;
  readonly name: string;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** What every kind of volume promises, tried where this machine can open it. */
export function behavesAsVolume({
  kind,
  missing,
  open: openKind,
  module,
  name,
  more = {},
}: VolumeKind): void {
  describe(`the encrypted volume (${kind})`, function () {
    this.timeout(120_000);
    let dir: string;
    let open: Volume[];

    before(async function () {
      const why = await missing();
      if (why === null) return;
      console.log(`      skipped: ${kind}: ${why}`);
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
    const mount = async (fill: number, at = "plain") => {
      const volume = await openKind({ cipherDir: cipherDir(), mountPoint: join(dir, at), key: key(fill) });
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
      expect(names).to.include(MARKS[kind]).and.not.include("notes.txt");
      for (const each of names) {
        expect(readFileSync(join(cipherDir(), each)).includes("what the app knows"), each).to.equal(false);
      }
      const second = await mount(1, "again");
      expect(readFileSync(join(second.path, "notes.txt"), "utf8")).to.equal("what the app knows");
    });

    it("is mounted so that no device and no set-uid program of it counts", async () => {
      const { path } = await mount(1);
      const [, , , options = ""] =
        readFileSync("/proc/mounts", "utf8")
          .split("\n")
          .map((line) => line.split(" "))
          .find(([, at]) => at === path) ?? [];
      expect(options.split(",")).to.include.members(["nodev", "nosuid"]);
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
        import { ${name} } from ${JSON.stringify(new URL(module, import.meta.url).href)};
        import { writeFileSync } from "node:fs";
        const [cipherDir, mountPoint] = process.argv.slice(1);
        const key = new Uint8Array(32).fill(1);
        const volume = await ${name}({ cipherDir, mountPoint, key, ...${JSON.stringify(more)} });
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
      rmSync(join(cipherDir(), MARKS[kind]));
      writeFileSync(join(cipherDir(), "other"), "other");
      expect(await refusal(mount(1))).to.equal("storage/foreign-files");
    });
  });
}
