import { expect } from "chai";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { id, ZeroAddress } from "ethers";

import CharterModule, { charterModule } from "../../../scripts/ignition/Charter.ts";
import { ProofSystem } from "../../../protocol/words/enums.ts";
import type {
  AdvisorySets,
  AppRegistry,
  AttestationLedger,
  CharterGovernor,
  CharterTimelock,
  CharterVotes,
  CommitteeDisputes,
  CommitteeVerifier,
  Endorsements,
  NodeRegistry,
  RiscZeroAdapter,
  Sp1Adapter,
  ZkVerifier,
} from "../../../types/typechain/index.ts";
import { ascending, COMMITTEE_EXPIRES_AT, openChain, walletOf } from "../support/charter.ts";
import type { Charter, Connection } from "../support/charter.ts";
import {
  askCommittee,
  COMMITTEE,
  encodeProof,
  nodeVerdict,
  prove,
  signaturesOf,
} from "../support/verdicts.ts";

const TIMELOCK_DELAY = 3600;
const NOTICE = 3_600n;
const VOTING_DELAY = 60;
const VOTING_PERIOD = 600;
const FOR = 1;

describe("governance, as the deploy module wires it", () => {
  const members = ascending(["a", "b", "c"].map((name) => walletOf(`member ${name}`)));
  const fresh = ascending(["x", "y", "z"].map((name) => walletOf(`fresh member ${name}`)));
  let connection: Connection;
  let deployer: HardhatEthersSigner;
  let holder: HardhatEthersSigner;

  before(async () => {
    connection = await openChain();
  });
  after(async () => connection.close());

  const parametersFor = ({ address }: HardhatEthersSigner) => ({
    votesHolder: address,
    timelockDelaySeconds: TIMELOCK_DELAY,
    votingDelaySeconds: VOTING_DELAY,
    votingPeriodSeconds: VOTING_PERIOD,
    committeeMembers: members.map((member) => member.address),
    committeeThreshold: 2,
    committeeExpiresAt: COMMITTEE_EXPIRES_AT,
    committeeNoticeSeconds: NOTICE,
  });

  async function deployed() {
    [deployer, holder] = (await connection.ethers.getSigners()) as [HardhatEthersSigner, HardhatEthersSigner];
    const contracts = await connection.ignition.deploy(CharterModule, {
      parameters: { Charter: parametersFor(holder) },
    });
    const typed = contracts as unknown as {
      votes: CharterVotes;
      timelock: CharterTimelock;
      governor: CharterGovernor;
      advisorySets: AdvisorySets;
      endorsements: Endorsements;
      appRegistry: AppRegistry;
      nodeRegistry: NodeRegistry;
      committeeVerifier: CommitteeVerifier;
      committeeDisputes: CommitteeDisputes;
      attestationLedger: AttestationLedger;
    };
    const [, , owner, operator, stranger] = await connection.ethers.getSigners();
    const charter = {
      ...typed,
      connection,
      chainId: 31_337n,
      governance: holder,
      guardian: holder,
      owner,
      operator,
      stranger,
      members,
    } as Charter & typeof typed;
    return { ...typed, charter, time: connection.networkHelpers.time };
  }
  const scene = async () => connection.networkHelpers.loadFixture(deployed);

  const proposalOfFreshCommittee = async (verifier: CommitteeVerifier) => {
    const addresses = fresh.map((member) => member.address);
    const call = verifier.interface.encodeFunctionData("proposeCommittee", [
      addresses,
      2,
      COMMITTEE_EXPIRES_AT,
      ZeroAddress,
      ZeroAddress,
    ]);
    return { targets: [await verifier.getAddress()], values: [0n], calldatas: [call], addresses };
  };

  it("deploy_owners_areTheTimelockAndNobodyElse", async () => {
    const { timelock, governor, committeeVerifier, nodeRegistry, attestationLedger } = await scene();
    for (const contract of [committeeVerifier, nodeRegistry, attestationLedger]) {
      expect(await contract.owner()).to.equal(await timelock.getAddress());
      expect(await contract.pendingOwner()).to.equal(ZeroAddress);
    }
    const [admin, proposer, canceller, executor] = await Promise.all([
      timelock.DEFAULT_ADMIN_ROLE(),
      timelock.PROPOSER_ROLE(),
      timelock.CANCELLER_ROLE(),
      timelock.EXECUTOR_ROLE(),
    ]);
    for (const role of [proposer, canceller, executor]) {
      expect(await timelock.hasRole(role, await governor.getAddress())).to.equal(true);
      // Open roles are granted to the zero address: nothing is open.
      for (const nobody of [deployer.address, holder.address, ZeroAddress]) {
        expect(await timelock.hasRole(role, nobody)).to.equal(false);
      }
    }
    expect(await timelock.hasRole(admin, await timelock.getAddress())).to.equal(true);
    for (const nobody of [deployer.address, holder.address, await governor.getAddress(), ZeroAddress]) {
      expect(await timelock.hasRole(admin, nobody)).to.equal(false);
    }
    expect(await timelock.getMinDelay()).to.equal(TIMELOCK_DELAY);
    await expect(timelock.connect(deployer).updateDelay(0)).to.be.revertedWithCustomError(
      timelock,
      "TimelockUnauthorizedCaller",
    );
  });

  it("deploy_disputes_areNamedToTheCommitteeByTheTimelocksFirstOperation", async () => {
    const { timelock, committeeVerifier, committeeDisputes, attestationLedger } = await scene();
    const disputes = await committeeDisputes.getAddress();
    expect(await committeeVerifier.disputes()).to.equal(disputes);
    expect(await committeeDisputes.committeeVerifier()).to.equal(await committeeVerifier.getAddress());
    expect(await committeeDisputes.attestationLedger()).to.equal(await attestationLedger.getAddress());
    const changes = await committeeVerifier.queryFilter(committeeVerifier.filters.DisputesChanged());
    expect(changes.map(({ args }) => [...args])).to.deep.equal([
      [ZeroAddress, disputes, await timelock.getAddress()],
    ]);
  });

  it("deploy_gatewaysNamed_wiresZkVerifierAndTheirAdapters", async () => {
    await scene();
    const gateway = async () => (await connection.ethers.deployContract("GatewayDouble")).getAddress();
    const [sp1, riscZero] = [await gateway(), await gateway()];
    const parameters = { ...parametersFor(holder), sp1Gateway: sp1, riscZeroRouter: riscZero };
    const deploy = (module: ReturnType<typeof charterModule>) =>
      connection.ignition.deploy(module, { parameters: { Charter: parameters } });
    const one = await deploy(charterModule({ sp1: true, riscZero: false }));
    expect(one).not.to.have.property("riscZeroAdapter");
    const { zkVerifier, sp1Adapter, riscZeroAdapter, nodeRegistry, attestationLedger, timelock } =
      (await deploy(charterModule({ sp1: true, riscZero: true }))) as unknown as {
        zkVerifier: ZkVerifier;
        sp1Adapter: Sp1Adapter;
        riscZeroAdapter: RiscZeroAdapter;
        nodeRegistry: NodeRegistry;
        attestationLedger: AttestationLedger;
        timelock: CharterTimelock;
      };
    for (const consumer of [nodeRegistry, attestationLedger]) {
      expect(await consumer.verifierOf(ProofSystem.Zk)).to.equal(await zkVerifier.getAddress());
    }
    expect(await zkVerifier.owner()).to.equal(await timelock.getAddress());
    expect(await zkVerifier.noticeSeconds()).to.equal(2 * 86_400);
    expect(await sp1Adapter.gateway()).to.equal(sp1);
    expect(await riscZeroAdapter.router()).to.equal(riscZero);
  });

  it("deploy_verifiersAndVotes_areWired", async () => {
    const { votes, governor, committeeVerifier, nodeRegistry, attestationLedger } = await scene();
    const verifier = await committeeVerifier.getAddress();
    for (const consumer of [nodeRegistry, attestationLedger]) {
      expect(await consumer.verifierOf(ProofSystem.Zk)).to.equal(ZeroAddress);
    }
    expect(await nodeRegistry.verifierOf(COMMITTEE)).to.equal(verifier);
    expect(await attestationLedger.verifierOf(COMMITTEE)).to.equal(verifier);
    expect(await votes.balanceOf(holder.address)).to.equal(await votes.totalSupply());
    expect(await governor.token()).to.equal(await votes.getAddress());
    expect(await governor.votingDelay()).to.equal(VOTING_DELAY);
    expect(await governor.votingPeriod()).to.equal(VOTING_PERIOD);
    expect(await governor.CLOCK_MODE()).to.equal("mode=timestamp");
    expect(await votes.clock()).to.equal(await connection.networkHelpers.time.latest());
  });

  it("proposeCommittee_votedQueuedAndExecuted_countsAfterItsNotice", async () => {
    const { votes, governor, committeeVerifier, charter, time } = await scene();
    const { targets, values, calldatas, addresses } = await proposalOfFreshCommittee(committeeVerifier);
    const description = "Replace the committee";
    const verdict = await nodeVerdict(charter, walletOf("node"));
    const oldProof = await prove(charter, verdict);
    const newProof = encodeProof(verdict, await signaturesOf(charter, verdict, fresh));

    await votes.connect(holder).delegate(holder.address);
    await governor.connect(holder).propose(targets, values, calldatas, description);
    const proposalId = await governor.hashProposal(targets, values, calldatas, id(description));
    expect(await governor.state(proposalId)).to.equal(0); // Pending
    await time.increaseTo((await governor.proposalSnapshot(proposalId)) + 1n);
    await governor.connect(holder).castVote(proposalId, FOR);
    await time.increaseTo((await governor.proposalDeadline(proposalId)) + 1n);
    expect(await governor.state(proposalId)).to.equal(4); // Succeeded
    await governor.queue(targets, values, calldatas, id(description));
    // The Timelock's delay runs: nothing can be executed, and the old committee counts.
    await expect(governor.execute(targets, values, calldatas, id(description))).to.be.revert(
      connection.ethers,
    );
    await askCommittee({ ...charter, committeeVerifier }, verdict, oldProof);

    await time.increaseTo(await governor.proposalEta(proposalId));
    await expect(governor.execute(targets, values, calldatas, id(description))).to.emit(
      committeeVerifier,
      "CommitteeChanged",
    );
    const { effectiveAt } = await committeeVerifier.nextCommittee();
    expect(effectiveAt).to.equal(BigInt(await time.latest()) + NOTICE);
    await askCommittee(charter, verdict, oldProof);
    await time.increaseTo(effectiveAt);
    expect((await committeeVerifier.committee()).members).to.deep.equal(addresses);
    await askCommittee({ ...charter, committeeVerifier }, verdict, newProof);
    await expect(
      askCommittee({ ...charter, committeeVerifier }, verdict, oldProof),
    ).to.be.revertedWithCustomError(committeeVerifier, "NotAMember");
  });

  it("proposeCommittee_votedDown_cannotBeQueued", async () => {
    const { votes, governor, committeeVerifier, time } = await scene();
    const { targets, values, calldatas } = await proposalOfFreshCommittee(committeeVerifier);
    await votes.connect(holder).delegate(holder.address);
    await governor.connect(holder).propose(targets, values, calldatas, "no");
    const proposalId = await governor.hashProposal(targets, values, calldatas, id("no"));
    await time.increaseTo((await governor.proposalSnapshot(proposalId)) + 1n);
    await governor.connect(holder).castVote(proposalId, 0);
    await time.increaseTo((await governor.proposalDeadline(proposalId)) + 1n);
    await expect(governor.queue(targets, values, calldatas, id("no"))).to.be.revertedWithCustomError(
      governor,
      "GovernorUnexpectedProposalState",
    );
  });

  it("proposeCommittee_withoutQuorum_cannotBeQueued", async () => {
    const { governor, committeeVerifier, time } = await scene();
    const { targets, values, calldatas } = await proposalOfFreshCommittee(committeeVerifier);
    // Nobody delegated, so nobody has a vote.
    await governor.connect(holder).propose(targets, values, calldatas, "alone");
    const proposalId = await governor.hashProposal(targets, values, calldatas, id("alone"));
    await time.increaseTo((await governor.proposalSnapshot(proposalId)) + 1n);
    await governor.connect(holder).castVote(proposalId, FOR);
    await time.increaseTo((await governor.proposalDeadline(proposalId)) + 1n);
    expect(await governor.state(proposalId)).to.equal(3); // Defeated
  });

  it("schedule_pastTheGovernor_reverts", async () => {
    const { timelock, committeeVerifier } = await scene();
    const { targets, values, calldatas } = await proposalOfFreshCommittee(committeeVerifier);
    for (const caller of [deployer, holder]) {
      await expect(
        timelock
          .connect(caller)
          .scheduleBatch(targets, values, calldatas, id("none"), id("salt"), TIMELOCK_DELAY),
      ).to.be.revertedWithCustomError(timelock, "AccessControlUnauthorizedAccount");
      await expect(
        committeeVerifier
          .connect(caller)
          .proposeCommittee([caller.address], 1, COMMITTEE_EXPIRES_AT, ZeroAddress, ZeroAddress),
      )
        .to.be.revertedWithCustomError(committeeVerifier, "OwnableUnauthorizedAccount")
        .withArgs(caller.address);
    }
  });

  it("transfer_afterDelegation_movesVotes", async () => {
    const { votes } = await scene();
    const supply = await votes.totalSupply();
    await votes.connect(holder).delegate(holder.address);
    await votes.connect(holder).transfer(deployer.address, supply / 4n);
    await votes.connect(deployer).delegate(deployer.address);
    expect(await votes.getVotes(holder.address)).to.equal(supply - supply / 4n);
    expect(await votes.getVotes(deployer.address)).to.equal(supply / 4n);
    expect(await votes.nonces(holder.address)).to.equal(0);
  });
});
