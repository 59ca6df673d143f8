import { parentPort } from "node:worker_threads";

import { runCommand } from "../../../cli/runCommand.ts";
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
    const exitCode = await runCommand(["node", "charter", ...args]);
    process.exitCode = 0; // The thread's own.
    parentPort?.postMessage({ exitCode, ...written } satisfies ThreadRun);
  });
});
