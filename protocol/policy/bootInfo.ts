import type { AppState, Library } from "../state/types.ts";
import { TcbStatus } from "../words/enums.ts";
import type { Address, Bytes32, ComposeHash, PlatformId } from "../words/hex.ts";
import { isNodeAllowed, judgeTcb } from "./judge.ts";
import { Reason } from "./reason.ts";
import { allowedHashAt } from "./releases.ts";
import { SettingKind } from "./settingKind.ts";
import { advisoryKey, effectiveSetting, ZERO_KEY } from "./settings.ts";

/** dstack's boot info (0.5.x and 0.6.0), parsed. */
export interface BootInfo {
  readonly appId: Address;
  readonly composeHash: ComposeHash;
  readonly instanceId: Address;
  readonly deviceId: PlatformId;
  readonly mrAggregated: Bytes32;
  readonly mrSystem: Bytes32;
  readonly osImageHash: Bytes32;
  readonly tcbStatus: string;
  readonly advisoryIds: readonly string[];
}

/** Reason → what dstack's callers read. Strings that dstack has are byte-exact (contracts/apps/BootReasons.sol). */
export const BOOT_REASONS: Readonly<Record<Reason, string>> = {
  [Reason.Undecided]: "Not allowed",
  [Reason.Allowed]: "",
  [Reason.AppNotRegistered]: "App not registered",
  [Reason.BootInfoNotAccepted]: "Boot info not accepted by this app",
  [Reason.WrongApp]: "App not deployed or invalid address",
  [Reason.ReleaseNotAllowed]: "Compose hash not allowed",
  [Reason.TeeKindNotAllowed]: "Not allowed",
  [Reason.TcbStatusNotAllowed]: "TCB status is not up to date",
  [Reason.AdvisoryNotAllowed]: "TCB advisory not allowed",
  [Reason.OsImageNotAllowed]: "OS image is not allowed",
  [Reason.NodeNotAllowed]: "Device not allowed",
  [Reason.EvidenceTooOld]: "Not allowed",
  [Reason.ProofMissing]: "Not allowed",
  [Reason.SimulatedNotAllowed]: "Not allowed",
  [Reason.GpuMissing]: "Not allowed",
};

/** The twin of `App.isAppAllowed`; `app` is undefined when the registry does not know it. */
export function judgeBootInfo(
  app: AppState | undefined,
  bootInfo: BootInfo,
  time: number,
  library: Library,
): { reason: Reason; text: string } {
  const reason = app ? judgeKnownApp(app, bootInfo, time, library) : Reason.AppNotRegistered;
  return { reason, text: BOOT_REASONS[reason] };
}

function judgeKnownApp(app: AppState, bootInfo: BootInfo, time: number, library: Library): Reason {
  if (effectiveSetting(app, SettingKind.AcceptBootInfo, ZERO_KEY, time) !== 1n)
    return Reason.BootInfoNotAccepted;
  if (bootInfo.appId !== app.address) return Reason.WrongApp;
  if (!allowedHashAt(app, bootInfo.composeHash, time)) return Reason.ReleaseNotAllowed;
  const advisories = bootInfo.advisoryIds.length === 0 ? null : bootInfo.advisoryIds.map(advisoryKey);
  const tcb = judgeTcb(app, statusOf(bootInfo.tcbStatus), advisories, time);
  if (tcb !== Reason.Allowed) return tcb;
  if (effectiveSetting(app, SettingKind.OsImage, bootInfo.osImageHash, time) === 0n)
    return Reason.OsImageNotAllowed;
  // Boot info names no operator: an endorsement of operators alone lets no machine in here.
  const node = { platformId: bootInfo.deviceId, operator: null };
  return isNodeAllowed(app, node, time, library) ? Reason.Allowed : Reason.NodeNotAllowed;
}

/** `Unknown`, which every policy denies, for any string that Intel does not use. */
export function statusOf(text: string): TcbStatus {
  if (text === "Unknown" || !Object.hasOwn(TcbStatus, text)) return TcbStatus.Unknown;
  return TcbStatus[text as keyof typeof TcbStatus];
}
