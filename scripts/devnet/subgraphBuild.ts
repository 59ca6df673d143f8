import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Deployment } from "../../protocol/deployment/deployment.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const SUBGRAPH_DIR = join(ROOT, "subgraph");

/** Name that our graph-node gives to whatever chain it indexes; manifests must use the same. */
export const NETWORK = "mainnet";

/** Where nothing was deployed, and no event ever comes from. */
const NOWHERE = `0x${"0".repeat(40)}`;

/** ABI file of the subgraph → compiled contract. */
const ARTIFACTS = {
  App: "apps/App.sol/App.json",
  AppRegistry: "apps/AppRegistry.sol/AppRegistry.json",
  NodeRegistry: "nodes/NodeRegistry.sol/NodeRegistry.json",
  AttestationLedger: "attestation/AttestationLedger.sol/AttestationLedger.json",
  CommitteeVerifier: "attestation/committee/CommitteeVerifier.sol/CommitteeVerifier.json",
  CommitteeDisputes: "attestation/committee/CommitteeDisputes.sol/CommitteeDisputes.json",
  ZkVerifier: "attestation/zk/ZkVerifier.sol/ZkVerifier.json",
  AdvisorySets: "attestation/AdvisorySets.sol/AdvisorySets.json",
  Endorsements: "nodes/Endorsements.sol/Endorsements.json",
  DcapCollateral: "attestation/dcap/DcapCollateral.sol/DcapCollateral.json",
  DcapVerifier: "attestation/dcap/DcapVerifier.sol/DcapVerifier.json",
  CharterGovernor: "governance/CharterGovernor.sol/CharterGovernor.json",
  CharterTimelock: "governance/CharterTimelock.sol/CharterTimelock.json",
} as const;

/** Writes the ABIs that mappings are generated from: events only, so that they change when an event does. */
function writeAbis(dir: string): void {
  mkdirSync(join(dir, "abis"), { recursive: true });
  for (const [name, path] of Object.entries(ARTIFACTS)) {
    const { abi } = JSON.parse(readFileSync(join(ROOT, "artifacts/contracts", path), "utf8")) as {
      abi: { type: string }[];
    };
    const events = abi.filter((entry) => entry.type === "event");
    writeFileSync(join(dir, "abis", `${name}.json`), `${JSON.stringify(events, null, 2)}\n`);
  }
}

/** ABIs, then graph-cli's codegen and build, in `dir`. The contracts must be compiled. */
export function buildSubgraph(dir: string, buildOptions: readonly string[] = []): void {
  writeAbis(dir);
  graph(dir, ["codegen"]);
  graph(dir, ["build", ...buildOptions]);
}

/** A copy of the subgraph with the addresses of one deployment (as networks.json), built. Its folder. */
export function buildSubgraphFor(deployment: Deployment, dir: string): string {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  for (const part of ["schema.graphql", "subgraph.yaml", "src"]) {
    cpSync(join(SUBGRAPH_DIR, part), join(dir, part), { recursive: true });
  }
  // graph-cli looks for graph-ts beside the manifest.
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  const { startBlock } = deployment;
  const networks = {
    [NETWORK]: {
      AppRegistry: { address: deployment.appRegistry, startBlock },
      NodeRegistry: { address: deployment.nodeRegistry, startBlock },
      AttestationLedger: { address: deployment.attestationLedger, startBlock },
      CommitteeVerifier: { address: deployment.committeeVerifier, startBlock },
      CommitteeDisputes: { address: deployment.committeeDisputes ?? NOWHERE, startBlock },
      ZkVerifier: { address: deployment.zkVerifier ?? NOWHERE, startBlock },
      AdvisorySets: { address: deployment.advisorySets, startBlock },
      Endorsements: { address: deployment.endorsements, startBlock },
      DcapCollateral: { address: deployment.dcapCollateral ?? NOWHERE, startBlock },
      DcapVerifier: { address: deployment.dcapVerifier ?? NOWHERE, startBlock },
      CharterGovernor: { address: deployment.governor, startBlock },
      CharterTimelock: { address: deployment.timelock, startBlock },
    },
  };
  writeFileSync(join(dir, "networks.json"), `${JSON.stringify(networks, null, 2)}\n`);
  buildSubgraph(dir, ["--network", NETWORK, "--network-file", "networks.json"]);
  return dir;
}

/** graph-cli talks a lot: what it said is shown only when it fails. */
function graph(dir: string, args: readonly string[]): void {
  const cli = join(ROOT, "node_modules/@graphprotocol/graph-cli/bin/run.js");
  const run = spawnSync(process.execPath, [cli, ...args], { cwd: dir, encoding: "utf8" });
  if (run.status !== 0) throw new Error(`graph ${args.join(" ")} failed:\n${run.stdout}\n${run.stderr}`);
}
