import { readFileSync } from "node:fs";
import { join } from "node:path";

import hre from "hardhat";

import { parseCertificate } from "../protocol/der/certificate.ts";
import { splitPem } from "../protocol/der/pem.ts";
import { parseDeployment, type Deployment } from "../protocol/deployment/deployment.ts";
import { toHex, type Address, type Hex } from "../protocol/words/hex.ts";
import { charterModule } from "./ignition/Charter.ts";

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
  /** Between a decision about the committee and its effect, 2 days unless it says otherwise; 0 on development chains only. */
  readonly committeeNoticeSeconds?: number;
  /**
   * Verifiers of zero-knowledge proofs that stand on the chain: with any of them ZkVerifier is deployed, and an adapter
   * for each. Governance names the programs later, with notice.
   */
  readonly sp1Gateway?: Address | undefined;
  readonly riscZeroRouter?: Address | undefined;
  /** Between naming a program and its first proof that counts, 2 days unless it says otherwise. */
  readonly zkNoticeSeconds?: number | undefined;
  /** PEM: DcapCollateral trusts this root in place of Intel's; refused by the contract but on development chains. */
  readonly testRootPem?: string;
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
  const { testRootPem, ...rest } = parameters;
  const connection = await hre.network.create({
    network: "target",
    override: { url: rpcUrl, accounts: [privateKey] },
  });
  try {
    const genesis = await connection.ethers.provider.getBlock(0);
    const { sp1Gateway, riscZeroRouter, zkNoticeSeconds, ...always } = rest;
    const { chainId } = await connection.ethers.provider.getNetwork();
    // The journal belongs to one chain: a new devnet has another genesis, a resumed one the same.
    const deploymentId = `chain-${chainId}-${genesis?.hash?.slice(2, 18) ?? "unknown"}`;
    const module = charterModule({
      sp1: sp1Gateway !== undefined,
      riscZero: riscZeroRouter !== undefined,
    });
    const contracts = await connection.ignition.deploy(module, {
      parameters: {
        Charter: {
          ...always,
          ...(sp1Gateway === undefined ? {} : { sp1Gateway }),
          ...(riscZeroRouter === undefined ? {} : { riscZeroRouter }),
          ...(zkNoticeSeconds === undefined ? {} : { zkNoticeSeconds }),
          committeeMembers: [...parameters.committeeMembers],
          ...(testRootPem === undefined ? {} : testRootKey(testRootPem)),
        },
      },
      deploymentId,
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
      JSON.stringify({
        chainId: Number(chainId),
        genesisHash: genesis?.hash,
        startBlock: firstBlockOf(deploymentId),
        ...addresses,
      }),
    );
  } finally {
    await connection.close();
  }
}

function testRootKey(pem: string): { readonly testRootX: Hex; readonly testRootY: Hex } {
  const [der] = splitPem(pem);
  if (der === undefined) throw new Error("expected one PEM certificate");
  const { publicKey } = parseCertificate(der);
  return { testRootX: toHex(publicKey.subarray(0, 32)), testRootY: toHex(publicKey.subarray(32)) };
}

/** First block that a transaction of this deployment stands in: the same for the run that made it and for later ones. */
function firstBlockOf(deploymentId: string): number {
  const journal = join(hre.config.paths.ignition, "deployments", deploymentId, "journal.jsonl");
  const blocks = readFileSync(journal, "utf8").matchAll(/"blockNumber":(\d+)/g);
  return Math.min(...[...blocks].map((match) => Number(match[1])));
}
