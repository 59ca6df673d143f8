import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import type { CharterError } from "../../protocol/errors/CharterError.ts";
import { holdDirectory } from "../../worker/holdDirectory.ts";

const MODULE = new URL("../../worker/holdDirectory.ts", import.meta.url).href;

describe("a directory that is held", () => {
  let dir: string;
  const children: ChildProcess[] = [];
  const grandchildren: number[] = [];
  beforeEach(() => {
    dir = join(mkdtempSync(join(tmpdir(), "charter-hold-")), "work");
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    for (const pid of grandchildren.splice(0)) process.kill(pid);
    rmSync(join(dir, ".."), { recursive: true });
  });

  const refusal = (): { code: string; details: unknown } => {
    try {
      holdDirectory(dir).release();
      return { code: "none", details: null };
    } catch (error) {
      const { code, details } = error as CharterError;
      return { code, details };
    }
  };
  const inUse = (pid: number | null) => ({ code: "worker/workdir-in-use", details: { workdir: dir, pid } });
  /** Another process that holds it, and a child of that one, which outlives it. */
  const holder = async () => {
    const script = `
      import { spawn } from "node:child_process";
      const { holdDirectory } = await import(${JSON.stringify(MODULE)});
      holdDirectory(${JSON.stringify(dir)});
      const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
      console.log(child.pid);
      setInterval(() => undefined, 60_000);`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const grandchild = Number(line.toString());
    grandchildren.push(grandchild);
    return { child, grandchild };
  };

  it("is made where there is none, and is anybody's again when it was let go of", () => {
    holdDirectory(dir).release();
    expect(readFileSync(join(dir, "charter.lock"), "utf8")).to.equal(`${process.pid}\n`);
    expect(refusal().code).to.equal("none");
  });

  it("is refused to others by the pid of its holder, in this process or another", async () => {
    const held = holdDirectory(dir);
    expect(refusal()).to.deep.equal(inUse(process.pid));
    held.release();
    const { child } = await holder();
    expect(refusal()).to.deep.equal(inUse(child.pid ?? 0));
  });

  it("is not kept by a holder that was killed, nor by what that one started", async () => {
    const { child, grandchild } = await holder();
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    expect(process.kill(grandchild, 0)).to.equal(true);
    expect(refusal().code).to.equal("none");
  });

  it("is not kept by a file of an earlier boot, whose pid is another's now", () => {
    holdDirectory(dir).release();
    writeFileSync(join(dir, "charter.lock"), `${process.pid}\n`);
    expect(refusal().code).to.equal("none");
  });

  it("is refused also where the file says nothing of its holder", () => {
    const held = holdDirectory(dir);
    writeFileSync(join(dir, "charter.lock"), "\u001b[2J what?");
    expect(refusal()).to.deep.equal(inUse(null));
    held.release();
  });
});
