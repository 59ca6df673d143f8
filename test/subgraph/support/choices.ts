import { id, MaxUint256, toBeHex, zeroPadValue, ZeroHash } from "ethers";

import { SettingKind } from "../../../protocol/policy/settingKind.ts";

export const word = (value: bigint | number | string): string => zeroPadValue(toBeHex(value), 32);
const words = (...values: readonly number[]): string[] => values.map(word);

export interface Choices {
  readonly kind: number;
  readonly keys: readonly string[];
  readonly values: readonly bigint[];
}

/** Keys and values that a random history picks from: few, so that entries go back and forth. */
export function choicesOf(rebuilders: readonly string[], expressions: readonly string[]): readonly Choices[] {
  const one = [ZeroHash];
  const flag = [0n, 1n];
  return [
    { kind: SettingKind.Notice, keys: one, values: [0n, 10n, 30n, 60n] },
    { kind: SettingKind.Grace, keys: one, values: [0n, 40n, 600n] },
    { kind: SettingKind.TeeKind, keys: words(1, 2, 4), values: flag },
    { kind: SettingKind.TcbStatus, keys: words(1, 5, 6), values: flag },
    { kind: SettingKind.ProofSystem, keys: words(1, 2, 3), values: flag },
    {
      kind: SettingKind.OsImage,
      keys: [id("image 1"), id("image 2")],
      values: [0n, BigInt(id("measurement")), MaxUint256],
    },
    { kind: SettingKind.Node, keys: [id("platform 1"), id("platform 2")], values: flag },
    { kind: SettingKind.AnyNode, keys: one, values: flag },
    { kind: SettingKind.MaxEvidenceAge, keys: one, values: [0n, 100n, 256n, 8191n] },
    { kind: SettingKind.AcceptBootInfo, keys: one, values: flag },
    { kind: SettingKind.TcbStatusUntil, keys: words(2, 6), values: [0n, 2_000_000_000n, 2n ** 40n - 1n] },
    { kind: SettingKind.Advisory, keys: [id("INTEL-SA-00001"), id("INTEL-SA-00002")], values: [0n, 5n, 9n] },
    { kind: SettingKind.GpuRequired, keys: one, values: flag },
    { kind: SettingKind.Endorsement, keys: one, values: [0n, ...expressions.map(BigInt)] },
    { kind: SettingKind.ReviewSeconds, keys: one, values: [0n, 3600n, 2_592_000n] },
    { kind: SettingKind.RebuildsRequired, keys: one, values: [0n, 1n, 2n] },
    { kind: SettingKind.Rebuilder, keys: rebuilders.map(word), values: flag },
  ];
}
