/** Why an app allows or denies (contracts/interfaces/Types.sol `Reason`, same numbers). All but `Allowed` deny. */
export const Reason = {
  Undecided: 0,
  Allowed: 1,
  AppNotRegistered: 2,
  BootInfoNotAccepted: 3,
  WrongApp: 4,
  ReleaseNotAllowed: 5,
  TeeKindNotAllowed: 6,
  TcbStatusNotAllowed: 7,
  AdvisoryNotAllowed: 8,
  OsImageNotAllowed: 9,
  NodeNotAllowed: 10,
  EvidenceTooOld: 11,
  ProofMissing: 12,
  SimulatedNotAllowed: 13,
  GpuMissing: 14,
} as const;
export type Reason = (typeof Reason)[keyof typeof Reason];
