/**
 * `node scripts/gasPage.ts --write|--check`: the gas table in docs/attestation-onchain.md. One source rules: the snapshot
 * test/contracts/snapshots/gas.json, which scripts/snapshots.ts holds to what the contracts cost. `--check` also wants
 * bench/results/gas.json to say the same; `npm run bench:gas` writes it.
 */
import { readFileSync } from "node:fs";

import { gasFigures } from "../bench/support/gasTargets.ts";
import type { Figure } from "../bench/support/report.ts";
import { fillSlot } from "./pageSlot.ts";

/** What the page speaks of, in its order. */
const ROWS: Readonly<Record<string, string>> = {
  "dcap.tdx.first": "verify a platform's first TDX quote, and keep its record",
  "dcap.tdx.first.whole": "the same, with the whole PCK certificate",
  "dcap.tdx.repeat": "verify a further quote of that platform",
  "dcap.sgx.first": "verify a platform's first SGX quote, and keep its record",
  "dcap.sgx.repeat": "verify a further quote of that platform",
  "node.register": "register a node with its platform's first quote; its operator sends",
  "node.register.sentForIt": "the same, sent by anybody for the operator who signed",
  "node.register.committee": "register a node by the committee's verdict",
  "ledger.attest": "enter an instance by a quote, on a known platform",
  "ledger.attest.committee": "enter an instance by the committee's verdict",
  "batch.perVerdict": "one verdict of a batch of 1,000 by 5 of 7 signers",
  "batch.claim": "claim one leaf of such a batch",
  "dcap.tcbInfo": "bring TCB info of 16 levels",
  "dcap.tcbInfo.again": "bring it again, re-signed",
  "dcap.tcbInfo.large": "bring TCB info of 32 levels, each explained at length",
  "dcap.qeIdentity": "bring a QE identity",
  "dcap.crl": "bring a CRL of 64 entries",
  "dcap.crl.again": "bring it again, re-signed",
  "dcap.crl.thousand": "bring a CRL of 1,000 entries",
  "dcap.certificate": "bring a CA certificate",
};

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const figures = gasFigures(read("../test/contracts/snapshots/gas.json") as Record<string, number>);

if (!process.argv.includes("--write")) {
  const { figures: benched } = read("../bench/results/gas.json") as { figures: readonly Figure[] };
  if (JSON.stringify(benched) !== JSON.stringify(figures)) {
    console.error("bench/results/gas.json is not what the snapshot says: run `npm run bench:gas`");
    process.exit(1);
  }
}

const rows = Object.entries(ROWS).map(([name, says]) => {
  const figure = figures.find((one) => one.name === name);
  if (!figure) throw new Error(`the snapshot has no ${name}`);
  const target = figure.target?.replace(/\d+/, (digits) => Number(digits).toLocaleString("en"));
  return `| ${says} | \`${name}\` | ${figure.value.toLocaleString("en")} | ${target ?? ""} |`;
});

await fillSlot({
  page: "docs/attestation-onchain.md",
  name: "gas",
  content: ["| transaction | figure | gas | target |", "| --- | --- | ---: | --- |", ...rows].join("\n"),
  command: "node scripts/gasPage.ts",
});
