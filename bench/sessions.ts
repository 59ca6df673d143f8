/**
 * 10,000 guests that hold sessions with one relayer and renew their leases every 30 seconds: memory and processor time of
 * the relayer's own process, the whole program over a real chain and a real Postgres. The guests live in another process.
 *
 * One guest is admitted by its evidence; the store then says the same of the others, as it would after a restart.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import pg from "pg";
import { privateKeyToAccount } from "viem/accounts";

import { startStack, addressOf } from "../test/relayer/support/stack.ts";
import { stopDatabases } from "../test/support/postgres.ts";
import { multiplySessions } from "./support/multiplySessions.ts";
import { cpuSeconds, rssMiB } from "./support/processUse.ts";
import { addToReport } from "./support/report.ts";
import type { SessionTask } from "./support/sessionClient.ts";
import { keyAt } from "./support/sessionKeys.ts";
import { admitInstance, appOf, registerNode } from "./support/workload.ts";

const INTERVAL_SECONDS = 30;

const { values } = parseArgs({
  options: { sessions: { type: "string", default: "10000" }, rounds: { type: "string", default: "3" } },
});
const [count, rounds] = [Number(values.sessions), Number(values.rounds)];

interface Round {
  readonly round: number;
  readonly renewed: number;
  readonly late: number;
  readonly p50: number;
  readonly p99: number;
}

async function multiply(databaseUrl: string): Promise<void> {
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  try {
    const keys = Array.from({ length: count }, (_, i) => privateKeyToAccount(keyAt(i)).address.toLowerCase());
    await multiplySessions(database, keys);
  } finally {
    await database.end();
  }
}

const stack = await startStack();
try {
  // A batch closes when it does by default: tests are in a hurry, and look for one every 50 ms.
  const { CHARTER_BATCH_MAX_AGE_MS: _hurried, ...usual } = await stack.relayerEnvironment();
  const environment: Record<string, string> = {
    ...usual,
    CHARTER_MAX_SESSIONS_PER_MINUTE: "1000000", // All guests of the bench share one address.
  };
  const first = await stack.startRelayer(environment);
  const node = await registerNode(stack, first.ready.url);
  const { app, composeHash } = await appOf(stack, node, Buffer.from("{}"));
  await admitInstance(stack, first.ready.url, { app, composeHash, node: node.number });
  await first.stop();
  for (const signer of stack.signers) await signer.stop(); // They decide nothing here.
  await multiply(environment["DATABASE_URL"] ?? "");

  const relayer = await stack.startRelayer(environment);
  const idle = rssMiB(relayer.pid);
  const task: SessionTask = {
    url: relayer.ready.url,
    chainId: stack.deployment.chainId,
    ledger: stack.deployment.attestationLedger,
    app,
    leaseSigner: addressOf(2),
    sessions: count,
    intervalSeconds: INTERVAL_SECONDS,
    rounds,
  };
  const client = spawn(
    process.execPath,
    [fileURLToPath(new URL("support/sessionClient.ts", import.meta.url))],
    {
      env: { PATH: process.env["PATH"] ?? "", CHARTER_BENCH: JSON.stringify(task) },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let peak = 0;
  let measured = 0; // The highest since the first round, which warms up.
  let cpuAt = { cpu: 0, time: 0 };
  const sampling = setInterval(() => {
    const now = rssMiB(relayer.pid);
    peak = Math.max(peak, now);
    if (cpuAt.time > 0) measured = Math.max(measured, now);
  }, 250);
  let openedSeconds = NaN;
  const done: Round[] = [];
  for await (const line of createInterface({ input: client.stdout })) {
    const said = JSON.parse(line) as { seconds?: number } | Round;
    console.log(line, `${rssMiB(relayer.pid).toFixed(0)} MiB`);
    if (!("round" in said)) openedSeconds = said.seconds ?? openedSeconds;
    else if (said.round === 0) cpuAt = { cpu: cpuSeconds(relayer.pid), time: performance.now() };
    else done.push(said);
  }
  clearInterval(sampling);
  const cpu = (100_000 * (cpuSeconds(relayer.pid) - cpuAt.cpu)) / (performance.now() - cpuAt.time);
  const renewed = done.reduce((sum, round) => sum + round.renewed, 0);
  // A round ends between two renewals of somebody: a hundredth may fall into the next.
  if (done.length !== rounds - 1 || renewed < 0.99 * count * done.length) {
    throw new Error(`only ${renewed} leases were renewed: ${relayer.log().slice(-2_000)}`);
  }
  const worst = (pick: (round: Round) => number): number => Math.max(...done.map(pick));
  addToReport("relayer", "sessions.", [
    { name: "sessions.held", value: count, unit: "" },
    { name: "sessions.rssMiB", value: measured, unit: "MiB", target: "<= 256" },
    { name: "sessions.cpuPercent", value: cpu, unit: "%", target: "<= 25" },
    { name: "sessions.peakRssMiB", value: peak, unit: "MiB" },
    { name: "sessions.idleRssMiB", value: idle, unit: "MiB" },
    { name: "sessions.renewalP50", value: worst(({ p50 }) => p50), unit: "ms" },
    { name: "sessions.renewalP99", value: worst(({ p99 }) => p99), unit: "ms" },
    { name: "sessions.late", value: done.reduce((sum, { late }) => sum + late, 0), unit: "" },
    { name: "sessions.openedPerSecond", value: count / openedSeconds, unit: "1/s" },
  ]);
} finally {
  await stack.stop();
  await stopDatabases();
}
