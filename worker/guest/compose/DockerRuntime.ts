import { randomBytes } from "node:crypto";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { findCompose } from "./findCompose.ts";
import { killContainers } from "./killContainers.ts";
import { imagesOf, launchFile, restartPolicies } from "./launchFile.ts";
import { PINNED, type ComposeProject } from "./parseCompose.ts";
import { startReaper, type Reaper } from "./reaper.ts";
import { commandsOf, streamCommand, type RunCommand } from "./runCommand.ts";
import { dryRuntime, type Runtime, type ServiceState } from "./Runtime.ts";
import { Supervisor } from "./Supervisor.ts";

const QUESTION_TIMEOUT_MS = 10_000;
/** Images may have to be fetched. */
const PULL_TIMEOUT_MS = 15 * 60_000;
const UP_TIMEOUT_MS = 5 * 60_000;
const DOWN_TIMEOUT_MS = 60_000;
const LOG_LINES = 200;
/** What the engine gets beyond the containers' own time to end, before they are ended without it. */
const ENGINE_PATIENCE_MS = 5_000;
/** So often it is asked what runs while a start is under way. */
const LOOK_MS = 1_000;

export interface ComposeOptions {
  readonly project: ComposeProject;
  /** Of this guest alone: two guests never share containers. */
  readonly name: string;
  /** Labels for people and tools: which app this is. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** Path of the engine's unix socket; Docker's default where there is none. */
  readonly engineSocket?: string | undefined;
  /** Services that are given the GPUs. */
  readonly gpuServices?: readonly string[];
  /** Refuses instead of running dry where no engine answers. */
  readonly isRequired?: boolean;
  readonly run?: RunCommand;
  readonly reaper?: typeof startReaper;
  readonly kill?: typeof killContainers;
  readonly enginePatienceMs?: number;
  readonly lookMs?: number;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

/**
 * Docker Compose where an engine answers; otherwise the dry runtime, with the reason. Containers that an earlier guest of
 * this name left behind are gone when it resolves.
 * @throws CharterError `compose/no-engine` when one is required; `compose/command-failed`.
 */
export async function composeRuntime(options: ComposeOptions): Promise<Runtime> {
  const { workdir, run = commandsOf(options.engineSocket) } = options;
  await mkdir(workdir, { recursive: true });
  const compose = await findCompose(workdir, run);
  if (typeof compose === "string") {
    if (options.isRequired) throw new CharterError("compose/no-engine", compose, {});
    return dryRuntime(compose);
  }
  const runtime = new DockerRuntime({ ...options, run }, compose);
  await runtime.prepare();
  return runtime;
}

class DockerRuntime implements Runtime {
  readonly kind = "docker";
  readonly note: string;
  readonly #options: ComposeOptions & { readonly run: RunCommand };
  readonly #compose: readonly [string, ...string[]];
  readonly #file: string;
  readonly #supervisor: Supervisor;
  /** Only this run's containers carry it. */
  readonly #run = randomBytes(16).toString("hex");
  #reaper: Reaper | undefined;
  /** Containers that were seen last. */
  #seen: readonly string[] = [];
  /** A start that did not come to its end may still be on its way in the engine. */
  #isCutOff = false;

  constructor(
    options: ComposeOptions & { readonly run: RunCommand },
    compose: readonly [string, ...string[]],
  ) {
    this.#options = options;
    const { workdir, name, project } = options;
    this.#file = join(workdir, "compose.json");
    // Without it Compose reads `.env` of the working directory (DESIGN section 7).
    this.#compose = [...compose, "--env-file", join(workdir, "empty.env"), "-p", name, "-f", this.#file];
    this.#supervisor = new Supervisor(restartPolicies(project));
    this.note = `${compose.join(" ")}, project ${name}`;
  }

