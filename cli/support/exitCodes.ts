/** What `charter` exits with. Scripts may rely on these. */
export const ExitCode = {
  Ok: 0,
  /** Wrong arguments, options, files or configuration. */
  Usage: 1,
  /** A contract or the relayer refused, by a rule. */
  Refused: 2,
  /** Evidence did not verify. */
  NotVerified: 3,
  /** The chain or the relayer cannot be reached. */
  Unreachable: 4,
  /** A defect of ours. */
  Internal: 70,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
