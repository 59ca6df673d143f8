import type { Crypto } from "../../crypto/crypto.ts";
import type { TcbStatusName } from "../../words/enums.ts";
import type { Hex, PlatformId } from "../../words/hex.ts";
import type { TrustedRoot } from "../chain/roots.ts";
import type { Collateral } from "../dcap/collateral.ts";
import type { Check } from "../EvidenceError.ts";
import type { Rims } from "../gpu/golden.ts";
import type { OcspAnswers } from "../gpu/revocation.ts";
import type { TrustedKeySet } from "../gpu/verifyNras.ts";
import type { TcbFloors } from "../snp/snpTcb.ts";

export type EvidenceKind = "tdx" | "sgx" | "snp" | "nitro" | "gpu" | "nras";

/** What verification says of evidence of any kind. */
export interface Verdict {
  readonly kind: EvidenceKind;
  /** The vendor's word on the platform's security version; null where the vendor publishes none for this kind. */
  readonly status: TcbStatusName | null;
  readonly advisoryIds: readonly string[];
  /** The machine, where evidence names one: SHA-256 of PPID (Intel) or chip id (AMD). */
  readonly platformId: PlatformId | null;
  /** What the evidence says, in its vendor's words: measurements in hex, versions, flags. JSON values only. */
  readonly facts: Readonly<Record<string, Fact>>;
  /** What whoever asked for this evidence bound into it: report data, user data, or the nonce of a GPU. */
  readonly reportData: Hex | null;
  /** `validFrom ≤ t < validUntil`, unix seconds: intersection of everything that was relied on. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** Name of the root (or key set) at the end of the chain. */
  readonly root: string;
  readonly simulated: boolean;
  /** What this verdict does not say, in sentences for people. Empty where nothing was left open. */
  readonly unchecked: readonly string[];
  readonly checks: readonly Check[];
}

export type Fact = string | number | boolean | null | readonly string[];

export interface VerifyAnyOptions {
  /** Unix seconds to judge at: an argument, never the clock. */
  readonly at: number;
  readonly crypto: Crypto;
  /** In place of every vendor's own roots. Default: the pinned roots of the evidence's vendor. */
  readonly roots?: readonly TrustedRoot[];
  readonly collateral?: AnyCollateral;
  readonly expect?: Expectation;
}

/** What vendors publish to judge evidence by; each kind reads its own part. */
export interface AnyCollateral {
  /** TDX and SGX: required. */
  readonly intel?: Collateral;
  /** Lowest TCB evaluation data number that still counts. */
  readonly minEvaluationDataNumber?: number;
  /** SEV-SNP. */
  readonly amd?: AmdCollateral;
  /** GPU: golden values, revocation, and the keys of NVIDIA's service. */
  readonly rims?: Rims;
  readonly ocsp?: OcspAnswers;
  readonly nrasKeys?: TrustedKeySet;
  /** Steps by which manifests and answers were found good before: the GPU's verdict shows them first. */
  readonly checks?: readonly Check[];
}

/** What AMD's key distribution service gives, and the caller's own floors. */
export interface AmdCollateral {
  /** PEM of leaf, ASK or ASVK, and ARK, for reports that came without theirs. */
  readonly certificates?: string;
  /** DER. */
  readonly crls?: readonly Uint8Array[];
  readonly minimumTcb?: TcbFloors;
}

/** What the caller knows must be in the evidence. Each becomes a check of its own, `expected-…`. */
export interface Expectation {
  /** All of `Verdict.reportData`. */
  readonly reportData?: Hex;
  /** Oldest evidence that will do, where evidence says when it was made (Nitro). */
  readonly maxAgeSeconds?: number;
  /** By name of a fact, e.g. `mrTd`. */
  readonly facts?: Readonly<Record<string, Fact>>;
}