  async prepare(): Promise<void> {
    const { project, workdir, labels = {} } = this.#options;
    await writeFile(join(workdir, "empty.env"), "");
    // JSON is YAML that every parser reads alike.
    const { gpuServices } = this.#options;
    const file = JSON.stringify(launchFile(project, { ...labels, "charter.run": this.#run }, gpuServices));
    await writeFile(this.#file, file, { mode: 0o600 });
    await chmod(this.#file, 0o600);
    // What an earlier guest of this name left behind when it was killed runs without a lease.
    await this.#remove(0);
  }

  async pull(signal: AbortSignal): Promise<void> {
    for (const image of imagesOf(this.#options.project)) {
      // A pinned image that is here is the right one: its name is the hash of its content.
      const isHere = await this.#isHere(image);
      if (isHere && PINNED.test(image)) continue;
      try {
        await this.#docker(["pull", "--quiet", image], PULL_TIMEOUT_MS, signal);
      } catch (error) {
        if (!isHere || signal.aborted) throw error;
      }
    }
  }

  async up(signal: AbortSignal): Promise<void> {
    const { reaper = startReaper, engineSocket } = this.#options;
    this.#reaper ??= reaper(`charter.run=${this.#run}`, engineSocket);
    const over = new AbortController();
    void this.#look(AbortSignal.any([signal, over.signal]));
    try {
      await this.#call(["up", "--detach", "--no-build", "--remove-orphans"], UP_TIMEOUT_MS, signal);
    } catch (error) {
      this.#isCutOff = true;
      throw error;
    } finally {
      over.abort();
    }
  }

  async tend(signal: AbortSignal): Promise<readonly ServiceState[]> {
    const { project, now = () => performance.now() } = this.#options;
    const containers = await this.#containers(signal);
    const ends = [...containers].map(([service, { state, exit }]) => ({
      service,
      isRunning: state === "running" || state === "restarting",
      exit,
    }));
    for (const service of this.#supervisor.due(ends, now())) {
      const container = containers.get(service);
      if (container === undefined) continue;
      try {
        await this.#docker(["start", container.id], QUESTION_TIMEOUT_MS, signal);
      } catch (error) {
        this.#isCutOff = true; // The engine may still do it.
        throw error;
      }
    }
    return project.services.map((service) => {
      const { state, health } = containers.get(service) ?? { state: "missing", health: null };
      return { service, state, health };
    });
  }

  async address(service: string, signal: AbortSignal): Promise<string | null> {
    const container = (await this.#containers(signal)).get(service);
    if (container?.state !== "running") return null;
    const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    const text = await this.#docker(
      ["container", "inspect", "--format", format, container.id],
      QUESTION_TIMEOUT_MS,
      signal,
    );
    return text.split(/\s+/).find((address) => isIP(address) !== 0) ?? null;
  }

  async down(stopSeconds: number): Promise<void> {
    const { kill = killContainers, enginePatienceMs = ENGINE_PATIENCE_MS } = this.#options;
    // The engine may be dead or hang, and containers live on without it.
    const late = setTimeout(() => kill(this.#seen), stopSeconds * 1_000 + enginePatienceMs);
    try {
      await this.#remove(stopSeconds);
    } catch (error) {
      kill(this.#seen);
      throw error;
    } finally {
      clearTimeout(late);
    }
    if (this.#isCutOff) this.#reaper?.linger();
    else this.#reaper?.dismiss();
    this.#reaper = undefined;
    // It may hold what only this run should know; on a disk that takes nothing any more, the containers are gone all the same.
    await rm(this.#file, { force: true }).catch(() => undefined);
  }

  logs(signal: AbortSignal): ReturnType<Runtime["logs"]> {
    const { workdir, engineSocket } = this.#options;
    const args = ["logs", "--no-color", "--follow", "--tail", String(LOG_LINES)] as const;
    return streamCommand([...this.#compose, ...args], { cwd: workdir, engineSocket, signal });
  }

  async #remove(stopSeconds: number): Promise<void> {
    // Volumes go, too: nothing survives a guest, and what it wrote is nobody else's.
    const args = ["down", "--volumes", "--remove-orphans", "--timeout", String(stopSeconds)];
    try {
      await this.#call(args, DOWN_TIMEOUT_MS);
    } catch {
      await this.#call(["kill"], DOWN_TIMEOUT_MS);
      await this.#call(args, DOWN_TIMEOUT_MS);
    }
  }

  /** A start may take minutes: which containers there are is known also when the engine is gone before its end. */
  async #look(signal: AbortSignal): Promise<void> {
    const { lookMs = LOOK_MS } = this.#options;
    while (!signal.aborted) {
      await delay(lookMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await this.#containers(signal).catch(() => undefined);
    }
  }

  /** This run's containers by service. */
  async #containers(signal: AbortSignal): Promise<Map<string, Container>> {
    const format = '{{.Label "com.docker.compose.service"}}\t{{.ID}}\t{{.State}}\t{{.Status}}';
    const filter = `label=charter.run=${this.#run}`;
    const text = await this.#docker(
      ["ps", "--all", "--no-trunc", "--filter", filter, "--format", format],
      QUESTION_TIMEOUT_MS,
      signal,
    );
    const containers = new Map(text.split("\n").filter(Boolean).map(readContainer));
    this.#seen = [...containers.values()].map(({ id }) => id);
    return containers;
  }

  async #isHere(image: string): Promise<boolean> {
    try {
      await this.#docker(["image", "inspect", "--format", "{{.Id}}", image], QUESTION_TIMEOUT_MS);
      return true;
    } catch {
      return false;
    }
  }

  #docker(args: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<string> {
    const cwd = this.#options.workdir;
    return this.#options.run("docker", args, { cwd, timeoutMs, ...(signal ? { signal } : {}) });
  }

  #call(args: readonly string[], timeoutMs: number, signal?: AbortSignal): Promise<string> {
    const [program, ...prefix] = this.#compose;
    const cwd = this.#options.workdir;
    return this.#options.run(program, [...prefix, ...args], {
      cwd,
      timeoutMs,
      ...(signal ? { signal } : {}),
    });
  }
}

interface Container {
  readonly id: string;
  readonly state: string;
  readonly health: ServiceState["health"];
  readonly exit: number | null;
}

/** A line of `docker ps`; its status reads `Up 2 seconds (healthy)`, `Exited (1) 3 seconds ago`. */
function readContainer(line: string): [service: string, container: Container] {
  const [service = "", id = "", state = "", status = ""] = line.split("\t");
  const health = /\((?:health: )?(starting|healthy|unhealthy)\)$/.exec(status)?.[1] ?? null;
  const exit = /^Exited \((\d+)\)/.exec(status)?.[1];
  return [
    service,
    { id, state, health: health as Container["health"], exit: exit === undefined ? null : Number(exit) },
  ];
}
