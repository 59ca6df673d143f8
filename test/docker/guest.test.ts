import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { expect } from "chai";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Address, ComposeHash } from "../../protocol/words/hex.ts";
import { httpAnswer } from "../../scripts/story/httpAnswer.ts";
import type { GuestConfigInput } from "../../worker/guest/config.ts";
import { loadOrCreateTestPki } from "../../worker/tee/simulator/pki.ts";
import { Inbox } from "../worker/support/Inbox.ts";
import { CHAIN, LEASE_ACCOUNT, TestRelayer } from "../worker/support/TestRelayer.ts";
import { bare, escapes } from "./support/escapes.ts";
import { startLyingRegistry } from "./support/lyingRegistry.ts";
import { until } from "./support/until.ts";
import { withEngine } from "./support/withEngine.ts";

const GUEST = fileURLToPath(new URL("../../worker/guest/main.ts", import.meta.url));
const APP = `0x${"ab".repeat(20)}` as Address;
const LABEL = `charter.app=${APP}`;
const LEASE_SECONDS = 3;

/** Processes of a container, counted by its control group. */
function processesOf(id: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(id);
    } catch {
      return false;
    }
  });
}

type Line = Readonly<Record<string, unknown>> & { readonly state: string };

interface RunningGuest {
  readonly child: ChildProcess;
  readonly lines: Inbox<Line>;
  readonly exited: Promise<number | null>;
  reaches(state: string): Promise<Line>;
}

