import { keccak256, stringToBytes } from "viem";

import type { AppState } from "../state/types.ts";
import type { Address, Bytes32 } from "../words/hex.ts";
import type { SettingKind } from "./settingKind.ts";

/** Key of `AppState.settings`: one entry per (kind, key). */
export const settingKey = (kind: SettingKind, key: Bytes32): string => `${kind}:${key}`;

/** A small number as the 32-byte key that settings use. */
export const numberKey = (value: number): Bytes32 => `0x${value.toString(16).padStart(64, "0")}` as Bytes32;

/** Key of settings that have one entry only (notice, grace, any node…). */
export const ZERO_KEY = numberKey(0);

/** Key of an advisory's entry: keccak256 of its id, e.g. of "INTEL-SA-00614". */
export const advisoryKey = (id: string): Bytes32 => keccak256(stringToBytes(id)) as Bytes32;

/** Value in force at `time` (unix seconds): a matured loosening counts without a transaction. Unset is 0. */
export function effectiveSetting(app: AppState, kind: SettingKind, key: Bytes32, time: number): bigint {
  const entry = app.settings.get(settingKey(kind, key));
  if (!entry) return 0n;
  return entry.pending && entry.pending.effectiveAt <= time ? entry.pending.value : entry.value;
}

/** The guardian in force at `time`, null for none. */
export function effectiveGuardian(app: AppState, time: number): Address | null {
  const pending = app.pendingGuardian;
  return pending && pending.effectiveAt <= time ? pending.guardian : app.guardian;
}
