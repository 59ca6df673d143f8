/**
 * The numbered words that TypeScript and Solidity share (contracts/interfaces/Types.sol). Zero is never a valid
 * answer, so that a missing value denies.
 */
export const TeeKind = { None: 0, Tdx: 1, Sgx: 2, Snp: 3, Nitro: 4 } as const;
export type TeeKind = (typeof TeeKind)[keyof typeof TeeKind];

export const TcbStatus = {
  Unknown: 0,
  UpToDate: 1,
  SWHardeningNeeded: 2,
  ConfigurationNeeded: 3,
  ConfigurationAndSWHardeningNeeded: 4,
  OutOfDate: 5,
  OutOfDateConfigurationNeeded: 6,
  Revoked: 7,
} as const;
export type TcbStatus = (typeof TcbStatus)[keyof typeof TcbStatus];
export type TcbStatusName = Exclude<keyof typeof TcbStatus, "Unknown">;

export const ProofSystem = { None: 0, Direct: 1, Committee: 2, Zk: 3 } as const;
export type ProofSystem = (typeof ProofSystem)[keyof typeof ProofSystem];

export const Level = { Open: 0, Noticed: 1, Sealed: 2, RevokeOnly: 3, Frozen: 4 } as const;
export type Level = (typeof Level)[keyof typeof Level];

/** The name of a numbered word, e.g. `nameOf(Level, 2)` is "Sealed". */
export function nameOf<T extends Record<string, number>>(words: T, value: number): keyof T & string {
  for (const [name, number] of Object.entries(words)) if (number === value) return name;
  return Object.keys(words)[0] as keyof T & string;
}
