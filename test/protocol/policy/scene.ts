import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import type { AppState } from "../../../protocol/state/types.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { APP, History, word } from "../state/builders.ts";

/** When the app of a scene is created, and its release 1 becomes active. */
export const CREATED = 1_000;

export interface Setting {
  readonly kind: SettingKind;
  readonly key: Bytes32;
  readonly value: bigint;
}

export const setting = (kind: SettingKind, key: number | Bytes32 = 0, value = 1n): Setting => ({
  kind,
  key: typeof key === "number" ? word(key) : key,
  value,
});

/** What lets `judge` and boot info pass: TDX, UpToDate, any node, image 6 with digest 7, committee proofs, boot info. */
export const OPEN: readonly Setting[] = [
  setting(SettingKind.TeeKind, 1),
  setting(SettingKind.TcbStatus, 1),
  setting(SettingKind.AnyNode),
  setting(SettingKind.OsImage, 6, 7n),
  setting(SettingKind.ProofSystem, 2),
  setting(SettingKind.AcceptBootInfo),
];

/** An app with release 1 (hash 0x1001) that has exactly these settings beside notice and grace. */
export function appWith(settings: readonly Setting[], history = new History()): AppState {
  history.create(CREATED, { settings: [...settings] });
  return history.state.apps.get(APP) as AppState;
}

/** The open policy without the settings of some kinds, and with others. */
export const without = (...kinds: readonly SettingKind[]): Setting[] =>
  OPEN.filter(({ kind }) => !kinds.includes(kind));
