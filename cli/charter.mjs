#!/usr/bin/env node
// `charter` on whatever Node the machine has: hands over to the Node 24 that npm installed beside it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const node24 = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const cache = fileURLToPath(new URL("../node_modules/.cache/charter", import.meta.url));
if (!existsSync(node24)) {
  console.error("charter: dependencies are not installed; `npm test` or `npm start` installs them");
  process.exit(1);
}
const child = spawn(node24, [main, ...process.argv.slice(2)], {
  stdio: "inherit",
  // Half of a short command's time is compiling what has not changed since the last one.
  env: { NODE_COMPILE_CACHE: cache, ...process.env },
});
// Passed on, so that the command is what ends: a terminal sends Ctrl-C to both, `kill` to this process alone.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`charter: ${error.message}`);
  process.exitCode = 70;
});
child.on("exit", (code, signal) => {
  process.exitCode = signal ? 128 + constants.signals[signal] : (code ?? 70);
});
