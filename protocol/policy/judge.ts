import type { AppState, Library } from "../state/types.ts";
import { TcbStatus } from "../words/enums.ts";
import type { ProofSystem, TeeKind } from "../words/enums.ts";
import type { Address, Bytes32, PlatformId } from "../words/hex.ts";
import { endorses, type EndorsedNode } from "./endorsements.ts";
import { Reason } from "./reason.ts";
import { releaseAllowedAt } from "./releases.ts";
import { SettingKind } from "./settingKind.ts";
import { effectiveSetting, numberKey, ZERO_KEY } from "./settings.ts";

/** What an app's policy is asked about (contracts/interfaces/Types.sol `Facts`). */
export interface Facts {
  readonly release: number;
  readonly platformId: PlatformId;
  /** The node's; null where it is not known. */
  readonly operator: Address | null;
  readonly osImageHash: Bytes32;
  readonly measurementDigest: Bytes32;
  readonly pinnedMeasurementDigest: Bytes32;
  readonly kind: TeeKind;
  readonly status: TcbStatus;
  /** keccak256 of the sorted advisory ids joined by ",", zero when there are none. */
  readonly advisoriesDigest: Bytes32;
  /** GPU evidence is bound. */
  readonly gpu: boolean;
  /** Bitmap: bit n says that ProofSystem n has been given. */
  readonly proofSystems: number;
  readonly simulated: boolean;
}

/** When and where a policy is asked: unix seconds, the chain whose rules apply, and what policies there refer to. */
export interface At {
  readonly time: number;
  readonly chainId: number;
  readonly library: Library;
}

/** Chain ids on which simulated evidence may count. */
export const DEVELOPMENT_CHAIN_IDS: readonly number[] = [1337, 31337];

const SYSTEMS: readonly ProofSystem[] = [1, 2, 3];

/** The twin of `App.judge`: the same checks in the same order over the same state. */
export function judge(app: AppState, facts: Facts, { time, chainId, library }: At): Reason {
  if (facts.simulated && !DEVELOPMENT_CHAIN_IDS.includes(chainId)) return Reason.SimulatedNotAllowed;
  if (!releaseAllowedAt(app, facts.release, time)) return Reason.ReleaseNotAllowed;
  if (!isOn(app, SettingKind.TeeKind, numberKey(facts.kind), time)) return Reason.TeeKindNotAllowed;
  const advisories =
    facts.advisoriesDigest === ZERO_KEY ? null : (library.advisorySets.get(facts.advisoriesDigest) ?? []);
  const tcb = judgeTcb(app, facts.status, advisories, time);
  if (tcb !== Reason.Allowed) return tcb;
  if (!isImageAllowed(app, facts, time)) return Reason.OsImageNotAllowed;
  if (!isNodeAllowed(app, facts, time, library)) return Reason.NodeNotAllowed;
  if (!facts.gpu && isGpuRequired(app, time)) return Reason.GpuMissing;
  const required = requiredProofs(app, time);
  if (required === 0 || (facts.proofSystems & required) !== required) return Reason.ProofMissing;
  return Reason.Allowed;
}

/**
 * Status, and the advisories that came with it: they may accompany UpToDate; with any other status each must be accepted.
 * @param advisories keys of their entries (`advisoryKey`); null for none; empty when nobody published what they are.
 */
export function judgeTcb(
  app: AppState,
  status: TcbStatus,
  advisories: readonly Bytes32[] | null,
  time: number,
): Reason {
  if (!isStatusAllowed(app, status, time)) return Reason.TcbStatusNotAllowed;
  if (advisories === null || status === TcbStatus.UpToDate) return Reason.Allowed;
  const accepted = (key: Bytes32) => BigInt(time) < effectiveSetting(app, SettingKind.Advisory, key, time);
  return advisories.length !== 0 && advisories.every(accepted) ? Reason.Allowed : Reason.AdvisoryNotAllowed;
}

/** A status that is accepted without end, or until a time that has not come. */
export function isStatusAllowed(app: AppState, status: TcbStatus, time: number): boolean {
  const key = numberKey(status);
  if (isOn(app, SettingKind.TcbStatus, key, time)) return true;
  return key !== ZERO_KEY && BigInt(time) < effectiveSetting(app, SettingKind.TcbStatusUntil, key, time);
}

/** Any registered node where the app says so, else the listed ones and those that its endorsement endorses. */
export function isNodeAllowed(app: AppState, node: EndorsedNode, time: number, library: Library): boolean {
  if (effectiveSetting(app, SettingKind.AnyNode, ZERO_KEY, time) === 1n) return true;
  if (isOn(app, SettingKind.Node, node.platformId, time)) return true;
  const endorsement = effectiveSetting(app, SettingKind.Endorsement, ZERO_KEY, time);
  return endorsement !== 0n && endorses(library, bytes32Of(endorsement), node);
}

/** Must evidence bind a GPU's? */
export const isGpuRequired = (app: AppState, time: number): boolean =>
  effectiveSetting(app, SettingKind.GpuRequired, ZERO_KEY, time) === 1n;

const bytes32Of = (value: bigint): Bytes32 => `0x${value.toString(16).padStart(64, "0")}` as Bytes32;

/** Bitmap of the proof systems that the app requires at `time`. */
export function requiredProofs(app: AppState, time: number): number {
  return SYSTEMS.filter((system) =>
    isOn(app, SettingKind.ProofSystem, numberKey(system), time),
  ).reduce<number>((bits, system) => bits | (1 << system), 0);
}

function isImageAllowed(app: AppState, facts: Facts, time: number): boolean {
  const digest = effectiveSetting(app, SettingKind.OsImage, facts.osImageHash, time);
  if (digest === 0n) return false;
  return digest === BigInt(facts.measurementDigest) || digest === BigInt(facts.pinnedMeasurementDigest);
}

function isOn(app: AppState, kind: SettingKind, key: Bytes32, time: number): boolean {
  return key !== ZERO_KEY && effectiveSetting(app, kind, key, time) === 1n;
}
