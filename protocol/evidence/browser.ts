/**
 * The verifier as browsers load it: everything that `verify` needs and nothing else. What one kind of evidence needs is
 * loaded when it is met; `npm run bench:verify` says what each weighs.
 */
import type { Collateral } from "./dcap/collateral.ts";
import type { TrustedKeySet } from "./gpu/verifyNras.ts";
import type { TcbFloors } from "./snp/snpTcb.ts";

export { webCrypto } from "../crypto/web.ts";
export { testRootFromPem } from "./chain/roots.ts";
export { EvidenceError } from "./EvidenceError.ts";
export { withBootLog } from "./verdict/withBootLog.ts";
export { readEvidence } from "./verdict/readEvidence.ts";
export { verify } from "./verdict/verify.ts";
export { verifyFiles, type GivenFiles } from "./verdict/verifyFiles.ts";

/** Intel's collateral from its JSON form. @throws CharterError `collateral/malformed`. */
export async function readCollateral(json: unknown): Promise<Collateral> {
  return (await import("./dcap/collateral.ts")).parseCollateral(json);
}

/** The caller's lowest versions of AMD's firmware. @throws CharterError `collateral/malformed`. */
export async function readTcbFloors(json: unknown): Promise<TcbFloors> {
  return (await import("./snp/tcbFloors.ts")).parseTcbFloors(json);
}

/** Keys of NVIDIA's service, or of another that speaks as this issuer. @throws CharterError `collateral/malformed`. */
export async function readKeySet(json: unknown, issuer?: string): Promise<TrustedKeySet> {
  return (await import("./gpu/keySet.ts")).parseKeySet(json, issuer);
}
