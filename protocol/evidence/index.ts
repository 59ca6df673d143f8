/** The public face of evidence verification: the relayer, the command line and the browser all come in here. */
export { EvidenceError, type Check } from "./EvidenceError.ts";
export { verifyEvidence, type Evidence, type VerifiedEvidence, type VerifyOptions } from "./evidence.ts";
export { quoteBytes } from "./dcap/quoteBytes.ts";
export { bootInfoOf } from "./bootInfo.ts";
export { parseCollateral, type Collateral, type CollateralMessage } from "./dcap/collateral.ts";
export { INTEL_ROOT, testRootFromPem, type TrustedRoot } from "./chain/roots.ts";
export { verifyQuote, verifyTdx, type SgxVerification, type TdxVerification } from "./dcap/verifyQuote.ts";
export { parseQuote, type Quote } from "./dcap/parseQuote.ts";
export { reportData, type Binding } from "./reportData.ts";
export { verify, type AnyEvidence } from "./verdict/verify.ts";
export { verifyFiles, type GivenFiles, type JudgedFiles } from "./verdict/verifyFiles.ts";
export type { GpuClaimOnVerdict } from "./verdict/gpuClaimOn.ts";
export { withBootLog } from "./verdict/withBootLog.ts";
export { readEvidence } from "./verdict/readEvidence.ts";
export type {
  AnyCollateral,
  EvidenceKind,
  Expectation,
  Fact,
  Verdict,
  VerifyAnyOptions,
} from "./verdict/Verdict.ts";
export { NRAS_ISSUER, type TrustedKeySet } from "./gpu/verifyNras.ts";
export { parseKeySet } from "./gpu/keySet.ts";
export { parseTcbFloors } from "./snp/tcbFloors.ts";
export { PlatformCache } from "./dcap/PlatformCache.ts";
