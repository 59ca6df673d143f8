import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { closedBy } from "../../../protocol/placement/closedNode.ts";
import type { NodeReport } from "../../../protocol/session/nodeReport.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { loadOrCreateTestPki } from "../../../worker/tee/simulator/pki.ts";
import { deploymentFile } from "../support/deploymentFile.ts";
import { Inbox } from "../support/Inbox.ts";
import { LEASE_ACCOUNT, TestRelayer } from "../support/TestRelayer.ts";

const path = (relative: string) => fileURLToPath(new URL(`../../../${relative}`, import.meta.url));

/** Signal 0 only asks. */
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

type Line = Readonly<Record<string, unknown>>;

/** The programs as they are shipped: real processes, real HTTP, real evidence. */
describe("charter-node and the guests that it starts", function () {
  this.timeout(60_000);
  let dir: string;
  let relayer: TestRelayer;
  let child: ChildProcess | undefined;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-node-"));
    relayer = await new TestRelayer(loadOrCreateTestPki(dir)).start();
    relayer.nodeExpiresAt = Math.floor(Date.now() / 1000) + 3_600;
  });
  afterEach(async () => {
    child?.kill("SIGKILL");
    await relayer.server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const environment = () => ({
    PATH: process.env.PATH,
    CHARTER_RELAYER_URLS: relayer.url,
    CHARTER_DEPLOYMENT: deploymentFile(dir),
    CHARTER_SIM_DIR: dir,
    CHARTER_SIM_PLATFORM: "one",
    CHARTER_WORKDIR: join(dir, "work"),
    CHARTER_RUNTIME: "dry",
    CHARTER_OPERATOR_KEY: `0x${"33".repeat(32)}`,
  });
  const place = async () => {
    const composeHash = await relayer.keep(
      Buffer.from(
        JSON.stringify({
          manifest_version: 2,
          name: "hello",
          runner: "docker-compose",
          docker_compose_file: "services: {web: {image: busybox}}",
          charter: { lease_signers: [LEASE_ACCOUNT.address], allow_unpinned_images: true },
        }),
      ),
    );
    relayer.placements = [{ app: `0x${"ab".repeat(20)}` as Address, slot: 0, release: 1, composeHash }];
  };
  const start = (...args: string[]) => {
    const lines = new Inbox<Line>();
    child = spawn(process.execPath, [path("worker/node/main.ts"), "run", ...args], {
      env: environment(),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const started = child;
    createInterface({ input: started.stdout as NodeJS.ReadableStream }).on("line", (line) =>
      lines.put(JSON.parse(line) as Line),
    );
    const exited = new Promise<number | null>((done) => started.once("exit", done));
    return { lines, exited, started };
  };

  it("register, lease, say that nothing is started in a dry run, and stop in order", async () => {
    await place();
    const { lines, exited, started } = start();
    await lines.until(({ ready }) => ready === true);
    const running = await lines.until(({ state }) => state === "running");
    expect(running).to.include({ runtime: "dry" });
    expect(running.note).to.match(/^containers are not started/);
    started.kill("SIGTERM");
    expect(await exited).to.equal(0);
    expect(lines.all.find(({ state }) => state === "stopped")).to.include({ reason: "asked" });
  });

  it("decline a slot beyond what the machine takes on, and tell relayers at once", async () => {
    await place();
    const [first] = relayer.placements as [(typeof relayer.placements)[number]];
    relayer.placements = [first, { ...first, slot: 1 }];
    const config = join(dir, "node.json");
    writeFileSync(config, JSON.stringify({ maxGuests: 1 }));
    const { lines, exited, started } = start("--config", config);
    const { guest } = await lines.until(({ change }) => change === "declined");
    expect(guest).to.match(/-1-r1$/);
    // Without waiting for the next minute.
    const { message } = await relayer.reports.until(({ message: { report } }) => {
      const { apps } = JSON.parse(report) as NodeReport;
      return apps !== null;
    });
    const report = JSON.parse(message.report) as NodeReport;
    expect(report.apps).to.deep.equal([first.app]);
    expect(closedBy(report)?.reason).to.equal("full");
    started.kill("SIGTERM");
    expect(await exited).to.equal(0);
  });

  it("start a guest anew after its lease was denied, for as long as it is placed", async () => {
    await place();
    relayer.maxSeconds = 3; // Renewed after one second.
    const { lines, exited, started } = start();
    await lines.until(({ state }) => state === "running");
    relayer.denial = new CharterError("lease/denied", "revoked", { reason: "ReleaseNotAllowed" });
    expect(await lines.until(({ state }) => state === "stopped")).to.include({ reason: "denied" });
    expect(await lines.until(({ change }) => change === "ended")).to.include({ code: 3 });
    relayer.denial = undefined;
    await lines.until(({ state }) => state === "running");
    started.kill("SIGINT");
    expect(await exited).to.equal(0);
  });

  it("leave no guest behind when the agent is killed", async () => {
    await place();
    const { lines, exited, started } = start();
    const { pid } = await lines.until(({ state }) => state === "starting");
    await lines.until(({ state }) => state === "running");
    started.kill("SIGKILL");
    await exited;
    while (isAlive(pid as number)) await new Promise((done) => setTimeout(done, 20));
  });

  it("run once per workdir: a second agent names the first, and one that was killed blocks none", async () => {
    const first = start();
    await first.lines.until(({ ready }) => ready === true);
    const run = () =>
      spawnSync(process.execPath, [path("worker/node/main.ts"), "run"], { env: environment() });
    const second = run();
    expect(second.status).to.equal(1);
    const { error } = JSON.parse(second.stderr.toString()) as { error: { code: string; details: object } };
    expect(error.code).to.equal("worker/workdir-in-use");
    expect(error.details).to.deep.equal({ workdir: join(dir, "work"), pid: first.started.pid });
    first.started.kill("SIGKILL");
    await first.exited;
    const third = start();
    await third.lines.until(({ ready }) => ready === true);
    third.started.kill("SIGTERM");
    expect(await third.exited).to.equal(0);
  });

  it("say by their doctor what was found, and change nothing", () => {
    const env = { ...environment(), CHARTER_RELAYER_URLS: "http://127.0.0.1:9" };
    const run = spawnSync(process.execPath, [path("worker/charter-node.mjs"), "doctor", "--json"], {
      env,
      encoding: "utf8",
    });
    expect(run.status).to.equal(1);
    const { findings } = JSON.parse(run.stdout) as { findings: { what: string; ok: boolean }[] };
    expect(findings.map(({ what, ok }) => [what, ok])).to.deep.equal([
      ["evidence source", true],
      ["hardware dstack", true],
      ["hardware tsm-tdx", true],
      ["hardware tsm-snp", true],
      ["hardware nitro", true],
      ["hardware nvidia", true],
      ["keys that survive a guest", true],
      ["storage", true],
      ["containers", true],
      ["relayer http://127.0.0.1:9", false],
    ]);
  });

  it("refuse a wrong configuration with a typed error", () => {
    const run = spawnSync(process.execPath, [path("worker/node/main.ts"), "run"], {
      env: { PATH: process.env.PATH },
      encoding: "utf8",
    });
    expect(run.status).to.equal(1);
    expect((JSON.parse(run.stderr) as { error: { code: string } }).error.code).to.equal("config/invalid");
  });
});
