/**
 * `node scripts/snapshots.ts --write|--check`: what of the contracts must never change by accident, committed under
 * test/contracts/snapshots: `abi.json` (every function, event and error, with selector or topic), `storage.json` (where
 * each variable lies), `size.json` (bytes of deployed code, limit 24,576) and `gas.json` (exact, see
 * bench/support/gasFlows.ts; each below what one transaction may have, 16,777,216). Contracts must be compiled.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { Interface, type JsonFragment } from "ethers";

import { measureGas } from "../bench/support/gasFlows.ts";
import { TRANSACTION_GAS_LIMIT } from "../bench/support/gasTargets.ts";

const ARTIFACTS = new URL("../artifacts/", import.meta.url);
const SNAPSHOTS = new URL("../test/contracts/snapshots/", import.meta.url);
const SIZE_LIMIT = 24_576; // EIP-170

interface Artifact {
  readonly contractName: string;
  readonly sourceName: string;
  readonly inputSourceName: string;
  readonly buildInfoId: string;
  readonly abi: readonly JsonFragment[];
  readonly deployedBytecode: string;
}

interface Variable {
  readonly label: string;
  readonly slot: string;
  readonly offset: number;
  readonly type: string;
}

interface StorageLayout {
  readonly storage: readonly Variable[];
  readonly types: Readonly<
    Record<string, { label: string; numberOfBytes: string; members?: readonly Variable[] }>
  > | null;
}

/** Contracts that can be deployed, by name; tests, proofs and interfaces are not among them. */
function deployable(): Artifact[] {
  const root = fileURLToPath(new URL("contracts/", ARTIFACTS));
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".json") && !/\.t\.sol|testing\/|^formal\//.test(path))
    .map((path) => JSON.parse(readFileSync(`${root}${path}`, "utf8")) as Artifact)
    .filter((artifact) => artifact.deployedBytecode !== "0x" && artifact.abi.length > 0)
    .sort((a, b) => (a.contractName < b.contractName ? -1 : 1));
}

function abiOf({ abi }: Artifact): Record<string, string> {
  const parsed = new Interface(abi);
  const lines: [string, string][] = [];
  parsed.forEachFunction((one) => lines.push([one.format("full"), one.selector]));
  parsed.forEachEvent((one) => lines.push([one.format("full"), one.topicHash]));
  parsed.forEachError((one) => lines.push([one.format("full"), one.selector]));
  return Object.fromEntries(lines.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const outputs = new Map<string, Record<string, Record<string, { storageLayout?: StorageLayout }>>>();

function storageOf({ buildInfoId, inputSourceName, contractName }: Artifact): string[] {
  let contracts = outputs.get(buildInfoId);
  if (!contracts) {
    const text = readFileSync(new URL(`build-info/${buildInfoId}.output.json`, ARTIFACTS), "utf8");
    contracts = (JSON.parse(text) as { output: { contracts: NonNullable<typeof contracts> } }).output
      .contracts;
    outputs.set(buildInfoId, contracts);
  }
  const layout = contracts[inputSourceName]?.[contractName]?.storageLayout;
  if (!layout) throw new Error(`no storage layout of ${contractName}: compile the contracts again`);
  const types = layout.types ?? {};
  const line = (one: Variable): string => {
    const type = types[one.type];
    return `slot ${one.slot} offset ${one.offset}: ${type?.label ?? one.type} ${one.label} (${type?.numberOfBytes ?? "?"} bytes)`;
  };
  const structs = Object.values(types)
    .filter((type) => type.members)
    .sort((a, b) => (a.label < b.label ? -1 : 1))
    .flatMap(({ label, members }) => (members ?? []).map((member) => `${label}: ${line(member)}`));
  return [...layout.storage.map(line), ...structs];
}

const sizeOf = ({ deployedBytecode }: Artifact): number => (deployedBytecode.length - 2) / 2;

const contracts = deployable();
const byName = <T>(of: (artifact: Artifact) => T): Record<string, T> =>
  Object.fromEntries(contracts.map((artifact) => [artifact.contractName, of(artifact)]));
const snapshots = {
  abi: byName(abiOf),
  storage: byName(storageOf),
  size: byName(sizeOf),
  gas: await measureGas(),
};

let failed = false;
for (const [name, value] of Object.entries(snapshots)) {
  const file = new URL(`${name}.json`, SNAPSHOTS);
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (process.argv.includes("--write")) writeFileSync(file, text);
  else failed = !matches(name, file, text) || failed;
}
for (const [name, size] of Object.entries(snapshots.size)) {
  if (size <= SIZE_LIMIT) continue;
  console.error(`${name} has ${size} bytes of code; the chain takes ${SIZE_LIMIT}`);
  failed = true;
}
for (const [name, gas] of Object.entries(snapshots.gas)) {
  if (gas < TRANSACTION_GAS_LIMIT) continue;
  console.error(`${name} takes ${gas} gas; a transaction may have ${TRANSACTION_GAS_LIMIT} (EIP-7825)`);
  failed = true;
}
// App runs AppAuth's code on its own storage.
if (JSON.stringify(snapshots.storage.App) !== JSON.stringify(snapshots.storage.AppAuth)) {
  console.error("App and AppAuth lay their storage out differently");
  failed = true;
}
// The bindings in protocol/abi are of the same contracts.
execFileSync(
  process.execPath,
  [
    fileURLToPath(new URL("generateAbis.mjs", import.meta.url)),
    ...(process.argv.includes("--write") ? [] : ["--check"]),
  ],
  { stdio: "inherit" },
);
if (failed) process.exit(1);
console.log(
  `${contracts.length} contracts: ABI, storage, size and gas ${process.argv.includes("--write") ? "written" : "are the committed ones"}`,
);

function matches(name: string, file: URL, text: string): boolean {
  const committed = readFileSync(file, "utf8");
  if (committed === text) return true;
  console.error(`${name}.json is not what is committed; if the change is meant, run \`npm run snapshots\``);
  const [before, after] = [committed.split("\n"), text.split("\n")].map((lines) => new Set(lines));
  for (const line of before ?? []) if (!after?.has(line)) console.error(`- ${line}`);
  for (const line of after ?? []) if (!before?.has(line)) console.error(`+ ${line}`);
  return false;
}
