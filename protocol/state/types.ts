import type { Address, Bytes32, ComposeHash, Hex, NoteDigest, PlatformId } from "../words/hex.ts";
import type { EndorsementOp } from "../policy/endorsements.ts";
import type { Level, TcbStatus, TeeKind } from "../words/enums.ts";

/** "No end" and "never": type(uint40).max seconds. */
export const NEVER = 2 ** 40 - 1;

/** One entry of an app's history. Times are unix seconds; a status follows from them and is never stored. */
export interface Release {
  readonly number: number;
  readonly composeHash: ComposeHash;
  readonly noteDigest: NoteDigest;
  readonly activatesAt: number;
  /** First second in which it is not allowed any more; `NEVER` while it has no end. */
  endsAt: number;
  /** Grace that it gives its predecessor. */
  readonly graceSeconds: number;
  /** Head that it was proposed over, 0 for none. */
  readonly predecessor: number;
  /** The release that it would replace as things stand: its predecessor, until that one is revoked. */
  follows: number;
  /** Matching reports of rebuilders that it needs, and has; null when it needs none. */
  rebuilds: { readonly required: number; readonly matching: number } | null;
  /** Came to its time without them, as an event after that time found. See `releasesAt`. */
  lapsed: boolean;
  readonly proposedBy: Address;
  vetoed: boolean;
  revoked: boolean;
}

/** A policy entry: its settled value and the loosening that waits, if any. */
export interface SettingEntry {
  value: bigint;
  pending?: { value: bigint; effectiveAt: number };
}

/** Placement wishes of an owner; empty means no further restriction. */
export interface NodeSelector {
  teeKinds: number;
  gpu: boolean;
  operators: readonly Address[];
}

/** All that events say of one app. */
export interface AppState {
  readonly address: Address;
  readonly registry: Address;
  owner: Address;
  pendingOwner: Address | null;
  guardian: Address | null;
  pendingGuardian: { guardian: Address | null; effectiveAt: number } | null;
  level: Level;
  noticeFloorSeconds: number;
  /** Key: `settingKey(kind, key)`. */
  readonly settings: Map<string, SettingEntry>;
  /** Index = number - 1. */
  readonly releases: Release[];
  replicas: number;
  selector: NodeSelector;
  /**
   * Hash of the block of the last ReplicasChanged, or of creation: seeds placement, so that it cannot be chosen in
   * advance and does not move with every block.
   */
  placementSeed: Bytes32;
  /** Nodes that had been registered by then: later ones fill gaps, and displace nobody. */
  placementNodes: number;
}

/** All that events say of one node. */
export interface NodeState {
  readonly number: number;
  readonly operator: Address;
  readonly platformId: PlatformId;
  readonly key: Address;
  readonly kind: TeeKind;
  status: TcbStatus;
  readonly simulated: boolean;
  retired: boolean;
  /** Collateral refused its platform; until it is renewed. */
  invalidated: boolean;
  evidenceBlock: bigint;
  attestedAt: number;
  expiresAt: number;
  /** Of the Direct verifier; 0: proven by another system. */
  record: number;
}

/** What instances were measured as (contracts/interfaces/IAttestationLedger.sol, `Image`). */
export interface ImageFacts {
  /** Zero when there are none. */
  readonly advisoriesDigest: Bytes32;
  readonly osImageHash: Bytes32;
  readonly measurementDigest: Bytes32;
  readonly pinnedMeasurementDigest: Bytes32;
}

/** All that events say of one proven instance. */
export interface InstanceState extends ImageFacts {
  readonly app: Address;
  readonly key: Address;
  node: number;
  release: number;
  kind: TeeKind;
  status: TcbStatus;
  proofSystems: number;
  simulated: boolean;
  gpu: boolean;
  evidenceDigest: Bytes32;
  evidenceBlock: bigint;
  expiresAt: number;
  /** Of the Direct verifier; 0: no direct proof. */
  record: number;
}

/** What apps' policies refer to: published sets of advisories, and endorsements. */
export interface Library {
  /** Advisories digest → keccak256 of each id. */
  readonly advisorySets: Map<Bytes32, readonly Bytes32[]>;
  readonly expressions: Map<Bytes32, { readonly op: EndorsementOp; readonly terms: readonly Bytes32[] }>;
  /** Members by list: platform ids, or operators padded to 32 bytes. */
  readonly lists: Map<Bytes32, Set<Bytes32>>;
}

/** Who signs, from when to when (ICommitteeVerifier `Committee`); times in unix seconds. */
export interface CommitteeState {
  /** Ascending. Keys that sign, or, with a ledger, operators for whom live instances of `app` sign. */
  readonly members: readonly Address[];
  readonly threshold: number;
  readonly effectiveAt: number;
  readonly expiresAt: number;
  /** Zero while members are keys. */
  readonly ledger: Address;
  readonly app: Address;
}

/** A platform that the direct verifier knows (contracts/interfaces/IDcapVerifier.sol). */
export interface PlatformRecord {
  readonly number: number;
  readonly platformId: PlatformId;
  /** 309 bytes (protocol/evidence/dcap/onchain/facts.ts); what a repeat proof must bring again. */
  readonly facts: Hex;
}

/** The newest of one piece of Intel's collateral on chain; times in unix seconds. */
export interface KeptCollateral {
  /** What tells other content from other dates: a document's evaluation number, how many serials a CRL lists, a certificate's serial. */
  readonly content: bigint;
  /** 0 for a certificate. */
  readonly issuedAt: number;
  /** Of a certificate: its end. */
  readonly nextUpdate: number;
}

/** The whole projection: what replaying every event up to a block gives. */
export interface ChainState {
  readonly apps: Map<Address, AppState>;
  readonly nodes: Map<number, NodeState>;
  /** Key: `${app}:${key}`. */
  readonly instances: Map<string, InstanceState>;
  /** Images by the ledger's number. */
  readonly images: Map<number, ImageFacts>;
  readonly library: Library;
  /** By number; append-only on chain, too. */
  readonly records: Map<number, PlatformRecord>;
  /** Key: `keptKey`. */
  readonly collateral: Map<string, KeptCollateral>;
  /** In force, unless `nextCommittee`'s time has come: ask `committeeAt`. */
  committee: CommitteeState;
  nextCommittee: CommitteeState | null;
  /** Signers and operators that a dispute marked: they count no more. */
  readonly marked: Set<Address>;
}

/** Block identity; `timestamp` in unix seconds. */
export interface BlockRef {
  readonly number: bigint;
  readonly hash: Bytes32;
  readonly parentHash: Bytes32;
  readonly timestamp: number;
}

/** An event of one of Charter's contracts, decoded by its typed ABI. */
export interface ChainEvent {
  readonly contract:
    | "appRegistry"
    | "app"
    | "nodeRegistry"
    | "attestationLedger"
    | "committeeVerifier"
    | "advisorySets"
    | "endorsements"
    | "dcapCollateral"
    | "dcapVerifier";
  readonly address: Address;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly blockNumber: bigint;
  readonly blockHash: Bytes32;
  readonly blockTimestamp: number;
  readonly transactionHash: Hex;
  readonly logIndex: number;
}
