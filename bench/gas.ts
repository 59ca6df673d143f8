/**
 * Gas of Charter's transactions beside the targets of ARCHITECTURE.md: exact, the same on every machine. Exits with 1
 * where a target is missed or has no figure, and where the committed snapshot says anything else.
 */
import { readFileSync } from "node:fs";

import { measureGas } from "./support/gasFlows.ts";
import { gasFigures, TRANSACTION_GAS_LIMIT, unanswered } from "./support/gasTargets.ts";
import { reaches, writeReport } from "./support/report.ts";

const SNAPSHOT = new URL("../test/contracts/snapshots/gas.json", import.meta.url);

const gas = await measureGas();
const figures = gasFigures(gas);
writeReport("gas", figures);

const committed = JSON.parse(readFileSync(SNAPSHOT, "utf8")) as Record<string, number>;
const names = new Set([...Object.keys(gas), ...Object.keys(committed)]);
const wrong = [
  ...unanswered(gas).map((name) => `${name}: there is no figure for this target`),
  ...figures
    .filter((figure) => !reaches(figure))
    .map(({ name, target }) => `${name}: missed ${target ?? ""}`),
  ...figures
    .filter(({ value }) => value >= TRANSACTION_GAS_LIMIT)
    .map(({ name }) => `${name}: more than one transaction may have (EIP-7825)`),
  ...[...names]
    .filter((name) => gas[name] !== committed[name])
    .map((name) => `${name}: ${gas[name]} here, ${committed[name]} in the snapshot (\`npm run snapshots\`)`),
];
for (const line of wrong) console.error(line);
if (wrong.length > 0) process.exitCode = 1;
