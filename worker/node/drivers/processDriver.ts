import { spawn, type ChildProcessByStdio } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

import type { GuestConfigInput } from "../../guest/config.ts";
import type { Driver, GuestSpec } from "./Driver.ts";

/** After SIGTERM a guest takes down its containers; one that hangs is killed, and its containers' lease ends anyway. */
const STOP_TIMEOUT_MS = 20_000;

/** What all guests of a node have in common. */
export type CommonGuestConfig = Omit<
  GuestConfigInput,
  "app" | "composeHash" | "release" | "node" | "slot" | "workdir"
>;

export interface ProcessDriverOptions {
  readonly common: CommonGuestConfig;
  /** Each guest gets a directory of its own below it. */
  readonly workdir: string;
  /** Lines that a guest prints, one JSON object each. */
  readonly onLine: (id: string, line: string) => void;
  /** The guest's program; default `worker/guest/main.ts`. */
  readonly program?: string;
}

type Guest = ChildProcessByStdio<Writable, Readable, null>;

/** The next spare is loaded once the last guest is ready, or has had the time for it. */
const WARM_AFTER_MS = 5_000;

const GUEST = fileURLToPath(new URL("../../guest/main.ts", import.meta.url));

/** Driver for development: a guest is a process of this machine instead of a VM. */
export class ProcessDriver implements Driver {
  readonly name = "process";
  readonly #options: ProcessDriverOptions;
  readonly #guests = new Map<string, { readonly child: Guest; readonly ended: Promise<void> }>();
  #spare: Guest | undefined;
  #warming: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ProcessDriverOptions) {
    this.#options = options;
  }

  /** Keeps one guest loaded that has no configuration yet: loading is most of what a start takes. */
  warm(): void {
    clearTimeout(this.#warming);
    if (this.#isClosed || this.#spare !== undefined) return;
    const spare = this.#spawn();
    const forget = (): void => {
      if (this.#spare === spare) this.#spare = undefined;
    };
    spare.once("exit", forget);
    spare.once("error", forget);
    this.#spare = spare;
  }

  start(spec: GuestSpec, onExit: Parameters<Driver["start"]>[1]): void {
    const { common, workdir, onLine } = this.#options;
    const { id, ...placement } = spec;
    const config: GuestConfigInput = { ...common, ...placement, workdir: join(workdir, id) };
    const child = this.#spare ?? this.#spawn();
    this.#spare = undefined;
    createInterface({ input: child.stdout }).on("line", (line) => onLine(id, line));
    const ended = new Promise<void>((done) => {
      const end = (code: number | null, signal: string | null): void => {
        if (!this.#guests.delete(id)) return; // "error" and "exit" may both come.
        done();
        onExit({ id, code, signal });
      };
      child.once("exit", end);
      child.once("error", () => end(null, null));
    });
    this.#guests.set(id, { child, ended });
    // Only now: what one guest is told, no other ever sees.
    child.stdin.write(`${JSON.stringify(config)}\n`);
    clearTimeout(this.#warming);
    this.#warming = setTimeout(() => this.warm(), WARM_AFTER_MS).unref();
  }

  async stop(id: string): Promise<void> {
    const guest = this.#guests.get(id);
    if (!guest) return;
    guest.child.kill("SIGTERM");
    const timer = setTimeout(() => guest.child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await guest.ended;
    clearTimeout(timer);
  }

  list(): readonly string[] {
    return [...this.#guests.keys()];
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#warming);
    this.#spare?.kill("SIGKILL"); // It has done nothing yet.
  }

  #spawn(): Guest {
    const compileCache = process.env["NODE_COMPILE_CACHE"];
    const child = spawn(process.execPath, [this.#options.program ?? GUEST], {
      // Nothing of the agent's environment: the operator's key stands there.
      env: {
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        CHARTER_GUEST_CONFIG: "-",
        CHARTER_PARENT_PIPE: "1",
        // Where Node keeps what it made of our sources: a guest that finds it there begins in half the time.
        ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }),
      },
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.on("error", () => undefined); // It may be gone already; its end says so.
    return child;
  }
}
