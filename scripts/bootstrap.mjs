// The first thing that `npm start` and `npm test` run. Plain JavaScript for the Node that the machine has (20 or
// later): it installs the dependencies under Node 24 where that has not happened yet, then hands over to Node 24.
// Hardhat's native part must be installed under the Node that runs it (README, "What the two commands do").
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node24 = join(root, "node_modules", "node", "bin", "node");
const stamp = join(root, "node_modules", ".charter-installed");
const PROGRAMS = { start: "scripts/start.ts", test: "scripts/test.ts" };

function installed() {
  if (!existsSync(node24) || !existsSync(stamp)) return false;
  return readFileSync(stamp, "utf8") === wanted();
}

/** What an installation depends on: the manifest and the lockfile. */
function wanted() {
  const hash = createHash("sha256");
  for (const file of ["package.json", "package-lock.json"]) hash.update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

function install() {
  console.log("charter: installing dependencies under Node 24 (once; about a minute)");
  // `npm install`, not `npm ci`: optional packages of other platforms may be absent from a registry mirror.
  const run = spawnSync(
    "npx",
    ["-y", "-p", "node@24", "-c", "npm install --no-audit --no-fund --no-save --loglevel=error"],
    { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
  );
  if (run.status !== 0 || !existsSync(node24)) {
    console.error("charter: the installation failed; `npm install` under Node 24 says why");
    process.exit(run.status || 1);
  }
  writeFileSync(stamp, wanted());
}

const [name, ...rest] = process.argv.slice(2);
const program = PROGRAMS[name];
if (!program) {
  console.error(`charter: expected one of ${Object.keys(PROGRAMS).join(", ")}`);
  process.exit(64);
}
if (!installed()) install();

const child = spawn(node24, [join(root, program), ...rest], {
  cwd: root,
  stdio: "inherit",
  env: {
    // A file that one program has compiled the next one need not.
    NODE_COMPILE_CACHE: join(root, "node_modules/.cache/charter"),
    ...process.env,
    PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH}`,
    CHARTER_NODE: node24,
    HARDHAT_DISABLE_TELEMETRY_PROMPT: "true",
  },
});
// Ctrl-C reaches the whole foreground group: the child stops itself in order, and this process waits for it.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = signal ? 128 + constants.signals[signal] : (code ?? 1);
});
