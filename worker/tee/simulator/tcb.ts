import { labelled } from "./keys.ts";

/** Security version numbers of a machine. */
export interface PlatformTcb {
  /** 16 component SVNs; the CPU SVN of its PCK certificate. */
  readonly sgxSvns: Uint8Array;
  readonly pceSvn: number;
  /** TEE_TCB_SVN of its quotes: [0] TDX module SVN, [1] module version, [2] microcode. */
  readonly teeTcbSvn: Uint8Array;
}

const svns = (...values: readonly number[]): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, i) => values[i] ?? 0);

export const CURRENT_TCB: PlatformTcb = {
  sgxSvns: svns(3, 3, 2, 2, 4, 1, 0, 5),
  pceSvn: 13,
  teeTcbSvn: svns(6, 1, 3),
};

/** Older microcode: the second level of the published TCB info. */
export const OLD_TCB: PlatformTcb = {
  sgxSvns: svns(2, 2, 2, 2, 3, 1, 0, 5),
  pceSvn: 13,
  teeTcbSvn: svns(6, 1, 2),
};

/** What the simulated vendor says about its quoting enclave (TD_QE), and what the enclave's report then shows. */
export const QE = {
  mrSigner: labelled("charter simulated TD QE signer", 32),
  mrEnclave: labelled("charter simulated TD QE", 32),
  isvProdId: 2,
  isvSvn: 4,
} as const;

/** The same of its quoting enclave for enclaves (QE). */
export const SGX_QE = {
  mrSigner: labelled("charter simulated QE signer", 32),
  mrEnclave: labelled("charter simulated QE", 32),
  isvProdId: 1,
  isvSvn: 8,
} as const;

/** The simulated TDX module. MRSIGNERSEAM is zero, as it is for every module that Intel signs. */
export const TDX_MODULE = { mrSeam: labelled("charter simulated TDX module", 48) } as const;
