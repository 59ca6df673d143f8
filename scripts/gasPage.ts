/**
 * `node scripts/gasPage.ts --write|--check`: the gas table in docs/attestation-onchain.md, from the figures that
 * `npm run bench:gas` committed.
 */
import { readFileSync } from "node:fs";

import { fillSlot } from "./pageSlot.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly target?: string;
}

/** What the page speaks of, in its order; a figure that the bench does not have yet is left out. */
const ROWS: Readonly<Record<string, string>> = {
  "dcap.tdx.first": "verify a platform's first TDX quote, and keep its record",
  "dcap.tdx.first.whole": "the same, with the whole PCK certificate",
  "dcap.tdx.repeat": "verify a further quote of that platform",
  "dcap.sgx.first": "verify a platform's first SGX quote, and keep its record",
  "dcap.sgx.repeat": "verify a further quote of that platform",
  "node.register": "register a node with its platform's first quote",
  "node.register.committee": "register a node by the committee's verdict",
  "ledger.attest": "enter an instance by a quote, on a known platform",
  "ledger.attest.committee": "enter an instance by the committee's verdict",
  "batch.perVerdict": "one verdict of a batch of 1,000 by 5 of 7 signers",
  "batch.claim": "claim one leaf of such a batch",
  "dcap.tcbInfo": "bring TCB info",
  "dcap.qeIdentity": "bring a QE identity",
  "dcap.crl": "bring a CRL",
  "dcap.certificate": "bring a CA certificate",
};

const RESULTS = new URL("../bench/results/gas.json", import.meta.url);
const { figures } = JSON.parse(readFileSync(RESULTS, "utf8")) as { figures: readonly Figure[] };
const rows = Object.entries(ROWS).flatMap(([name, says]) => {
  const figure = figures.find((one) => one.name === name);
  if (!figure) return [];
  const target = figure.target?.replace(/\d+/, (digits) => Number(digits).toLocaleString("en"));
  return [`| ${says} | \`${name}\` | ${figure.value.toLocaleString("en")} | ${target ?? ""} |`];
});

await fillSlot({
  page: "docs/attestation-onchain.md",
  name: "gas",
  content: ["| transaction | figure | gas | target |", "| --- | --- | ---: | --- |", ...rows].join("\n"),
  command: "node scripts/gasPage.ts",
});
