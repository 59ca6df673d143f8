/**
 * `npm run formal`: the SMTChecker (CHC engine, Z3 in WebAssembly) over contracts/formal. Every assertion of the proofs
 * must be proved, and none of the false statements. docs/formal.md says what this covers and what it cannot.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCE = "contracts/formal/Proofs.sol";
const SOLVER = fileURLToPath(new URL("formal/solve.ts", import.meta.url));
const QUERY_TIMEOUT_MS = 120_000;

interface Solc {
  compile(input: string, callbacks: object): string;
}
interface Message {
  readonly message: string;
  readonly sourceLocation?: { readonly start: number };
}

const solc = createRequire(import.meta.url)("solc") as Solc;
const source = readFileSync(join(ROOT, SOURCE), "utf8");
const directory = mkdtempSync(join(tmpdir(), "charter-formal-"));
let queries = 0;

/** One query in a process of its own: solc asks synchronously, and Z3 answers asynchronously. */
function smtSolver(query: string): { contents: string } {
  const file = join(directory, `${queries++}.smt2`);
  writeFileSync(file, query);
  const { stdout, stderr, status } = spawnSync(process.execPath, [SOLVER, file], {
    encoding: "utf8",
    timeout: QUERY_TIMEOUT_MS,
  });
  if (status !== 0) throw new Error(`the solver failed: ${stderr.slice(0, 500)}`);
  return { contents: stdout };
}

/** Assertions of these contracts that were proved, and all that were asked, as "line: text". */
function check(contracts: readonly string[]): { proved: string[]; open: string[] } {
  const input = {
    language: "Solidity",
    sources: { [SOURCE]: { content: source } },
    settings: {
      evmVersion: "osaka",
      outputSelection: { "*": { "*": [] } },
      modelChecker: {
        contracts: { [SOURCE]: contracts },
        engine: "chc",
        targets: ["assert"],
        solvers: ["smtlib2"],
        showProvedSafe: true,
        showUnproved: true,
        timeout: 0,
      },
    },
  };
  const load = (path: string) => {
    const folder = path.startsWith("contracts/") ? ROOT : join(ROOT, "node_modules");
    return { contents: readFileSync(join(folder, path), "utf8") };
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: load, smtSolver })) as {
    errors?: readonly Message[];
  };
  const proved: string[] = [];
  const open: string[] = [];
  for (const { message, sourceLocation } of output.errors ?? []) {
    if (!/^CHC: (?:Assertion violation|Error)/.test(message)) continue;
    const line = source.slice(0, sourceLocation?.start ?? 0).split("\n").length;
    const entry = `${SOURCE}:${line} ${(source.split("\n")[line - 1] ?? "").trim()}`;
    (message.includes("is safe") ? proved : open).push(entry);
  }
  return { proved, open: open.filter((entry, i) => open.indexOf(entry) === i) };
}

const assertions = (from: string, to: string | undefined): number => {
  const text = source.slice(source.indexOf(from), to === undefined ? undefined : source.indexOf(to));
  return text.split("assert(").length - 1;
};

try {
  const proofs = check(["RatchetProofs", "LiveSetProofs"]);
  const falsehoods = check(["FalseStatements"]);
  for (const entry of proofs.proved) console.log(`  ✓ proved ${entry}`);
  for (const entry of proofs.open) console.log(`  ✗ not proved ${entry}`);
  for (const entry of falsehoods.proved) console.log(`  ✗ "proved" though false ${entry}`);
  const expected = assertions("contract RatchetProofs", "contract FalseStatements");
  const expectedFalse = assertions("contract FalseStatements", undefined);
  console.log(
    `${proofs.proved.length} of ${expected} statements proved; ` +
      `${falsehoods.open.length} of ${expectedFalse} false ones refused; ${queries} queries`,
  );
  if (
    proofs.proved.length !== expected ||
    proofs.open.length > 0 ||
    falsehoods.open.length !== expectedFalse ||
    falsehoods.proved.length > 0
  ) {
    process.exitCode = 1;
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
