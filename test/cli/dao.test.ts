import { expect } from "chai";
import {
  createPublicClient,
  createWalletClient,
  encodeFunctionData,
  http,
  parseEventLogs,
  type Hex,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { appAbi } from "../../protocol/abi/app.ts";
import { governorAbi } from "../../protocol/abi/governor.ts";
import { votesAbi } from "../../protocol/abi/votes.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { deployCharter } from "../../scripts/deploy.ts";
import { devnetAccounts, type DevnetAccount } from "../../scripts/devnet/accounts.ts";
import { startGovernedChain, type GovernedChain } from "./support/governedChain.ts";
import { runCharter } from "./support/runCharter.ts";

const { deployer, owner, guardian, operator, lease, committee } = devnetAccounts;
const NOTICE = 100;
const VOTING_DELAY = 3_600;
const VOTING_PERIOD = 7_200;
const TIMELOCK_DELAY = 1_800;
const YEAR = 365 * 24 * 3600;

interface Proposed {
  readonly proposal: string;
  readonly description: string;
  readonly calldata: Hex;
  readonly target: Address;
}
interface Shown {
  readonly state: string;
  readonly title: string;
  readonly binding: string;
  readonly votes: Record<"for" | "against" | "abstain", string>;
  readonly quorum: string | null;
  readonly eta: number | null;
  readonly calls: { contract: string | null; text: string }[];
  readonly reviews: { told?: boolean; title?: string; changes?: string; error?: { code: string } }[];
}

describe("charter dao, against the real Governor, Timelock and votes", function () {
  this.timeout(180_000);
  let chain: GovernedChain;
  let salt = 0;

  before(async () => {
    // Hours where the devnet has seconds: nothing here may pass because the machine was slow.
    chain = await startGovernedChain((rpcUrl) =>
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
        },
      }),
    );
    await done(owner, "dao", "delegate", owner.address);
  });
  after(() => chain.stop());

  const done = async <T = Record<string, unknown>>(account: DevnetAccount, ...args: string[]): Promise<T> => {
    const run = await chain.as(account, ...args);
    expect(run.stderr, args.join(" ")).to.equal("");
    return run.result<T>();
  };
  const compose = (image: string): string[] => {
    const file = chain.folder.file(
      `${image.replace(/\W/g, "-")}.yml`,
      `services:\n  web:\n    image: ${image}\n`,
    );
    return ["--compose", file, "--name", "hello", "--lease-signer", lease.address];
  };
  /** An app that the DAO owns from its first block. */
  const create = async (...more: string[]): Promise<Address> => {
    const unique = `0x${(++salt).toString(16).padStart(64, "0")}`;
    const rules = ["--notice", String(NOTICE), "--salt", unique, "--owner", chain.deployment.timelock];
    return (
      await done<{ app: Address }>(owner, "app", "create", ...compose("busybox:1.36"), ...rules, ...more)
    ).app;
  };
  const proposeRelease = (app: Address, image: string, ...more: string[]) =>
    done<Proposed>(owner, "dao", "propose-release", app, ...compose(image), ...more);
  const show = async (proposal: string): Promise<Shown> => done<Shown>(owner, "dao", "show", proposal);
  const vote = async (proposal: string, support: string, voter = owner): Promise<void> => {
    await chain.pass(VOTING_DELAY + 1);
    await done(voter, "dao", "vote", proposal, support);
    await chain.pass(VOTING_PERIOD + 1);
  };
  const carryOut = async (proposal: string): Promise<void> => {
    await vote(proposal, "for");
    await done(owner, "dao", "queue", proposal);
    await chain.pass(TIMELOCK_DELAY);
    await done(owner, "dao", "execute", proposal);
  };
  const head = async (app: Address) => (await done<{ head: number | null }>(owner, "app", "show", app)).head;

  /** A proposal that another tool wrote. */
  const proposeRaw = async (target: Address, calldata: Hex, description: string): Promise<string> => {
    const client = createPublicClient({
      transport: http(chain.anvil.url),
      cacheTime: 0,
      pollingInterval: 50,
    });
    const wallet = createWalletClient({
      account: privateKeyToAccount(owner.key),
      transport: http(chain.anvil.url),
    });
    const hash = await wallet.writeContract({
      chain: null,
      address: chain.deployment.governor,
      abi: governorAbi,
      functionName: "propose",
      args: [[target], [0n], [calldata], description],
    });
    const { logs } = await client.waitForTransactionReceipt({ hash });
    const [created] = parseEventLogs({ abi: governorAbi, eventName: "ProposalCreated", logs });
    return String(created?.args.proposalId);
  };

  it("takes a release from a vote over timelock and notice to its activation", async () => {
    const app = await create();
    const { proposal, description } = await proposeRelease(app, "busybox:1.37", "--title", "Say hello twice");
    expect(description).to.match(/^# Say hello twice\n/);
    expect(description).to.include("web: busybox:1.37");
    expect(await show(proposal)).to.include({ state: "Pending", binding: "bound", quorum: null });
    await chain.pass(VOTING_DELAY + 1);
    await done(owner, "dao", "vote", proposal, "for", "--reason", "it was reviewed");
    const active = await show(proposal);
    expect(active).to.include({ state: "Active", title: "Say hello twice", eta: null });
    expect(active.votes.for).to.equal(String(10n ** 24n));
    expect(active.quorum).to.equal(String(4n * 10n ** 22n));
    expect(active.calls[0]).to.include({ contract: "app" });
    expect(active.calls[0]?.text).to.include("propose").and.include("expectedPredecessor 1");
    expect(active.reviews[0]).to.include({ told: true, title: "Say hello twice" });
    await chain.pass(VOTING_PERIOD + 1);

    expect((await show(proposal)).state).to.equal("Succeeded");
    const unqueued = await chain.as(owner, "dao", "execute", proposal);
    expect(unqueued.exitCode).to.equal(2);
    const { eta } = await done<{ eta: number }>(owner, "dao", "queue", proposal);
    expect((await show(proposal)).eta).to.equal(eta);
    const early = await chain.as(owner, "dao", "execute", proposal);
    expect(early.exitCode).to.equal(2);
    expect(early.error().details).to.include({ error: "TimelockUnexpectedOperationState" });
    await chain.pass(TIMELOCK_DELAY);
    await done(operator, "dao", "execute", proposal);
    expect((await show(proposal)).state).to.equal("Executed");

    expect(await head(app)).to.equal(1);
    await chain.pass(NOTICE);
    expect(await head(app)).to.equal(2);
    const { proposals } = await done<{ proposals: Shown[] }>(owner, "dao", "list");
    expect(proposals[0]).to.include({ state: "Executed", title: "Say hello twice", binding: "bound" });
  });

  it("counts delegated votes only, needs a quorum, and queues nothing that was defeated", async () => {
    const app = await create();
    const wallet = createWalletClient({
      account: privateKeyToAccount(owner.key),
      transport: http(chain.anvil.url),
    });
    await wallet.writeContract({
      chain: null,
      address: chain.deployment.votes,
      abi: votesAbi,
      functionName: "transfer",
      args: [operator.address, 3n * 10n ** 22n],
    });
    const delegated = await done(operator, "dao", "delegate", operator.address);
    expect(delegated.power).to.equal(String(3n * 10n ** 22n));

    const few = await proposeRelease(app, "busybox:1.38");
    await vote(few.proposal, "for", operator);
    const { state, votes, quorum } = await show(few.proposal);
    expect({ state, inFavour: votes.for }).to.deep.equal({
      state: "Defeated",
      inFavour: String(3n * 10n ** 22n),
    });
    expect(BigInt(quorum ?? 0)).to.be.greaterThan(3n * 10n ** 22n);

    const against = await proposeRelease(app, "busybox:1.39");
    await vote(against.proposal, "against");
    for (const { proposal } of [few, against]) {
      const run = await chain.as(owner, "dao", "queue", proposal);
      expect(run.exitCode).to.equal(2);
      expect(run.error().details).to.include({ error: "GovernorUnexpectedProposalState" });
    }
    expect(await head(app)).to.equal(1);
  });

  it("leaves the guardian's veto after the vote", async () => {
    const app = await create("--guardian", guardian.address);
    const { proposal } = await proposeRelease(app, "busybox:1.40");
    await carryOut(proposal);
    await done(guardian, "release", "veto", app, "2");
    await chain.pass(NOTICE);
    expect(await head(app)).to.equal(1);
  });

  it("does not carry out an upgrade of another head than was voted about", async () => {
    const app = await create();
    const first = await proposeRelease(app, "busybox:1.45");
    const second = await proposeRelease(app, "busybox:1.46");
    await chain.pass(VOTING_DELAY + 1);
    for (const { proposal } of [first, second]) await done(owner, "dao", "vote", proposal, "for");
    await chain.pass(VOTING_PERIOD + 1);
    for (const { proposal } of [first, second]) await done(owner, "dao", "queue", proposal);
    await chain.pass(TIMELOCK_DELAY);
    await done(owner, "dao", "execute", first.proposal);
    await chain.pass(NOTICE);
    const late = await chain.as(owner, "dao", "execute", second.proposal);
    expect(late.exitCode).to.equal(2);
    expect(late.error().details).to.include({ error: "UnexpectedPredecessor", expected: 1, actual: 2 });
    expect(await head(app)).to.equal(2);
  });

  it("calls a description that names other calls a mismatch, and votes for none", async () => {
    const app = await create();
    const honest = await proposeRelease(app, "busybox:1.41");
    const evil = encodeFunctionData({
      abi: appAbi,
      functionName: "propose",
      args: [`0x${"66".repeat(32)}`, `0x${"00".repeat(32)}`, 1, 0],
    });
    const proposal = await proposeRaw(honest.target, evil, honest.description);
    const shown = await chain.as(owner, "dao", "show", proposal);
    expect(shown.exitCode).to.equal(2);
    expect(shown.error().code).to.equal("dao/description-mismatch");
    expect(shown.result<Shown>()).to.include({ binding: "mismatch", state: "Pending" });
    expect(shown.result<Shown>().calls[0]?.text).to.include("66".repeat(32));
    const text = await runCharter(["dao", "show", proposal], chain.environment(owner));
    expect(text.stdout).to.match(/^!!! THE DESCRIPTION NAMES OTHER CALLS/);
    await chain.pass(VOTING_DELAY + 1);
    const inFavour = await chain.as(owner, "dao", "vote", proposal, "for", "--reviewed");
    expect(inFavour.exitCode).to.equal(2);
    expect(inFavour.error().code).to.equal("dao/description-mismatch");
    await done(owner, "dao", "vote", proposal, "against");
  });

  it("compares what a description tells with what the bytes change", async () => {
    const app = await create();
    const { target, calldata, description } = await proposeRelease(app, "busybox:1.42");
    const proposal = await proposeRaw(target, calldata, description.replace("busybox:1.42", "busybox:1.36"));
    const shown = await chain.as(owner, "dao", "show", proposal);
    expect(shown.exitCode).to.equal(2);
    expect(shown.error().code).to.equal("dao/changes-differ");
    expect(shown.result<Shown>().binding).to.equal("bound");
    expect(shown.result<Shown>().reviews[0]?.changes).to.include("busybox:1.42");
    await chain.pass(VOTING_DELAY + 1);
    const refused = await chain.as(owner, "dao", "vote", proposal, "for");
    expect(refused.error().code).to.equal("dao/not-reviewed");
    await done(owner, "dao", "vote", proposal, "for", "--reviewed");
  });

  it("votes for no release whose bytes nobody can show, unless told that they were seen", async () => {
    const app = await create();
    const calldata = encodeFunctionData({
      abi: appAbi,
      functionName: "propose",
      args: [`0x${"77".repeat(32)}`, `0x${"00".repeat(32)}`, 1, 0],
    });
    const proposal = await proposeRaw(app, calldata, "# Trust me");
    const shown = await show(proposal);
    expect(shown).to.include({ binding: "silent", title: "Trust me" });
    expect(shown.reviews[0]?.error?.code).to.equal("ipfs/unknown");
    await chain.pass(VOTING_DELAY + 1);
    expect((await chain.as(owner, "dao", "vote", proposal, "for")).error().code).to.equal("dao/not-reviewed");
    await done(owner, "dao", "vote", proposal, "abstain");
  });

  it("makes any owner's action a proposal with --governor", async () => {
    const app = await create();
    const governed = ["--governor", "deployment"];
    const loosened = await done<Proposed>(
      owner,
      ...governed,
      "settings",
      "loosen",
      app,
      "TcbStatus:OutOfDate=1",
    );
    expect((await show(loosened.proposal)).calls[0]?.text).to.include("TcbStatus OutOfDate = 1");
    await carryOut(loosened.proposal);
    await chain.pass(NOTICE);
    const { entries } = await done<{ entries: { text: string }[] }>(owner, "settings", "list", app);
    expect(entries.map(({ text }) => text)).to.include("TcbStatus OutOfDate = 1");

    const renounced = await done<Proposed>(owner, ...governed, "renounce", app, "--to", "frozen", "--yes");
    expect(renounced.description).to.include("everything");
    await carryOut(renounced.proposal);
    expect(await done(owner, "control", app)).to.include({ level: "Frozen" });
  });

  it("refuses what the Timelock could not do, before anyone votes", async () => {
    const unique = `0x${(++salt).toString(16).padStart(64, "0")}`;
    const { app } = await done<{ app: Address }>(
      owner,
      ...["app", "create", ...compose("busybox:1.36"), "--salt", unique],
    );
    const run = await chain.as(owner, "dao", "propose-release", app, ...compose("busybox:1.43"));
    expect(run.exitCode).to.equal(2);
    expect(run.error().details).to.include({ error: "NotOwner" });
    expect(String(run.error().details.actual).toLowerCase()).to.equal(chain.deployment.timelock);
  });

  it("lets nobody else submit a proposal first, and its proposer alone cancel it", async () => {
    const app = await create();
    const { proposal, target, description } = await proposeRelease(app, "busybox:1.44");
    expect(description).to.match(new RegExp(`\n\n#proposer=${owner.address}$`));
    expect(target).to.equal(app);
    const stranger = await chain.as(operator, "dao", "cancel", proposal);
    expect(stranger.exitCode).to.equal(2);
    expect(stranger.error().details).to.include({ error: "GovernorUnableToCancel" });
    await done(owner, "dao", "cancel", proposal);
    expect((await show(proposal)).state).to.equal("Canceled");
    const copied = await createPublicClient({ transport: http(chain.anvil.url) })
      .simulateContract({
        account: operator.address,
        address: chain.deployment.governor,
        abi: governorAbi,
        functionName: "propose",
        args: [[target], [0n], ["0x00"], description],
      })
      .catch((error: unknown) => String(error));
    expect(copied).to.include("GovernorRestrictedProposer");
  });

  it("knows no proposal that was never made", async () => {
    const run = await chain.as(owner, "dao", "show", "7");
    expect(run.exitCode).to.equal(2);
    expect(run.error().code).to.equal("dao/unknown-proposal");
  });
});
