import { expect } from "chai";
import { getAddress, id, ZeroHash, type JsonRpcProvider, type Wallet } from "ethers";

import type { App, CharterGovernor, CharterTimelock, CharterVotes } from "../../../types/typechain/index.ts";
import type { Random } from "../../support/random.ts";
import type { Moment } from "./compareApp.ts";
import { GAS, mined, pass } from "./chain.ts";
import type { GraphReader } from "./GraphReader.ts";

const SUPPORTS = [0, 1, 2] as const;
const CANCELED = 2n;
const EXECUTED = 7n;

export interface Governance {
  readonly governor: CharterGovernor;
  readonly timelock: CharterTimelock;
  readonly votes: CharterVotes;
}

/** What a proposal does to an app of the Timelock's; other changes of its own delay. Named as the index names them. */
const CHANGES = ["ReleaseProposed", "SettingChanged", "MinDelayChange", "ReplicasChanged"];

/** One proposal that is voted on, queued and executed, and one that its proposer takes back. */
export async function govern(
  { governor, timelock, votes }: Governance,
  app: App,
  { voters, random, provider }: { voters: readonly Wallet[]; random: Random; provider: JsonRpcProvider },
): Promise<void> {
  const [holder, ...others] = voters;
  if (!holder) throw new Error("nobody holds votes");
  const supply = await votes.totalSupply();
  for (const other of others) {
    await mined(
      votes.connect(holder).transfer(other.address, (supply * BigInt(1 + random.below(20))) / 100n, GAS),
    );
  }
  for (const voter of voters) await mined(votes.connect(voter).delegate(voter.address, GAS));
  await pass(provider, 1);

  const selector = { teeKinds: 1, gpu: false, operators: [] };
  const notice = { kind: 1, key: ZeroHash, value: random.below(3) };
  const to = await app.getAddress();
  const data = app.interface;
  const calls = [
    [to, data.encodeFunctionData("propose", [id("the DAO's code"), ZeroHash, 1, 0])],
    [to, data.encodeFunctionData("loosen", [[notice]])],
    [
      await timelock.getAddress(),
      timelock.interface.encodeFunctionData("updateDelay", [6 + random.below(9)]),
    ],
    [to, data.encodeFunctionData("setReplicas", [3, selector])],
  ] as const;
  const targets = calls.map(([target]) => target);
  const calldatas = calls.map(([, calldata]) => calldata);
  const values = calls.map(() => 0);
  const description = `# The next release\n\nBuilt twice; both “equal” ${random.below(1000)}.`;
  const withdrawn = [targets.slice(1), values.slice(1), calldatas.slice(1)] as const;
  await mined(governor.connect(holder).propose(...withdrawn, "taken back", GAS));
  await mined(governor.connect(holder).cancel(...withdrawn, id("taken back"), GAS));

  await mined(governor.connect(holder).propose(targets, values, calldatas, description, GAS));
  const proposal = await governor.hashProposal(targets, values, calldatas, id(description));
  await pass(provider, Number(await governor.votingDelay()) + 1);
  await mined(governor.connect(holder).castVote(proposal, 1, GAS));
  for (const [index, other] of others.entries()) {
    const support = random.pick(SUPPORTS);
    const by = governor.connect(other);
    if (index % 2) await mined(by.castVoteWithReasonAndParams(proposal, support, "counted", "0x01ff", GAS));
    else await mined(by.castVoteWithReason(proposal, support, "weighed “it”", GAS));
  }
  await pass(provider, Number(await governor.votingPeriod()) + 1);
  await mined(governor.connect(holder).queue(targets, values, calldatas, id(description), GAS));
  await pass(provider, Number(await timelock.getMinDelay()) + 1);
  await mined(governor.connect(holder).execute(targets, values, calldatas, id(description), GAS));
}

interface IndexedProposal {
  readonly id: string;
  readonly proposer: string;
  readonly targets: string[];
  readonly values: string[];
  readonly calldatas: string[];
  readonly description: string;
  readonly apps: readonly { readonly id: string }[];
  readonly voteStart: string;
  readonly voteEnd: string;
  readonly forVotes: string;
  readonly againstVotes: string;
  readonly abstainVotes: string;
  readonly queuedEta: string | null;
  readonly executedAt: string | null;
  readonly cancelledAt: string | null;
  readonly votes: readonly { readonly voter: string; readonly support: number; readonly weight: string }[];
  readonly changes: readonly { readonly kind: string }[];
  readonly operation: {
    readonly id: string;
    readonly targets: string[];
    readonly calldatas: string[];
    readonly readyAt: string;
    readonly executedAt: string;
  } | null;
}

