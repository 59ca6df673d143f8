import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";

export interface Ran {
  readonly code: number;
  /** Both outputs, as a terminal shows them. */
  readonly output: string;
}

/** A terminal: what one command exports, the next one has. */
export class Shell {
  readonly #child: ChildProcess;
  #output = "";
  #heard: () => void = () => undefined;
  #isOver = false;

  constructor(cwd: string, env: Readonly<Record<string, string | undefined>>) {
    this.#child = spawn("bash", ["--noprofile", "--norc"], { cwd, env, stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin?.write("exec 2>&1\n");
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      this.#output += chunk.toString("utf8");
      this.#heard();
    });
    this.#child.once("exit", () => {
      this.#isOver = true;
      this.#heard();
    });
  }

  /** Runs one command to its end. */
  async run(command: string): Promise<Ran> {
    const mark = randomBytes(8).toString("hex");
    const end = new RegExp(`${mark} (\\d+)\\n`);
    this.#output = "";
    // A command's standard input is not the script.
    this.#child.stdin?.write(`{ ${command}\n} </dev/null; echo "${mark} $?"\n`);
    for (;;) {
      const found = end.exec(this.#output);
      if (found) return { code: Number(found[1]), output: this.#output.slice(0, found.index) };
      if (this.#isOver) throw new Error(`the shell ended in: ${command}\n${this.#output}`);
      await new Promise<void>((done) => (this.#heard = done));
    }
  }

  async close(): Promise<void> {
    const ended = new Promise((done) => this.#child.once("exit", done));
    if (!this.#isOver) {
      this.#child.stdin?.end("exit\n");
      await ended;
    }
  }
}
