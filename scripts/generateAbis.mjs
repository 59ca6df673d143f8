// Writes protocol/abi/*.ts from the compiled contracts: typed ABIs for viem, and the committed ABI snapshot.
// `--check` compares instead of writing, and fails when a contract's ABI is not the committed one.
import { readFileSync, writeFileSync, existsSync } from "node:fs";

const root = new URL("../", import.meta.url);
/** export name → artifacts. An app answers dstack's calls by code of its own (AppAuth), so its ABI is both. */
const ABIS = {
  app: ["contracts/apps/App.sol/App.json", "contracts/compat/AppAuth.sol/AppAuth.json"],
  appRegistry: ["contracts/apps/AppRegistry.sol/AppRegistry.json"],
  nodeRegistry: ["contracts/nodes/NodeRegistry.sol/NodeRegistry.json"],
  attestationLedger: ["contracts/attestation/AttestationLedger.sol/AttestationLedger.json"],
  committeeVerifier: ["contracts/attestation/committee/CommitteeVerifier.sol/CommitteeVerifier.json"],
  committeeDisputes: ["contracts/attestation/committee/CommitteeDisputes.sol/CommitteeDisputes.json"],
  zkVerifier: ["contracts/attestation/zk/ZkVerifier.sol/ZkVerifier.json"],
  dcapVerifier: ["contracts/attestation/dcap/DcapVerifier.sol/DcapVerifier.json"],
  dcapCollateral: ["contracts/attestation/dcap/DcapCollateral.sol/DcapCollateral.json"],
  advisorySets: ["contracts/attestation/AdvisorySets.sol/AdvisorySets.json"],
  dstackKms: ["contracts/compat/DstackKms.sol/DstackKms.json"],
  endorsements: ["contracts/nodes/Endorsements.sol/Endorsements.json"],
  governor: ["contracts/governance/CharterGovernor.sol/CharterGovernor.json"],
  timelock: ["contracts/governance/CharterTimelock.sol/CharterTimelock.json"],
  votes: ["contracts/governance/CharterVotes.sol/CharterVotes.json"],
};

const check = process.argv.includes("--check");
let stale = 0;
for (const [name, paths] of Object.entries(ABIS)) {
  const artifacts = paths.map((path) => JSON.parse(readFileSync(new URL(`artifacts/${path}`, root), "utf8")));
  const items = artifacts.flatMap(({ abi }) => abi).filter(({ type }) => type !== "fallback");
  // The first artifact's constructor, and everything else once.
  const abi = [...new Map(items.map((item) => [keyOf(item), item]).reverse()).values()].reverse();
  const contractName = artifacts.map((artifact) => artifact.contractName).join(" and ");
  const text =
    `// Generated from ${contractName} by scripts/generateAbis.mjs; do not edit.\n` +
    `export const ${name}Abi = ${JSON.stringify(abi, null, 2)} as const;\n`;
  const target = new URL(`protocol/abi/${name}.ts`, root);
  const current = existsSync(target) ? readFileSync(target, "utf8") : "";
  if (current === text) continue;
  stale++;
  if (check) console.error(`protocol/abi/${name}.ts differs from ${contractName}`);
  else writeFileSync(target, text);
}
if (check && stale > 0) process.exit(1);
console.log(check ? "ABIs match the contracts" : `${stale} ABI file(s) written`);

function keyOf({ type, name, inputs }) {
  return JSON.stringify([type, name, inputs]);
}
