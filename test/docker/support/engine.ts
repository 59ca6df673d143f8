import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { importBusybox } from "../../../scripts/devnet/helloImage.ts";
import { logTail } from "../../../scripts/devnet/process.ts";
import { commandsOf, engineEnvironment } from "../../../worker/guest/compose/runCommand.ts";

const BUSYBOX = "/usr/bin/busybox";
const READY_MS = 30_000;

/** A container engine and a registry of a test's own: nothing of the machine's own engine is touched. */
export interface TestEngine {
  readonly socket: string;
  /** A busybox in the test's registry, by its digest. */
  readonly image: string;
  /** Another reference into the same registry, by a digest that it does not have. */
  readonly missing: string;
  docker(...args: string[]): Promise<string>;
  /** Ids of running containers that carry a label (`charter.app=0x…`). */
  running(label: string): Promise<string[]>;
  /** Kills the engine's daemon, as a crash would. */
  crash(): Promise<void>;
  /** Starts its daemon again, on the same data. */
  recover(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts them, or says why this machine cannot. */
export async function startEngine(): Promise<TestEngine | string> {
  const paths = (engineEnvironment().PATH ?? "").split(":");
  const lacks = ["dockerd", "docker", "docker-registry"].filter(
    (name) => !paths.some((path) => existsSync(join(path, name))),
  );
  if (lacks.length > 0) return `${lacks.join(", ")} is not installed`;
  if (!existsSync(BUSYBOX)) return `${BUSYBOX} is not installed`;
  if (process.getuid?.() !== 0) return "it needs root";
  const dir = mkdtempSync(join(tmpdir(), "charter-engine-"));
  const daemon = new Daemon(dir);
  const registry = new Registry(dir);
  const stop = async (): Promise<void> => {
    await daemon.stop();
    await registry.stop();
    unmountBelow(dir);
    try {
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    } catch (error) {
      console.log(`left behind: ${dir}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  try {
    await daemon.start();
    const name = `${await registry.start()}/busybox`;
    await importBusybox(BUSYBOX, `${name}:test`, daemon.socket);
    await daemon.docker("push", "--quiet", `${name}:test`);
    const image = (
      await daemon.docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", `${name}:test`)
    ).trim();
    await daemon.docker("image", "rm", `${name}:test`);
    return {
      socket: daemon.socket,
      image,
      missing: `${name}@sha256:${"0d".repeat(32)}`,
      docker: daemon.docker,
      running: async (label) =>
        (await daemon.docker("ps", "--quiet", "--filter", `label=${label}`)).split("\n").filter(Boolean),
      crash: () => daemon.crash(),
      recover: () => daemon.start(),
      stop,
    };
  } catch (error) {
    const why = `${error instanceof Error ? error.message : String(error)} (${logTail(daemon.log, 1)})`;
    await stop();
    return why;
  }
}

/** One dockerd with everything of its own, and networks but no rules in the machine's firewall. */
class Daemon {
  readonly socket: string;
  readonly log: string;
  readonly #dir: string;
  #child: ChildProcess | undefined;

  constructor(dir: string) {
    this.#dir = dir;
    this.socket = join(dir, "docker.sock");
    this.log = join(dir, "dockerd.log");
  }

  readonly docker = (...args: string[]): Promise<string> =>
    commandsOf(this.socket)("docker", args, { cwd: this.#dir, timeoutMs: 60_000 });

  async start(): Promise<void> {
    const log = openSync(this.log, "a");
    const own = (name: string) => join(this.#dir, name);
    rmSync(own("docker.pid"), { force: true });
    this.#child = spawn(
      "dockerd",
      [
        ...["--data-root", own("data"), "--exec-root", own("exec"), "--pidfile", own("docker.pid")],
        ...["--host", `unix://${this.socket}`, "--bridge=none", "--iptables=false", "--ip6tables=false"],
      ],
      { env: engineEnvironment(), stdio: ["ignore", log, log], detached: true },
    );
    closeSync(log);
    const child = this.#child;
    child.on("error", () => undefined);
    const deadline = performance.now() + READY_MS;
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error("dockerd ended");
      if (
        await this.docker("info").then(
          () => true,
          () => false,
        )
      )
        return;
      if (performance.now() > deadline) throw new Error("dockerd does not answer");
      await delay(200);
    }
  }

  async crash(): Promise<void> {
    await end(this.#child, "SIGKILL");
    // It dies with dockerd. Its number must not stand there: dockerd would wait for whoever has it by then.
    const file = join(this.#dir, "exec/containerd/containerd.pid");
    const pid = readPid(file);
    if (pid !== undefined) await gone(pid);
    rmSync(file, { force: true });
  }

  async stop(): Promise<void> {
    const isUp =
      this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
    if (isUp) {
      const ids = (await this.docker("ps", "--all", "--quiet").catch(() => "")).split("\n").filter(Boolean);
      if (ids.length > 0) await this.docker("rm", "--force", "--volumes", ...ids).catch(() => "");
      await this.docker("network", "prune", "--force").catch(() => "");
    }
    await end(this.#child, "SIGTERM");
    // Left behind where dockerd was killed before: it is its child no longer.
    const pid = readPid(join(this.#dir, "exec/containerd/containerd.pid"));
    if (pid === undefined) return;
    try {
      process.kill(pid, "SIGTERM");
      await delay(500);
    } catch {
      // It ended with its dockerd.
    }
  }
}

/** A registry on a free loopback port: what is pushed to it has a digest. */
class Registry {
  readonly #dir: string;
  #child: ChildProcess | undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Its host and port. */
  async start(): Promise<string> {
    const file = join(this.#dir, "registry.yml");
    const log = join(this.#dir, "registry.log");
    const config = {
      version: 0.1,
      storage: { filesystem: { rootdirectory: join(this.#dir, "registry") } },
      http: { addr: "127.0.0.1:0" },
    };
    writeFileSync(file, JSON.stringify(config));
    const out = openSync(log, "a");
    this.#child = spawn("docker-registry", ["serve", file], {
      env: engineEnvironment(),
      stdio: ["ignore", out, out],
    });
    closeSync(out);
    this.#child.on("error", () => undefined);
    const deadline = performance.now() + READY_MS;
    for (;;) {
      const found = /listening on (127\.0\.0\.1:\d+)/.exec(readFileSync(log, "utf8"))?.[1];
      if (found) return found;
      if (performance.now() > deadline) throw new Error(`the registry does not start: ${logTail(log, 1)}`);
      await delay(100);
    }
  }

  stop(): Promise<void> {
    return end(this.#child, "SIGTERM");
  }
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await ended;
  clearTimeout(timer);
}

/** A dockerd that was killed leaves its mounts behind. */
function unmountBelow(dir: string): void {
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(`${dir}/`));
  if (mounts.length > 0) spawnSync("umount", ["--lazy", ...mounts.reverse()], { stdio: "ignore" });
}

/** Resolves when a process has ended; one that nobody has reaped counts as ended. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return;
    } catch {
      return;
    }
    await delay(50);
  }
}

function readPid(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}
