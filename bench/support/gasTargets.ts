import type { Figure } from "./report.ts";

/** EIP-7825: no transaction may have more. */
export const TRANSACTION_GAS_LIMIT = 16_777_216;

/** What each figure has to reach, as ARCHITECTURE.md and docs/attestation-onchain.md promise it. */
export const GAS_TARGETS: Readonly<Record<string, NonNullable<Figure["target"]>>> = {
  "app.create": "<= 210000",
  "app.propose": "<= 65000",
  "app.revoke": "<= 40000",
  "app.allowed": "<= 25000",
  "node.register": "<= 260000",
  "node.register.sentForIt": "<= 260000",
  "ledger.attest": "<= 130000",
  "batch.perVerdict": "<= 150",
  "batch.claim": "<= 62000",
  "dcap.tdx.first": "<= 200000",
  "dcap.tdx.repeat": "<= 60000",
  "dcap.tcbInfo": "<= 4000000",
  "dcap.tcbInfo.large": "<= 4000000",
  "dcap.crl": "<= 1500000",
};

/** Gas by name as the figures of a report. */
export const gasFigures = (gas: Readonly<Record<string, number>>): Figure[] =>
  Object.entries(gas).map(([name, value]) => {
    const target = GAS_TARGETS[name];
    return { name, value, unit: "gas", ...(target === undefined ? {} : { target }) };
  });

/** Names of targets that no figure answers: a target without a figure is a missed one. */
export const unanswered = (gas: Readonly<Record<string, number>>): string[] =>
  Object.keys(GAS_TARGETS).filter((name) => !(name in gas));
