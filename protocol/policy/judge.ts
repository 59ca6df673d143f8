import type { AppState } from "../state/types.ts";
import { TcbStatus } from "../words/enums.ts";
import type { ProofSystem, TeeKind } from "../words/enums.ts";
import type { Bytes32, PlatformId } from "../words/hex.ts";
import { Reason } from "./reason.ts";
import { releaseAllowedAt } from "./releases.ts";
import { SettingKind } from "./settingKind.ts";
import { effectiveSetting, numberKey, ZERO_KEY } from "./settings.ts";

/** What an app's policy is asked about (contracts/interfaces/Types.sol `Facts`). */
export interface Facts {
  readonly release: number;
  readonly platformId: PlatformId;
  readonly osImageHash: Bytes32;
  readonly measurementDigest: Bytes32;
  readonly pinnedMeasurementDigest: Bytes32;
  readonly kind: TeeKind;
  readonly status: TcbStatus;
  readonly hasAdvisories: boolean;
  /** Bitmap: bit n says that ProofSystem n has been given. */
  readonly proofSystems: number;
  readonly simulated: boolean;
}

/** When and where a policy is asked: unix seconds, and the chain whose rules apply. */
export interface At {
  readonly time: number;
  readonly chainId: number;
}

/** Chain ids on which simulated evidence may count. */
export const DEVELOPMENT_CHAIN_IDS: readonly number[] = [1337, 31337];

const SYSTEMS: readonly ProofSystem[] = [1, 2, 3];

/** The twin of `App.judge`: the same checks in the same order over the same state. */
export function judge(app: AppState, facts: Facts, at: At): Reason {
  if (facts.simulated && !DEVELOPMENT_CHAIN_IDS.includes(at.chainId)) return Reason.SimulatedNotAllowed;
  if (!releaseAllowedAt(app, facts.release, at.time)) return Reason.ReleaseNotAllowed;
  if (!isOn(app, SettingKind.TeeKind, numberKey(facts.kind), at.time)) return Reason.TeeKindNotAllowed;
  const tcb = judgeTcb(app, facts.status, facts.hasAdvisories, at.time);
  if (tcb !== Reason.Allowed) return tcb;
  if (!isImageAllowed(app, facts, at.time)) return Reason.OsImageNotAllowed;
  if (!isNodeAllowed(app, facts.platformId, at.time)) return Reason.NodeNotAllowed;
  const required = requiredProofs(app, at.time);
  if (required === 0 || (facts.proofSystems & required) !== required) return Reason.ProofMissing;
  return Reason.Allowed;
}

/** Advisories may accompany UpToDate; with any other status they need a list, which is empty until there is one. */
export function judgeTcb(app: AppState, status: TcbStatus, hasAdvisories: boolean, time: number): Reason {
  if (!isOn(app, SettingKind.TcbStatus, numberKey(status), time)) return Reason.TcbStatusNotAllowed;
  if (hasAdvisories && status !== TcbStatus.UpToDate) return Reason.AdvisoryNotAllowed;
  return Reason.Allowed;
}

/** Any registered node where the app says so, else only the listed ones. */
export function isNodeAllowed(app: AppState, platformId: PlatformId, time: number): boolean {
  return (
    effectiveSetting(app, SettingKind.AnyNode, ZERO_KEY, time) === 1n ||
    isOn(app, SettingKind.Node, platformId, time)
  );
}

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
