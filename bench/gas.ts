/** Gas of Charter's transactions beside the targets of ARCHITECTURE.md: exact, the same on every machine. */
import { measureGas } from "./support/gasFlows.ts";
import { writeReport, type Figure } from "./support/report.ts";

const TARGETS: Readonly<Record<string, Figure["target"]>> = {
  "app.create": "<= 210000",
  "app.propose": "<= 65000",
  "app.revoke": "<= 40000",
  "app.allowed": "<= 25000",
  "node.register": "<= 260000",
  "ledger.attest": "<= 130000",
  "batch.perVerdict": "<= 150",
  "batch.claim": "<= 62000",
  "dcap.tdx.first": "<= 200000",
  "dcap.tdx.repeat": "<= 60000",
};

const figures = Object.entries(await measureGas()).map(([name, value]): Figure => {
  const target = TARGETS[name];
  return target ? { name, value, unit: "gas", target } : { name, value, unit: "gas" };
});
writeReport("gas", figures);
