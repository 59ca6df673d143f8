import { spawn, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { postgresDir } from "../../../scripts/devnet/dataDir.ts";
import { Shell } from "./Shell.ts";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** `npm start` in a folder of its own, and a terminal in that folder, as somebody has them who has just cloned it. */
export class NpmStart {
  /** The folder, which looks like this one to whoever types in it, with a `.charter` of its own. */
  readonly clone: string;
  /** The devnet's own folder in it. */
  readonly dir: string;
  readonly shell: Shell;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  #printed = "";

  /** @param engineSocket where a container engine listens; without one `npm start` looks where `docker` does. */
  constructor(engineSocket?: string) {
    this.clone = mkdtempSync(join(tmpdir(), "charter-clone-"));
    this.dir = join(this.clone, ".charter/devnet");
    mkdirSync(this.dir, { recursive: true });
    const engine = engineSocket === undefined ? {} : { DOCKER_HOST: `unix://${engineSocket}` };
    this.#child = spawn(process.execPath, [join(ROOT, "scripts/start.ts"), "--dir", this.dir], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...engine, CHARTER_VOLUME_MB: "64" },
    });
    this.ended = new Promise((done) => this.#child.once("close", done));
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (chunk: Buffer) => (this.#printed += chunk.toString("utf8")));
    this.shell = new Shell(this.clone, { ...engine, PATH: this.#path(), HOME: this.clone, LANG: "C.UTF-8" });
  }

  /** Both outputs so far. */
  get printed(): string {
    return this.#printed;
  }

  /** The summary's line of this name. */
  url(name: string): string {
    return new RegExp(`^${name}\\s+(http://[0-9.]+:\\d+)`, "m").exec(this.#printed)?.[1] ?? "";
  }

  /** Until the summary is printed. @throws Error with all that was, where it ended before. */
  async isUp(): Promise<void> {
    while (!this.#printed.includes("Ctrl-C stops everything")) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`npm start ended:\n${this.#printed}`);
      await delay(100);
    }
  }

  /** Ctrl-C; nothing where it has ended already. */
  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  async clear(): Promise<void> {
    await this.shell.close();
    this.interrupt();
    await this.ended;
    for (const each of [this.clone, postgresDir(this.dir)]) rmSync(each, { recursive: true, force: true });
  }

  #path(): string {
    for (const name of readdirSync(ROOT)) {
      if (![".charter", ".git"].includes(name)) symlinkSync(join(ROOT, name), join(this.clone, name));
    }
    // npx finds a package's own programs by `bin`, a second later.
    const { bin } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      bin: Record<string, string>;
    };
    const cases = Object.entries(bin).map(
      ([name, file]) => `${name}) exec node "${join(ROOT, file)}" "$@" ;;`,
    );
    const npx = join(this.clone, ".charter/bin/npx");
    mkdirSync(dirname(npx));
    writeFileSync(npx, `#!/bin/sh\nname=$1; shift\ncase $name in\n${cases.join("\n")}\nesac\nexit 127\n`);
    chmodSync(npx, 0o755);
    return [dirname(npx), dirname(process.execPath), process.env.PATH].join(delimiter);
  }
}
