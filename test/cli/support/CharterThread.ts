import { Worker } from "node:worker_threads";

import { runOf, type Run } from "./runCharter.ts";

/** What one command wrote, and what it would have exited with. */
export interface ThreadRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The command line without a process for each run: all that `cli/main.ts` does, in one thread that loads it once, with
 * streams, environment and exit code of its own. For files with many runs; `runCharter` starts what people start.
 */
export class CharterThread {
  readonly #worker = new Worker(new URL("./threadMain.ts", import.meta.url), { env: {} });
  readonly #waiting: PromiseWithResolvers<ThreadRun>[] = [];

  constructor() {
    this.#worker.on("message", (run: ThreadRun) => this.#waiting.shift()?.resolve(run));
    this.#worker.on("error", (error) => {
      for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
    });
  }

  /** Commands run in the order in which they were given. */
  async run(args: readonly string[]): Promise<Run> {
    const waiting = Promise.withResolvers<ThreadRun>();
    this.#waiting.push(waiting);
    this.#worker.postMessage(args);
    const { exitCode, stdout, stderr } = await waiting.promise;
    return runOf(exitCode, stdout, stderr);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