/** Holds every proposal, vote and operation to the contracts' answers after the same block. */
export async function compareGovernance(
  graph: GraphReader,
  governance: Governance,
  { app, voters }: { readonly app: App; readonly voters: readonly Wallet[] },
  moment: Moment,
): Promise<void> {
  const { proposals } = await graph.at<{ proposals: IndexedProposal[] }>(
    moment.block,
    `{ proposals(block: AT, orderBy: createdBlock) {
      id proposer targets values calldatas description apps { id } voteStart voteEnd
      forVotes againstVotes abstainVotes queuedEta executedAt cancelledAt
      votes { voter support weight } changes(orderBy: logIndex) { kind }
      operation { id targets calldatas readyAt executedAt }
    } }`,
  );
  expect(proposals.map(({ cancelledAt }) => cancelledAt !== null)).to.deep.equal([true, false]);
  for (const proposal of proposals) {
    await compareProposal(governance, proposal, moment);
    await compareVotes(governance, proposal, { voters, moment });
    expect(proposal.apps).to.deep.equal([{ id: (await app.getAddress()).toLowerCase() }]);
  }
  const [withdrawn, executed] = proposals;
  expect(withdrawn).to.deep.include({ operation: null, changes: [], votes: [] });
  expect(executed?.votes).to.have.length(voters.length);
  expect(executed?.changes.map(({ kind }) => kind)).to.deep.equal(CHANGES);
}

async function compareProposal(
  { governor, timelock }: Governance,
  proposal: IndexedProposal,
  { block: blockTag, time }: Moment,
): Promise<void> {
  const { targets, values, calldatas, description } = proposal;
  // The id is the hash of all that was proposed.
  expect(await governor.hashProposal(targets, values, calldatas, id(description), { blockTag })).to.equal(
    BigInt(proposal.id),
  );
  expect(await governor.proposalProposer(proposal.id, { blockTag })).to.equal(getAddress(proposal.proposer));
  expect(await governor.proposalSnapshot(proposal.id, { blockTag })).to.equal(BigInt(proposal.voteStart));
  expect(await governor.proposalDeadline(proposal.id, { blockTag })).to.equal(BigInt(proposal.voteEnd));
  expect(await governor.proposalEta(proposal.id, { blockTag })).to.equal(BigInt(proposal.queuedEta ?? 0));
  const state = await governor.state(proposal.id, { blockTag });
  expect([state === CANCELED, state === EXECUTED]).to.deep.equal([
    proposal.cancelledAt !== null,
    proposal.executedAt !== null,
  ]);
  const { operation } = proposal;
  if (!operation) return;
  expect(await timelock.isOperationDone(operation.id, { blockTag })).to.equal(operation.executedAt !== null);
  expect(operation).to.deep.include({ targets, calldatas, readyAt: proposal.queuedEta });
  expect(BigInt(operation.executedAt) <= time && operation.executedAt === proposal.executedAt).to.equal(true);
}

async function compareVotes(
  { governor, votes }: Governance,
  proposal: IndexedProposal,
  { voters, moment: { block: blockTag } }: { readonly voters: readonly Wallet[]; readonly moment: Moment },
): Promise<void> {
  const counted = await governor.proposalVotes(proposal.id, { blockTag });
  expect([proposal.againstVotes, proposal.forVotes, proposal.abstainVotes].map(BigInt)).to.deep.equal([
    ...counted,
  ]);
  const sums = SUPPORTS.map((support) =>
    proposal.votes
      .filter((vote) => vote.support === support)
      .reduce((sum, { weight }) => sum + BigInt(weight), 0n),
  );
  expect(sums).to.deep.equal([...counted]);
  for (const { address } of voters) {
    const vote = proposal.votes.find(({ voter }) => getAddress(voter) === address);
    expect(await governor.hasVoted(proposal.id, address, { blockTag })).to.equal(vote !== undefined);
    if (!vote) continue;
    expect(await votes.getPastVotes(address, proposal.voteStart, { blockTag })).to.equal(BigInt(vote.weight));
  }
}
