import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { killContainers } from "../../../worker/guest/compose/killContainers.ts";

describe("killing containers without their engine", () => {
  const id = "5a".repeat(32);
  let proc: string;
  let killed: number[];
  beforeEach(() => {
    killed = [];
    proc = mkdtempSync(join(tmpdir(), "charter-proc-"));
    for (const [pid, group] of [
      [11, `4:pids:/docker/${id}\n`],
      [12, `0::/system.slice/docker-${id}.scope\n`],
      [13, `0::/docker/${"6b".repeat(32)}\n`],
      [14, "0::/\n"],
    ] as const) {
      mkdirSync(join(proc, String(pid)));
      writeFileSync(join(proc, String(pid), "cgroup"), group);
    }
    mkdirSync(join(proc, "15")); // Ended while we looked.
    mkdirSync(join(proc, "sys"));
  });
  afterEach(() => rmSync(proc, { recursive: true }));
  const kill = (pid: number, signal: string): void => {
    if (signal === "SIGKILL") killed.push(pid);
  };

  it("kills the processes of those containers, by either form of a control group, and nobody else's", () => {
    expect(killContainers([id], proc, kill)).to.equal(2);
    expect(killed).to.have.members([11, 12]);
  });

  it("stops all of them before it kills one, those that were forked meanwhile, too", () => {
    const told: string[] = [];
    let next = 20;
    const forking = (pid: number, signal: string): void => {
      told.push(signal);
      kill(pid, signal);
      if (next === 25 || signal !== "SIGSTOP") return;
      mkdirSync(join(proc, String(next)));
      writeFileSync(join(proc, String(next++), "cgroup"), `0::/docker/${id}\n`);
    };
    expect(killContainers([id], proc, forking)).to.equal(7);
    expect(killed).to.have.members([11, 12, 20, 21, 22, 23, 24]);
    expect(told.lastIndexOf("SIGSTOP")).to.be.lessThan(told.indexOf("SIGKILL"));
  });

  it("takes whole ids only: a short or empty one could be anybody's", () => {
    expect(killContainers(["", "5a", id.slice(1), "/"], proc, kill)).to.equal(0);
  });

  it("does nothing where the kernel shows no processes", () => {
    expect(killContainers([id], join(proc, "none"), kill)).to.equal(0);
  });
});
