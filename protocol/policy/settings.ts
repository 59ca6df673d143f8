import type { Bytes32 } from "../words/hex.ts";
import type { SettingKind } from "./settingKind.ts";

/** Key of `AppState.settings`: one entry per (kind, key). */
export const settingKey = (kind: SettingKind, key: Bytes32): string => `${kind}:${key}`;
