import hre from "hardhat";

import { parseDeployment, type Deployment } from "../protocol/deployment/deployment.ts";
import type { Address, Hex } from "../protocol/words/hex.ts";
import CharterModule from "./ignition/Charter.ts";

/** What a deployment is given. Times in seconds; members ascending by address. */
export interface DeployParameters {
  readonly votesHolder: Address;
  readonly timelockDelaySeconds: number;
  readonly votingDelaySeconds: number;
  readonly votingPeriodSeconds: number;
  readonly committeeMembers: readonly Address[];
  readonly committeeThreshold: number;
  /** Unix seconds from which the genesis committee's signatures no longer count. */
  readonly committeeExpiresAt: number;
}

export interface DeployOptions {
  readonly rpcUrl: string;
  /** Pays; keeps no role. */
  readonly privateKey: Hex;
  readonly parameters: DeployParameters;
}

/**
 * Deploys Charter by its Ignition module to a node over JSON-RPC, and gives the address book.
 * Contracts must be compiled (`npm run compile`).
 */
export async function deployCharter({ rpcUrl, privateKey, parameters }: DeployOptions): Promise<Deployment> {
  const connection = await hre.network.create({
    network: "target",
    override: { url: rpcUrl, accounts: [privateKey] },
  });
  try {
    const startBlock = await connection.ethers.provider.getBlockNumber();
    const genesis = await connection.ethers.provider.getBlock(0);
    const { chainId } = await connection.ethers.provider.getNetwork();
    const contracts = await connection.ignition.deploy(CharterModule, {
      parameters: { Charter: { ...parameters, committeeMembers: [...parameters.committeeMembers] } },
      // The journal belongs to one chain: a new devnet has another genesis, a resumed one the same.
      deploymentId: `chain-${chainId}-${genesis?.hash?.slice(2, 18) ?? "unknown"}`,
      config: { requiredConfirmations: 1, blockPollingInterval: 250 },
      displayUi: false,
    });
    const addresses = Object.fromEntries(
      await Promise.all(
        Object.entries(contracts).map(async ([name, contract]) => [
          name,
          (await contract.getAddress()).toLowerCase(),
        ]),
      ),
    ) as Record<string, string>;
    return parseDeployment(
      JSON.stringify({ chainId: Number(chainId), genesisHash: genesis?.hash, startBlock, ...addresses }),
    );
  } finally {
    await connection.close();
  }
}
