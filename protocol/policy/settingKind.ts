/** Kinds of settings entries (contracts/interfaces/Types.sol `SettingKind`, same numbers). */
export const SettingKind = {
  None: 0,
  Notice: 1,
  Grace: 2,
  TeeKind: 3,
  TcbStatus: 4,
  ProofSystem: 5,
  OsImage: 6,
  Node: 7,
  AnyNode: 8,
  MaxEvidenceAge: 9,
  AcceptBootInfo: 10,
  TcbStatusUntil: 11,
  Advisory: 12,
  GpuRequired: 13,
  Endorsement: 14,
  ReviewSeconds: 15,
  RebuildsRequired: 16,
  Rebuilder: 17,
} as const;
export type SettingKind = (typeof SettingKind)[keyof typeof SettingKind];
