import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { composeRuntime, type ComposeOptions } from "../../../worker/guest/compose/DockerRuntime.ts";
import { parseCompose } from "../../../worker/guest/compose/parseCompose.ts";
import { runCommand, type RunCommand } from "../../../worker/guest/compose/runCommand.ts";
import { refusal } from "../../support/refusal.ts";

const signal = new AbortController().signal;

describe("the Compose runtime", () => {
  let dir: string;
  let calls: string[];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "charter-compose-"));
    calls = [];
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** A machine on which the commands that begin so fail. */
  const machine =
    (...failing: string[]): RunCommand =>
    async (program, args) => {
      const call = [program, ...args].join(" ");
      calls.push(call);
      if (failing.some((start) => call.startsWith(start)))
        throw new CharterError("compose/command-failed", call);
      return "";
    };
  const project = parseCompose("services: { web: { image: busybox, command: 'echo $$5' } }", {
    hostPorts: [],
  });
  const runtimeOn = (run: RunCommand, seams: Partial<ComposeOptions> = {}) =>
    composeRuntime({
      ...seams,
      project,
      name: "charter-x",
      workdir: dir,
      run,
      reaper: (label) => {
        calls.push(`reaper ${label}`);
        return {
          dismiss: () => void calls.push("reaper dismissed"),
          linger: () => void calls.push("reaper lingers"),
        };
      },
    });

  it("is dry, and says why, where no engine answers", async () => {
    const runtime = await runtimeOn(machine("docker info"));
    expect(runtime.kind).to.equal("dry");
    expect(runtime.note).to.equal("containers are not started: no container engine answers (docker info)");
    await runtime.up(signal);
    await runtime.down(5);
    expect(calls).to.deep.equal(["docker info"]);
  });

  it("is dry where the engine has no Compose", async () => {
    expect((await runtimeOn(machine("docker compose", "docker-compose"))).kind).to.equal("dry");
  });

  for (const [command, failing] of [
    ["docker compose", []],
    ["docker-compose", ["docker compose"]],
  ] as const) {
    it(`runs ${command} on its own reading of the file, with no variable of anybody's`, async () => {
      const runtime = await runtimeOn(machine(...failing));
      calls = [];
      await runtime.up(signal);
      await runtime.down(5);
      const common = `${command} --env-file ${dir}/empty.env -p charter-x -f ${dir}/compose.json`;
      expect(
        calls.map((call) => call.replace(/charter\.run=[0-9a-f]{32}$/, "charter.run=RUN")),
      ).to.deep.equal([
        "reaper charter.run=RUN",
        `${common} up --detach --no-build --remove-orphans`,
        `${common} down --volumes --remove-orphans --timeout 5`,
        "reaper dismissed",
      ]);
    });
  }

  it("gives Compose labels, bounded logs and no restart policy: an engine would start without a lease", async () => {
    await runtimeOn(machine());
    expect(readFileSync(join(dir, "empty.env"), "utf8")).to.equal("");
    expect(statSync(join(dir, "compose.json")).mode & 0o777).to.equal(0o600);
    const file = JSON.parse(readFileSync(join(dir, "compose.json"), "utf8")) as {
      services: { web: { labels: Record<string, string> } };
    };
    const run = file.services.web.labels["charter.run"];
    expect(run).to.match(/^[0-9a-f]{32}$/);
    expect(file).to.deep.equal({
      version: "2.4",
      services: {
        web: {
          image: "busybox",
          command: "echo $$5",
          restart: "no",
          labels: { "charter.run": run },
          logging: { driver: "json-file", options: { "max-size": "1m", "max-file": "2" } },
        },
      },
    });
  });

  it("refuses where containers are required and no engine answers", async () => {
    const run = machine("docker info");
    const opening = composeRuntime({ project, name: "charter-x", workdir: dir, run, isRequired: true });
    expect(await refusal(opening)).to.equal("compose/no-engine");
  });

  it("fetches a pinned image only when it is not here, and a tag always", async () => {
    const pinned = `registry.example/app@sha256:${"ab".repeat(32)}`;
    const two = parseCompose(`services: { a: { image: '${pinned}' }, b: { image: 'busybox' } }`, {
      hostPorts: [],
    });
    const pulls = async (...failing: string[]): Promise<string[]> => {
      const options = { project: two, name: "charter-x", workdir: dir, run: machine(...failing) };
      const runtime = await composeRuntime(options);
      calls = [];
      await runtime.pull(signal);
      return calls.filter((call) => call.startsWith("docker pull"));
    };
    expect(await pulls()).to.deep.equal(["docker pull --quiet busybox"]);
    expect(await pulls("docker image")).to.deep.equal([
      `docker pull --quiet ${pinned}`,
      "docker pull --quiet busybox",
    ]);
    expect(await pulls("docker pull --quiet busybox")).to.deep.equal(["docker pull --quiet busybox"]);
    expect(await refusal(pulls("docker image", "docker pull"))).to.equal("compose/command-failed");
  });

  it("reads where each service stands, and starts again what its policy says", async () => {
    const kept = parseCompose(
      "services: { a: { image: x, restart: always }, b: { image: x }, c: { image: x } }",
      {
        hostPorts: [],
      },
    );
    let now = 0;
    const run: RunCommand = async (program, args, options) => {
      await machine()(program, args, options);
      return args[0] === "ps"
        ? "a\tid-a\texited\tExited (1) 2 seconds ago\nb\tid-b\trunning\tUp 2 seconds (health: starting)\n"
        : "";
    };
    const runtime = await composeRuntime({
      project: kept,
      name: "charter-x",
      workdir: dir,
      run,
      now: () => now,
    });
    calls = [];
    expect(await runtime.tend(signal)).to.deep.equal([
      { service: "a", state: "exited", health: null },
      { service: "b", state: "running", health: "starting" },
      { service: "c", state: "missing", health: null },
    ]);
    const starts = () => calls.filter((call) => call.startsWith("docker start"));
    expect(starts()).to.deep.equal([]);
    now = 1_000;
    await runtime.tend(signal);
    expect(starts()).to.deep.equal(["docker start id-a"]);
  });

  it("takes down what a guest that was killed left behind, before anything else", async () => {
    await runtimeOn(machine());
    expect(calls.at(-1)).to.match(/ -p charter-x .* down /);
  });

  it("kills what does not go down, and then takes it down", async () => {
    let isKilled = false;
    const runtime = await runtimeOn(async (program, args, options) => {
      if (args.includes("kill")) isKilled = true;
      if (args.includes("down") && !isKilled) throw new CharterError("compose/command-failed", "down");
      return machine()(program, args, options);
    });
    await runtime.down(5);
    expect(calls.at(-1)).to.match(/ down /);
  });

  it("is down when its containers are, also where its file cannot be removed", async () => {
    const runtime = await runtimeOn(machine());
    rmSync(join(dir, "compose.json"));
    mkdirSync(join(dir, "compose.json")); // As on a disk that takes nothing any more.
    await runtime.down(0);
    expect(calls.at(-1)).to.match(/ down /);
  });

  const ID = "c0".repeat(32);
  const LISTED = `web\t${ID}\trunning\tUp 2 seconds\n`;

  it("has what a start that was cut off makes later removed, too: it would run without a lease", async () => {
    const runtime = await runtimeOn(machine());
    const cut = new AbortController();
    const run: RunCommand = (program, args, options) =>
      args.includes("up")
        ? new Promise((_, fail) =>
            options.signal?.addEventListener("abort", () =>
              fail(new CharterError("compose/command-failed", "cut off")),
            ),
          )
        : machine()(program, args, options);
    const slow = await runtimeOn(run);
    const starting = refusal(slow.up(cut.signal));
    cut.abort();
    expect(await starting).to.equal("compose/command-failed");
    await slow.down(0);
    expect(calls.at(-1)).to.equal("reaper lingers");
    await runtime.up(signal);
    await runtime.down(0);
    expect(calls.at(-1)).to.equal("reaper dismissed");
  });

  it("ends containers itself where the engine takes longer than they may", async () => {
    let isDown: () => void = () => undefined;
    const killed: string[] = [];
    const run: RunCommand = async (program, args, options) => {
      if (args[0] === "ps") return LISTED;
      if (args.includes("down") && calls.some((call) => call.includes(" up "))) {
        await new Promise<void>((done) => (isDown = done));
      }
      return machine()(program, args, options);
    };
    const runtime = await runtimeOn(run, {
      enginePatienceMs: 0,
      kill: (ids) => {
        killed.push(...ids);
        isDown();
        return ids.length;
      },
    });
    await runtime.up(signal);
    await runtime.tend(signal);
    await runtime.down(0);
    expect(killed).to.deep.equal([ID]);
  });

  it("knows which containers a start has made where the engine is gone before its end", async () => {
    let isGone = false;
    let looked: () => void = () => undefined;
    const seen = new Promise<void>((done) => (looked = done));
    const gone = new CharterError("compose/command-failed", "no engine");
    const run: RunCommand = async (program, args, options) => {
      if (isGone) throw gone;
      if (args[0] === "ps") {
        looked();
        return LISTED;
      }
      if (!args.includes("up")) return machine()(program, args, options);
      await seen;
      await new Promise((done) => setImmediate(done));
      isGone = true;
      throw gone;
    };
    const killed: string[] = [];
    const runtime = await runtimeOn(run, { lookMs: 1, kill: (ids) => killed.push(...ids) });
    expect(await refusal(runtime.up(signal))).to.equal("compose/command-failed");
    expect(await refusal(runtime.down(0))).to.equal("compose/command-failed");
    expect(killed).to.deep.equal([ID]);
  });

  it("gives commands nothing of its own environment", async () => {
    process.env.HOST_SECRET = "secret";
    try {
      const printed = await runCommand("env", [], { cwd: dir, timeoutMs: 5_000 });
      expect(printed).to.match(/^PATH=[^\n]+\n$/);
    } finally {
      delete process.env.HOST_SECRET;
    }
  });

  it("reports a command that fails with the end of what it said", async () => {
    expect(await refusal(runCommand("sh", ["-c", "exit 3"], { cwd: dir, timeoutMs: 5_000 }))).to.equal(
      "compose/command-failed",
    );
  });
});
