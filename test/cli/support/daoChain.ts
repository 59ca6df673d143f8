import { expect } from "chai";

import type { Address } from "../../../protocol/words/hex.ts";
import { deployCharter } from "../../../scripts/deploy.ts";
import { devnetAccounts, type DevnetAccount } from "../../../scripts/devnet/accounts.ts";
import type { TestPki } from "../../../worker/tee/simulator/pki.ts";
import { startGovernedChain, type GovernedChain } from "./governedChain.ts";
import type { Run } from "./runCharter.ts";

const { deployer, owner, committee } = devnetAccounts;
// Hours where the devnet has seconds: nothing here may fail because the machine is slow.
const VOTING_DELAY = 3_600;
const VOTING_PERIOD = 7_200;
const TIMELOCK_DELAY = 1_800;
const YEAR = 365 * 86_400;

/** A chain of the simulated vendor's, and the shortest ways to what its commands do there. */
export interface DaoChain extends GovernedChain {
  /** What a command gave; it must have said nothing else. */
  readonly done: <T = Record<string, unknown>>(account: DevnetAccount, ...args: string[]) => Promise<T>;
  /** How a command was refused; fails unless it left with this exit code. */
  readonly refused: (
    exitCode: number,
    account: DevnetAccount,
    ...args: string[]
  ) => Promise<ReturnType<Run["error"]>>;
  /** Commands of the Timelock's, each proposed, voted for together, queued and executed. */
  readonly decide: (...commands: readonly (readonly string[])[]) => Promise<void>;
}

/** @param gateways deploys what verifies zero-knowledge proofs; none by default. */
export async function startDaoChain(
  pki: TestPki,
  gateways: (rpcUrl: string) => Promise<{ sp1Gateway?: Address; zkNoticeSeconds?: number }> = async () =>
    Promise.resolve({}),
): Promise<DaoChain> {
  const chain = await startGovernedChain(async (rpcUrl) =>
    deployCharter({
      rpcUrl,
      privateKey: deployer.key,
      parameters: {
        votesHolder: owner.address,
        timelockDelaySeconds: TIMELOCK_DELAY,
        votingDelaySeconds: VOTING_DELAY,
        votingPeriodSeconds: VOTING_PERIOD,
        committeeMembers: committee.map(({ address }) => address),
        committeeThreshold: 2,
        committeeExpiresAt: Math.floor(Date.now() / 1000) + YEAR,
        testRootPem: pki.file.root,
        ...(await gateways(rpcUrl)),
      },
    }),
  );
  const done: DaoChain["done"] = async <T>(account: DevnetAccount, ...args: string[]) => {
    const run = await chain.as(account, ...args);
    expect(run.stderr, args.join(" ")).to.equal("");
    expect(run.exitCode).to.equal(0);
    return run.result<T>();
  };
  let delegated = false;
  return {
    ...chain,
    done,
    refused: async (exitCode, account, ...args) => {
      const run = await chain.as(account, ...args);
      expect(run.stdout, args.join(" ")).to.equal("");
      expect(run.exitCode, run.stderr).to.equal(exitCode);
      return run.error();
    },
    decide: async (...commands) => {
      if (!delegated) await done(owner, "dao", "delegate", owner.address);
      delegated = true;
      const proposals: string[] = [];
      for (const command of commands) {
        const given = await done<{ proposal: string }>(owner, "--governor", "deployment", ...command);
        proposals.push(given.proposal);
      }
      await chain.pass(VOTING_DELAY + 1);
      for (const proposal of proposals) await done(owner, "dao", "vote", proposal, "for");
      await chain.pass(VOTING_PERIOD + 1);
      for (const proposal of proposals) await done(owner, "dao", "queue", proposal);
      await chain.pass(TIMELOCK_DELAY);
      for (const proposal of proposals) await done(owner, "dao", "execute", proposal);
    },
  };
}
