import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect } from "chai";

import { postgresDir } from "../../scripts/devnet/dataDir.ts";
import { gndBinary } from "../../scripts/devnet/graphNode.ts";

const START = fileURLToPath(new URL("../../scripts/start.ts", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly pid: number;
}

/** Runs `npm start`'s program; `onText` sees what it prints as it comes. */
function start(args: readonly string[], onText?: (text: string, pid: number) => void): Promise<Ended> {
  const child = spawn(process.execPath, [START, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("utf8");
    onText?.(stdout + stderr, child.pid ?? 0);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
    onText?.(stdout + stderr, child.pid ?? 0);
  });
  return new Promise((resolve) =>
    child.on("close", (code) => resolve({ code, stdout, stderr, pid: child.pid ?? 0 })),
  );
}

/** Processes that live now whose command line names this text. */
function processesNaming(text: string): string[] {
  const found: string[] = [];
  for (const pid of readPids()) {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      if (pid !== process.pid && (line.includes(text) || environment.includes(text))) found.push(line);
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

const readPids = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** As root, Postgres's data lies elsewhere than the folder that was named. */
function forget(dir: string): void {
  for (const each of [dir, postgresDir(dir)]) rmSync(each, { recursive: true, force: true });
}

describe("npm start", function () {
  this.timeout(300_000);

  before(function () {
    if (!gndBinary()) {
      console.log("skipped: npm start: graph-node's binary exists for Linux x64 only");
      this.skip();
    }
  });

  it("--once tells the whole story, seen on chain and in GraphQL", async () => {
    const { code, stdout, stderr } = await start(["--once"]);
    expect(code, stderr).to.equal(0);
    const report = JSON.parse(stdout) as {
      ok: boolean;
      steps: { step: string; chain: unknown; graphql: unknown }[];
    };
    expect(report.ok).to.equal(true);
    expect(report.steps.map(({ step }) => step)).to.deep.equal([
      "three nodes are registered",
      "app created, release 1 active",
      "instances of release 1 are live",
      "release 2 proposed, pending for its notice",
      "release 2 activates with no further transaction",
      "instances moved to release 2",
      "guardian revokes release 2 within release 1's grace",
      "instances fell back to release 1",
      "level raised to Frozen",
      "a further proposal is refused",
      "an app of the DAO is created, owned by its Timelock",
      "its members vote for release 2, and the Timelock proposes it",
      "the release that was voted for activates after its notice",
      "an app of a 2-of-3 Safe is created",
      "two of the Safe's owners give up every loosening",
    ]);
    for (const { step, chain, graphql } of report.steps) {
      expect(chain, `${step}: chain`).to.be.an("object");
      expect(graphql, `${step}: GraphQL`).to.be.an("object");
    }
  });

  it("interrupted half-way stops what it started and leaves nothing behind", async () => {
    const dir = mkdtempSync(join(tmpdir(), "charter-interrupt-"));
    let isInterrupted = false;
    const { code, stdout } = await start(["--dir", dir], (text, pid) => {
      if (isInterrupted || !text.includes("Postgres (")) return;
      isInterrupted = true;
      process.kill(pid, "SIGINT");
    });
    try {
      expect(isInterrupted, "reached Postgres").to.equal(true);
      expect(code).to.equal(0);
      expect(stdout).to.match(/Stopping\.\s*$/);
      expect(stdout).not.to.include("relayer (");
      expect(processesNaming(dir)).to.deep.equal([]);
      expect(readdirSync(dir)).not.to.include("pid");
    } finally {
      forget(dir);
    }
  });

  it("a second one on the same folder is refused while the first lives", async () => {
    const dir = mkdtempSync(join(tmpdir(), "charter-second-"));
    let second: Promise<Ended> | undefined;
    const first = start(["--dir", dir], (text, pid) => {
      if (second || !text.includes("chain (anvil")) return;
      second = start(["--dir", dir]);
      void second.then(() => process.kill(pid, "SIGINT"));
    });
    await first;
    try {
      const ended = await (second as Promise<Ended>);
      expect(ended.code).to.equal(1);
      expect(ended.stderr).to.include("devnet/already-running");
    } finally {
      forget(dir);
    }
  });
});
