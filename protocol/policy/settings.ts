import { keccak256, stringToBytes } from "viem";

import type { AppState } from "../state/types.ts";
import type { Address, Bytes32 } from "../words/hex.ts";
import { SettingKind } from "./settingKind.ts";

const writeNumber = (value: number): Bytes32 => `0x${value.toString(16).padStart(64, "0")}` as Bytes32;
const writeSetting = (kind: SettingKind, key: Bytes32): string => `${kind}:${key}`;

/** Kinds of TEE, statuses, proof systems and ZERO_KEY are asked for thirty times in each decision on a lease. */
const NUMBERS = Array.from({ length: 16 }, (_, value) => writeNumber(value));
const SETTINGS = new Map(
  NUMBERS.map((key) => [
    key,
    new Map(Object.values(SettingKind).map((kind) => [kind, writeSetting(kind, key)])),
  ]),
);

/** Key of `AppState.settings`: one entry per (kind, key). */
export const settingKey = (kind: SettingKind, key: Bytes32): string =>
  SETTINGS.get(key)?.get(kind) ?? writeSetting(kind, key);

/** A small number as the 32-byte key that settings use. */
export const numberKey = (value: number): Bytes32 => NUMBERS[value] ?? writeNumber(value);

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
