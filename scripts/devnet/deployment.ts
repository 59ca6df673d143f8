import { deployCharter, type DeployParameters } from "../deploy.ts";
import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { devnetAccounts } from "./accounts.ts";

const YEAR_SECONDS = 365 * 24 * 3600;

/**
 * Deploys Charter to a devnet chain: two of three signers, delays of seconds.
 * @param testRootPem of the simulated vendor; absent: direct proofs are judged by Intel's root.
 * @param more whatever a deployment has otherwise, or besides.
 */
export function deployDevnet(
  rpcUrl: string,
  testRootPem?: string,
  more: Partial<DeployParameters> = {},
): Promise<Deployment> {
  const { deployer, owner, committee } = devnetAccounts;
  return deployCharter({
    rpcUrl,
    privateKey: deployer.key,
    parameters: {
      votesHolder: owner.address,
      timelockDelaySeconds: 5,
      votingDelaySeconds: 1,
      votingPeriodSeconds: 10,
      committeeMembers: committee.map(({ address }) => address),
      committeeThreshold: 2,
      ...(testRootPem === undefined ? {} : { testRootPem }),
      committeeExpiresAt: Math.floor(Date.now() / 1000) + YEAR_SECONDS,
      ...more,
    },
  });
}
