/**
 * `npm start`: the whole devnet, kept up until Ctrl-C; a second start resumes it. `npm start -- --once` runs the story in
 * a folder of its own, prints a JSON report and exits 0 only if chain and GraphQL showed every step.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import hre from "hardhat";

import { isCharterError } from "../protocol/errors/CharterError.ts";
import { postgresDir } from "./devnet/dataDir.ts";
import { startDevnet, type Devnet } from "./devnet/devnet.ts";
import { Steps } from "./devnet/steps.ts";
import { summary } from "./story/summary.ts";
import { createHello, tellStory } from "./story/story.ts";

const { values } = parseArgs({ options: { once: { type: "boolean" }, dir: { type: "string" } } });
const dir = values.dir ?? (values.once ? mkdtempSync(join(tmpdir(), "charter-once-")) : ".charter/devnet");
// With --once standard output belongs to the report.
const print = (line: string): void => void (values.once ? process.stderr : process.stdout).write(`${line}\n`);

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => interrupted.abort(new Error(`stopped by ${signal}`)));
}

const steps = new Steps(print, interrupted.signal);
const startedAt = performance.now();
try {
  print("Charter devnet: simulated TEEs, public keys. Nothing here is worth anything.");
  await steps.run("contracts compiled", compile);
  const devnet = await startDevnet(dir, steps);
  await (values.once ? once(devnet) : stayUp(devnet));
} catch (error) {
  if (interrupted.signal.aborted) print("\nStopping.");
  else {
    process.exitCode = 1;
    const message = error instanceof Error ? error.message : String(error);
    console.error(`\n${isCharterError(error) ? `${error.code}: ` : ""}${message}`);
    if (!isCharterError(error) && error instanceof Error) console.error(error.stack);
  }
} finally {
  await steps.stop();
  if (values.once && !values.dir) {
    rmSync(dir, { recursive: true, force: true });
    rmSync(postgresDir(dir), { recursive: true, force: true });
  }
}
// Sockets that were kept alive would hold the process; everything that matters has stopped in order.
process.exit(interrupted.signal.aborted && values.once ? 130 : (process.exitCode ?? 0));

/** The compiler's warnings are for whoever changes contracts: `npm test` shows them. */
async function compile(): Promise<void> {
  if (!existsSync("artifacts")) print("  … compiling the contracts (once; two or three minutes)");
  const { warn } = console;
  console.warn = () => undefined;
  try {
    await hre.tasks.getTask("compile").run({ quiet: true });
  } finally {
    console.warn = warn;
  }
}

async function once(devnet: Devnet): Promise<void> {
  const report = await tellStory({ devnet, signal: interrupted.signal, print });
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(2));
  process.stdout.write(`${JSON.stringify({ ok: true, seconds, steps: report }, bigints, 2)}\n`);
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

/** Shows the hello app (created at the first start), then waits for Ctrl-C. */
async function stayUp(devnet: Devnet): Promise<void> {
  const file = join(devnet.dir, "hello.json");
  if (!existsSync(file)) {
    const { app } = await createHello({ devnet, signal: interrupted.signal, print });
    writeFileSync(file, `${JSON.stringify({ app })}\n`);
  }
  const { app } = JSON.parse(readFileSync(file, "utf8")) as { app: string };
  print(await summary(devnet, app));
  await new Promise<void>((resolve) =>
    interrupted.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  print("\nStopping.");
}
