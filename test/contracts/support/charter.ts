import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { id, Wallet } from "ethers";
import hre from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";

import type {
  AdvisorySets,
  AppRegistry,
  AttestationLedger,
  CommitteeVerifier,
  Endorsements,
  NodeRegistry,
} from "../../../types/typechain/index.ts";

export type Connection = NetworkConnection;

/** Charter's contracts on one chain, and the people of a test. Unit tests let an account stand where the Timelock does. */
export interface Charter {
  readonly connection: Connection;
  readonly chainId: bigint;
  readonly governance: HardhatEthersSigner;
  readonly owner: HardhatEthersSigner;
  readonly guardian: HardhatEthersSigner;
  readonly operator: HardhatEthersSigner;
  readonly stranger: HardhatEthersSigner;
  /** Ascending by address, as `proposeCommittee` wants them; two of three sign. */
  readonly members: readonly Wallet[];
  readonly advisorySets: AdvisorySets;
  readonly endorsements: Endorsements;
  readonly appRegistry: AppRegistry;
  readonly nodeRegistry: NodeRegistry;
  readonly committeeVerifier: CommitteeVerifier;
  readonly attestationLedger: AttestationLedger;
}

export const COMMITTEE_EXPIRES_AT = 4_000_000_000n;
/** On production chains keys last a year at most; within one of `openChain`'s first block. */
const KEYS_EXPIRE_AT = 1_798_000_000n;
export const COMMITTEE_NOTICE = 3_600n;
export const MAX_KEYS_PER_PLATFORM = 2n;

/** A wallet that is the same in every run, so that gas and signatures are. */
export const walletOf = (name: string): Wallet => new Wallet(id(`charter test wallet: ${name}`));

/** Ascending by address. */
export const ascending = (wallets: readonly Wallet[]): Wallet[] =>
  [...wallets].sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));

const TWO_OF_THREE = {
  members: ascending(["a", "b", "c"].map((name) => walletOf(`member ${name}`))),
  threshold: 2,
};

/** A new EDR chain (Osaka). Its first block's time is fixed, so that runs repeat. */
export async function openChain(chainId = 31_337): Promise<Connection> {
  return hre.network.create({
    network: "default",
    override: { chainId, initialDate: "2026-01-01T00:00:00Z" },
  });
}

/** Deploys the four contracts, owned by `governance`, with a committee of two in three unless told. */
export async function deployContracts(
  connection: Connection,
  committee: { readonly members: readonly Wallet[]; readonly threshold: number } = TWO_OF_THREE,
): Promise<Charter> {
  const { members, threshold } = committee;
  const { ethers } = connection;
  const [governance, owner, guardian, operator, stranger] = (await ethers.getSigners()) as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  const { chainId } = await ethers.provider.getNetwork();
  const advisorySets = await ethers.deployContract("AdvisorySets");
  const endorsements = await ethers.deployContract("Endorsements");
  const appRegistry = await ethers.deployContract("AppRegistry", [
    await advisorySets.getAddress(),
    await endorsements.getAddress(),
  ]);
  const committeeVerifier = await ethers.deployContract("CommitteeVerifier", [
    governance.address,
    members.map((member) => member.address),
    threshold,
    chainId === 31_337n ? COMMITTEE_EXPIRES_AT : KEYS_EXPIRE_AT,
    COMMITTEE_NOTICE,
  ]);
  const nodeRegistry = await ethers.deployContract("NodeRegistry", [
    governance.address,
    MAX_KEYS_PER_PLATFORM,
    [await committeeVerifier.getAddress()],
  ]);
  const attestationLedger = await ethers.deployContract("AttestationLedger", [
    governance.address,
    await appRegistry.getAddress(),
    await nodeRegistry.getAddress(),
    [await committeeVerifier.getAddress()],
  ]);
  return {
    connection,
    chainId,
    governance,
    owner,
    guardian,
    operator,
    stranger,
    members,
    advisorySets: advisorySets as unknown as AdvisorySets,
    endorsements: endorsements as unknown as Endorsements,
    appRegistry: appRegistry as unknown as AppRegistry,
    nodeRegistry: nodeRegistry as unknown as NodeRegistry,
    committeeVerifier: committeeVerifier as unknown as CommitteeVerifier,
    attestationLedger: attestationLedger as unknown as AttestationLedger,
  };
}
