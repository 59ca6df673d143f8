import { fileURLToPath } from "node:url";

import hardhatToolboxMochaEthers from "@nomicfoundation/hardhat-toolbox-mocha-ethers";
import { defineConfig } from "hardhat/config";

/** solc as npm carries it: nothing is downloaded, and the path must be absolute for Hardhat's runner. */
const solcPath = fileURLToPath(import.meta.resolve("solc/soljson.js"));

/** Random by default: the seed is printed, and `SEED=` repeats it. `npm run fuzz` is the long profile. */
function solidityTests() {
  const seed = process.env.SEED ?? String(Math.floor(Math.random() * 2 ** 31));
  const isLong = process.env.CHARTER_FUZZ === "long";
  if (process.argv.includes("solidity")) console.log(`Solidity fuzz seed: SEED=${seed}`);
  return {
    fuzz: { runs: isLong ? 20_000 : 1_000, seed: `0x${BigInt(seed).toString(16)}` },
    invariant: { runs: isLong ? 400 : 24, depth: isLong ? 500 : 200 },
  };
}

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
  test: { solidity: solidityTests() },
  typechain: { outDir: "types/typechain", tsNocheck: true },
  networks: {
    // scripts/deploy.ts overrides both: the node is named by whoever deploys.
    target: { type: "http", url: "http://127.0.0.1:8545" },
    default: { type: "edr-simulated", hardfork: "osaka", chainId: 31337 },
  },
});
