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
  paths: { sources: "contracts", tests: { mocha: "test/contracts", solidity: "contracts" } },
  typechain: { outDir: "types/typechain" },
  networks: {
    default: { type: "edr-simulated", hardfork: "osaka", chainId: 31337 },
  },
});
