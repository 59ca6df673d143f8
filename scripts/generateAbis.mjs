// Writes protocol/abi/*.ts from the compiled contracts: typed ABIs for viem, and the committed ABI snapshot.
// `--check` compares instead of writing, and fails when a contract's ABI is not the committed one.
import { readFileSync, writeFileSync, existsSync } from "node:fs";

const root = new URL("../", import.meta.url);
/** export name → artifact. Interfaces stand in until the contract exists; a contract's ABI is a superset. */
const ABIS = {
  app: ["contracts/apps/App.sol/App.json", "contracts/interfaces/IApp.sol/IApp.json"],
  appRegistry: [
    "contracts/apps/AppRegistry.sol/AppRegistry.json",
    "contracts/interfaces/IAppRegistry.sol/IAppRegistry.json",
  ],
  nodeRegistry: [
    "contracts/nodes/NodeRegistry.sol/NodeRegistry.json",
    "contracts/interfaces/INodeRegistry.sol/INodeRegistry.json",
  ],
  attestationLedger: [
    "contracts/attestation/AttestationLedger.sol/AttestationLedger.json",
    "contracts/interfaces/IAttestationLedger.sol/IAttestationLedger.json",
  ],
  committeeVerifier: [
    "contracts/attestation/committee/CommitteeVerifier.sol/CommitteeVerifier.json",
    "contracts/interfaces/ICommitteeVerifier.sol/ICommitteeVerifier.json",
  ],
};

const check = process.argv.includes("--check");
let stale = 0;
for (const [name, candidates] of Object.entries(ABIS)) {
  const artifact = candidates
    .map((path) => new URL(`artifacts/${path}`, root))
    .find((url) => existsSync(url));
  if (!artifact) throw new Error(`no artifact for ${name}: compile the contracts first`);
  const { abi, contractName } = JSON.parse(readFileSync(artifact, "utf8"));
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