/** The guest's own program with a real engine; the relayer is the worker tests' (real HTTP, evidence and signatures). */
describe("the guest on a real container engine", function () {
  this.timeout(120_000);
  const engine = withEngine("the guest's containers");
  let dir: string;
  let relayer: TestRelayer;
  let guests: RunningGuest[];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-docker-"));
    relayer = await new TestRelayer(loadOrCreateTestPki(dir)).start();
    relayer.maxSeconds = LEASE_SECONDS;
    guests = [];
  });
  afterEach(async () => {
    for (const { child, exited } of guests) {
      child.kill("SIGTERM");
      await exited;
    }
    await relayer.server.close();
    rmSync(dir, { recursive: true, force: true });
    // Whatever a test did, the next one begins with nothing running.
    await until("no container", async () => (await engine().running(LABEL)).length === 0);
  });

  /** A page on port 8080. */
  const service = (page: string, image = engine().image): string =>
    JSON.stringify({
      image,
      command: ["sh", "-c", `echo ${page} > /tmp/index.html; exec httpd -f -p 8080 -h /tmp`],
      read_only: true,
      tmpfs: "/tmp",
      cap_drop: ["ALL"],
      mem_limit: "64m",
      cpus: 0.5,
      pids_limit: 32,
      restart: "always",
      // The first process of a container does not hear SIGTERM unless it asks to: no test waits for that.
      stop_signal: "SIGKILL",
      healthcheck: {
        test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/"],
        interval: "1s",
      },
    });
  const manifest = (compose: string, changes: Record<string, unknown> = {}): Buffer =>
    Buffer.from(
      JSON.stringify({
        manifest_version: 2,
        name: "hello",
        runner: "docker-compose",
        docker_compose_file: compose,
        charter: { lease_signers: [LEASE_ACCOUNT.address], max_lease_seconds: 60 },
        ...changes,
      }),
    );
  const deploy = async (page: string): Promise<RunningGuest> =>
    start(await relayer.keep(manifest(`services: {web: ${service(page)}}`)));

  function start(composeHash: ComposeHash, changes: Partial<GuestConfigInput> = {}): RunningGuest {
    const config: GuestConfigInput = {
      relayerUrls: [relayer.url],
      chainId: CHAIN.chainId,
      genesisHash: CHAIN.genesisHash,
      ledger: CHAIN.ledger,
      app: APP,
      composeHash,
      release: relayer.release,
      node: 1,
      slot: 0,
      simulatorDir: dir,
      platform: "one",
      workdir: join(dir, "work"),
      runtime: "docker",
      engineSocket: engine().socket,
      ...changes,
    };
    const child = spawn(process.execPath, [GUEST], {
      env: { PATH: process.env.PATH, HOST_SECRET: "hidden", CHARTER_GUEST_CONFIG: JSON.stringify(config) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = new Inbox<Line>();
    createInterface({ input: child.stdout }).on("line", (line) => lines.put(JSON.parse(line) as Line));
    const exited = new Promise<number | null>((done) => child.once("exit", done));
    const guest: RunningGuest = {
      child,
      lines,
      exited,
      reaches: (state) => lines.until((line) => line.state === state),
    };
    guests.push(guest);
    return guest;
  }

  const answers = (page: string) =>
    until(`the page ${page}`, async () => {
      const answer = await httpAnswer(APP, 8080, engine().socket);
      return answer?.body === page && answer;
    });
  const nothingRuns = () => until("nothing runs", async () => (await engine().running(LABEL)).length === 0);
  const revoked = new CharterError("lease/denied", "revoked", { reason: "ReleaseNotAllowed" });

  it("runs the manifest's containers within their limits, tells of their health, and leaves nothing behind", async () => {
    const guest = await deploy("one");
    await guest.lines.until((line) => JSON.stringify(line).includes('"healthy"'));
    expect((await answers("one")).status).to.equal(200);
    const [id = ""] = await engine().running(LABEL);
    const [inspected] = JSON.parse(await engine().docker("inspect", id)) as [
      {
        Config: { Env: string[] | null; Labels: Record<string, string> };
        HostConfig: Record<string, unknown> & { RestartPolicy: { Name: string } };
      },
    ];
    expect(inspected.HostConfig).to.include({
      Memory: 64 * 1_048_576,
      NanoCpus: 500_000_000,
      PidsLimit: 32,
      Privileged: false,
      ReadonlyRootfs: true,
    });
    expect(inspected.HostConfig.RestartPolicy.Name).to.equal("no");
    expect((inspected.Config.Env ?? []).join()).not.to.include("hidden");
    guest.child.kill("SIGTERM");
    expect(await guest.exited).to.equal(0);
    expect(await engine().docker("ps", "--all", "--quiet")).to.equal("");
    expect(await engine().docker("volume", "ls", "--quiet")).to.equal("");
    expect(
      await engine().docker("network", "ls", "--quiet", "--filter", "label=com.docker.compose.project"),
    ).to.equal("");
  });

  it("stops them when the release is revoked, and when the relayer is lost for longer than the lease", async () => {
    const denied = await deploy("one");
    await answers("one");
    relayer.denial = revoked;
    expect(await denied.exited).to.equal(3);
    expect(await engine().running(LABEL)).to.deep.equal([]);

    relayer.denial = undefined;
    const lost = await deploy("one");
    await answers("one");
    await relayer.server.close();
    expect(await lost.exited).to.equal(4);
    expect(await engine().running(LABEL)).to.deep.equal([]);
  });

  it("goes on when the relayer comes back within the lease", async () => {
    relayer.maxSeconds = 30;
    const guest = await deploy("one");
    await answers("one");
    const [before] = await engine().running(LABEL);
    relayer.isSilent = true;
    const asked = relayer.leaseRequests.all.length;
    await relayer.leaseRequests.until(() => relayer.leaseRequests.all.length > asked);
    relayer.isSilent = false;
    await guest.reaches("lease-not-renewed");
    await guest.reaches("leased");
    expect(await engine().running(LABEL)).to.deep.equal([before]);
  });

  it("runs nothing on when it is killed, and a new one begins in its place", async () => {
    const guest = await deploy("one");
    await answers("one");
    guest.child.kill("SIGKILL");
    await guest.exited;
    await nothingRuns();

    const next = await deploy("one");
    await answers("one");
    next.child.kill("SIGKILL");
    await next.exited;
    // Before the first one's containers are gone.
    await deploy("one");
    await answers("one");
    expect(await engine().running(LABEL)).to.have.length(1);
  });

  it("starts an ended service again while leased, as its restart policy says", async () => {
    await deploy("one");
    await answers("one");
    const [id = ""] = await engine().running(LABEL);
    await engine().docker("kill", id);
    await until("another start", async () => (await engine().running(LABEL)).length === 1);
    await answers("one");
  });

  it("survives a crash of the engine while leased, and starts nothing again without a lease", async () => {
    relayer.maxSeconds = 30;
    const guest = await deploy("one");
    await answers("one");
    await engine().crash();
    await guest.reaches("engine-failed");
    await engine().recover();
    await answers("one");

    // Revoked while no engine answers: killed at once, removed as soon as one does, and never started by it.
    const [id = ""] = (
      await engine().docker("ps", "--quiet", "--no-trunc", "--filter", `label=${LABEL}`)
    ).split("\n");
    await guest.lines.until((line) => JSON.stringify(line).includes('"healthy"'));
    expect(processesOf(id)).not.to.deep.equal([]);
    await engine().crash();
    relayer.denial = revoked;
    await guest.reaches("not-stopped");
    await until("no process of it, with no engine to ask", async () => processesOf(id).length === 0);
    await engine().recover();
    expect(await guest.exited).to.equal(3);
    expect(await engine().docker("ps", "--all", "--quiet")).to.equal("");
  });

  it("replaces one release by the next: the new one answers, the old one is gone", async () => {
    // The relayer answers for release 2 alone from then on: the first guest lives on the lease that it has.
    relayer.maxSeconds = 60;
    const first = await deploy("one");
    await answers("one");
    relayer.release = 2;
    const second = start(await relayer.keep(manifest(`services: {web: ${service("two")}}`)), {
      workdir: join(dir, "work-2"),
    });
    await second.reaches("running");
    first.child.kill("SIGTERM");
    expect(await first.exited).to.equal(0);
    expect((await answers("two")).body).to.equal("two");
    expect(await engine().running("charter.release=1")).to.deep.equal([]);
    expect(await engine().running("charter.release=2")).to.have.length(1);
  });

  it("streams logs only where the manifest makes them public", async () => {
    const compose = `services: {web: ${JSON.stringify({ image: engine().image, command: ["sh", "-c", "echo spoken; exec sleep 1000"] })}}`;
    const open = start(await relayer.keep(manifest(compose, { public_logs: true })), { status: true });
    const { statusUrl } = await open.reaches("running");
    const reading = new AbortController();
    const answer = await fetch(`${String(statusUrl)}/logs`, { signal: reading.signal });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    let text = "";
    while (!text.includes("spoken")) {
      const { value, done } = await reader.read();
      expect(done, text).to.equal(false);
      text += Buffer.from(value as Uint8Array).toString("utf8");
    }
    reading.abort();
    open.child.kill("SIGTERM");
    expect(await open.exited).to.equal(0);

    const closed = start(await relayer.keep(manifest(compose)), { status: true });
    const told = await closed.reaches("running");
    expect((await fetch(`${String(told.statusUrl)}/logs`)).status).to.equal(403);
  });

  /** How a guest failed that must not have started anything. */
  const refused = async (
    composeHash: ComposeHash,
  ): Promise<{ readonly code: string; readonly details: Readonly<Record<string, unknown>> }> => {
    const guest = start(composeHash);
    const { error } = await guest.reaches("failed");
    expect(await guest.exited).to.equal(1);
    expect(await engine().docker("ps", "--all", "--quiet")).to.equal("");
    return error as { code: string; details: Record<string, unknown> };
  };

  it("refuses a manifest that lies about its hash", async () => {
    const hash = `0x${"cd".repeat(32)}` as ComposeHash;
    await relayer.keep(manifest(`services: {web: ${service("one")}}`), hash);
    expect((await refused(hash)).code).to.equal("manifest/wrong-hash");
  });

  it("refuses an image that is not there by its digest, and one that is named by a tag", async () => {
    const { missing, image } = engine();
    const other = await relayer.keep(manifest(`services: {web: ${service("one", missing)}}`));
    expect((await refused(other)).code).to.equal("compose/command-failed");
    const tag = image.replace(/@.*/, ":test");
    const tagged = await relayer.keep(manifest(`services: {web: ${service("one", tag)}}`));
    expect((await refused(tagged)).code).to.equal("compose/image-not-pinned");
  });

  it("refuses other bytes that a registry serves under the digest that was asked for", async () => {
    const registry = await startLyingRegistry(engine().image);
    try {
      // The registry is reached, and its true bytes run: only the lie is refused.
      const honest = start(
        await relayer.keep(manifest(`services: {web: ${service("one", registry.image)}}`)),
      );
      await answers("one");
      honest.child.kill("SIGTERM");
      await honest.exited;
      expect(registry.lies()).to.equal(0);
      const lie = await relayer.keep(manifest(`services: {web: ${service("one", registry.other)}}`));
      const { code, details } = await refused(lie);
      expect(code).to.equal("compose/command-failed");
      expect(registry.lies()).to.be.greaterThan(0);
      expect(details.stderr).to.match(/digest|verification/i);
    } finally {
      await registry.close();
    }
  });

  it("runs the bare Compose file, and refuses each that adds a way out, by its path, before anything is started", async () => {
    const { image } = engine();
    const control = start(await relayer.keep(manifest(JSON.stringify({ services: { web: bare(image) } }))));
    await control.reaches("running");
    await until("the bare container", async () => (await engine().running(LABEL)).length === 1);
    control.child.kill("SIGTERM");
    expect(await control.exited).to.equal(0);

    const tried = Object.entries(escapes(image));
    expect(tried).to.have.length(21);
    for (const [what, escape] of tried) {
      const { code, details } = await refused(await relayer.keep(manifest(JSON.stringify(escape.compose))));
      expect(code, what).to.match(/^compose\/(key|value)-not-allowed$/);
      expect(details.path, what).to.equal(escape.refused);
    }
  });
});
