import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { CHAIN } from "./TestRelayer.ts";

/** Writes the address book of the test relayer's chain. */
export function deploymentFile(dir: string): string {
  const path = join(dir, "deployment.json");
  const address = (digit: string) => `0x${digit.repeat(40)}`;
  writeFileSync(
    path,
    JSON.stringify({
      chainId: CHAIN.chainId,
      genesisHash: CHAIN.genesisHash,
      startBlock: 0,
      appRegistry: address("3"),
      nodeRegistry: CHAIN.nodeRegistry,
      attestationLedger: CHAIN.ledger,
      committeeVerifier: address("4"),
      advisorySets: address("a"),
      endorsements: address("b"),
      timelock: address("5"),
      governor: address("6"),
      votes: address("7"),
    }),
  );
  return path;
}
