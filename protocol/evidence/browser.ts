/**
 * The verifier as browsers load it: everything that `verify` needs and nothing else. `npm run bench:bundle` says what
 * it weighs.
 */
export { webCrypto } from "../crypto/web.ts";
export { testRootFromPem } from "./chain/roots.ts";
export { parseCollateral } from "./dcap/collateral.ts";
export { EvidenceError } from "./EvidenceError.ts";
export { withBootLog } from "./verdict/withBootLog.ts";
export { readEvidence } from "./verdict/readEvidence.ts";
export { verify } from "./verdict/verify.ts";
