import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { generatePrivateKey } from "viem/accounts";

const COMPILE_CACHE = fileURLToPath(new URL("../../node_modules/.cache/charter", import.meta.url));

export interface NodeLine {
  readonly [field: string]: unknown;
  readonly state?: string;
  readonly change?: string;
  readonly ready?: boolean;
  readonly at: number;
}

/** A node's agent, the real program with the `process` driver, and every line that it and its guests print. */
export class NodeProgram {
  readonly lines: NodeLine[] = [];
  readonly exited: Promise<number | null>;
  readonly #kill: () => void;
  #waiting: (() => void)[] = [];

  constructor(
    environment: Readonly<Record<string, string>>,
    of: {
      readonly relayerUrl: string;
      /** Where containers run; without it guests say that they run and start none. */
      readonly engineSocket: string | undefined;
    },
  ) {
    const book = environment["CHARTER_DEPLOYMENT"] ?? "";
    const workdir = join(dirname(book), "node-one");
    mkdirSync(workdir, { recursive: true });
    const program = fileURLToPath(new URL("../../worker/node/main.ts", import.meta.url));
    const child = spawn(process.execPath, [program, "run"], {
      env: {
        PATH: process.env["PATH"] ?? "",
        CHARTER_RELAYER_URLS: of.relayerUrl,
        CHARTER_DEPLOYMENT: book,
        CHARTER_SIM_DIR: dirname(book),
        CHARTER_SIM_PLATFORM: "one",
        CHARTER_WORKDIR: workdir,
        ...(of.engineSocket === undefined
          ? { CHARTER_RUNTIME: "dry" }
          : { CHARTER_RUNTIME: "docker", CHARTER_ENGINE_SOCKET: of.engineSocket }),
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        CHARTER_OPERATOR_KEY: generatePrivateKey(),
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#kill = () => child.kill("SIGTERM");
    this.exited = new Promise((done) => child.once("exit", done));
    createInterface({ input: child.stdout }).on("line", (text) => {
      this.lines.push({ ...(JSON.parse(text) as object), at: performance.now() });
      for (const wake of this.#waiting.splice(0)) wake();
    });
    child.once("exit", () => {
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  /** The first line from `start` on that fits. */
  async until(fits: (line: NodeLine) => boolean, start = 0): Promise<NodeLine> {
    let ended = false;
    void this.exited.then(() => (ended = true));
    for (let next = start; ;) {
      for (; next < this.lines.length; next++) {
        const line = this.lines[next];
        if (line !== undefined && fits(line)) return line;
      }
      if (ended) throw new Error(`the node ended: ${JSON.stringify(this.lines.slice(-5))}`);
      await new Promise<void>((wake) => this.#waiting.push(wake));
    }
  }

  async stop(): Promise<void> {
    this.#kill();
    await this.exited;
  }
}
