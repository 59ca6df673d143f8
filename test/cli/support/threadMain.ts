import { parentPort } from "node:worker_threads";

import { runProgram } from "../../../cli/program.ts";
import type { ThreadRun } from "./CharterThread.ts";

/** The thread of `CharterThread`: one command after the other, with what each wrote. */
const written = { stdout: "", stderr: "" };
for (const name of ["stdout", "stderr"] as const) {
  process[name].write = (chunk: string | Uint8Array): boolean => {
    written[name] += Buffer.from(chunk).toString("utf8");
    return true;
  };
}

let last = Promise.resolve();
parentPort?.on("message", (args: readonly string[]) => {
  last = last.then(async () => {
    Object.assign(written, { stdout: "", stderr: "" });
    process.exitCode = 0; // The thread's own: a command that found something sets it.
    const exitCode = (await runProgram(args)) || Number(process.exitCode);
    process.exitCode = 0;
    parentPort?.postMessage({ exitCode, ...written } satisfies ThreadRun);
  });
});
