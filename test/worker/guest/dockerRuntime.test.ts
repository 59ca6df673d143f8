import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { composeRuntime } from "../../../worker/guest/compose/DockerRuntime.ts";
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
  const runtimeOn = (run: RunCommand) => composeRuntime({ project, name: "charter-x", workdir: dir, run });

  it("is dry, and says why, where no engine answers", async () => {
    const runtime = await runtimeOn(machine("docker info"));
    expect(runtime.kind).to.equal("dry");
    expect(runtime.note).to.equal("containers are not started: no container engine answers (docker info)");
    await runtime.up(signal);
    await runtime.down();
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
      await runtime.down();
      const common = `${command} --env-file ${dir}/empty.env -p charter-x -f ${dir}/compose.json`;
      expect(calls).to.deep.equal([
        `${common} up --detach --no-build --remove-orphans`,
        `${common} down --volumes --remove-orphans --timeout 5`,
      ]);
      expect(readFileSync(join(dir, "empty.env"), "utf8")).to.equal("");
      expect(statSync(join(dir, "compose.json")).mode & 0o777).to.equal(0o600);
      expect(JSON.parse(readFileSync(join(dir, "compose.json"), "utf8"))).to.deep.equal({
        version: "2.4",
        services: { web: { image: "busybox", command: "echo $$5" } },
      });
    });
  }

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
    await runtime.down();
    expect(calls.at(-1)).to.match(/ down /);
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
