import { fileURLToPath } from "node:url";

import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { defineConfig } from "hardhat/config";

/** solc as npm carries it: nothing is downloaded, and the path must be absolute for Hardhat's runner. */
const solcPath = fileURLToPath(import.meta.resolve("solc/soljson.js"));

export default defineConfig({
  plugins: [hardhatToolboxMochaEthers],
  solidity: {
    profiles: {
      default: {
        version: "0.8.37",
        path: solcPath,
        settings: {
          evmVersion: "osaka",
          viaIR: true,
          optimizer: { enabled: true, runs: 800 },
          outputSelection: { "*": { "*": ["storageLayout"] } },
        },
      },
    },
  },
  paths: {
    sources: "contracts",
    ignition: ".charter/ignition",
    tests: { mocha: "test/contracts", solidity: "contracts" },
  },
  typechain: { outDir: "types/typechain", tsNocheck: true },
  networks: {
    // scripts/deploy.ts overrides both: the node is named by whoever deploys.
    target: { type: "http", url: "http://127.0.0.1:8545" },
    default: { type: "edr-simulated", hardfork: "osaka", chainId: 31337 },
  },
});
