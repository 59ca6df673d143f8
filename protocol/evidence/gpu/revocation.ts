import type { Certificate } from "../../der/certificate.ts";
import { isWithin, type Window } from "../chain/chain.ts";
import type { Checklist } from "../EvidenceError.ts";

/** What an OCSP service may say of a certificate: "hold" is a revocation that may be taken back. */
export type CertificateStatus = "good" | "revoked" | "hold" | "unknown";

/** What NVIDIA's OCSP service said of certificates, by serial (0x hex, lower case), as the caller verified it. */
export interface OcspAnswers {
  readonly status: Readonly<Record<string, CertificateStatus>>;
  /** Unix seconds: from the oldest answer's thisUpdate to the first nextUpdate. */
  readonly from: number;
  readonly until: number;
}

/**
 * Every certificate below the root must be answered for and good. `leaf`: "unserved" where NVIDIA's service does not know
 * it, as those of GPUs, which issue them themselves; its answer counts where there is one. A hold is a refusal.
 */
export function requireUnrevoked(
  list: Checklist,
  chain: readonly Certificate[],
  { status, from, until }: OcspAnswers,
  at: number,
  leaf: "served" | "unserved",
): Window {
  const window = { from, until };
  list.require(isWithin(window, at), "gpu-ocsp-validity", "OCSP answers valid at that time", {
    at,
    ...window,
  });
  const statusOf = (serial: string): string =>
    Object.hasOwn(status, serial) ? (status[serial] as string) : "unanswered";
  const answers = chain.slice(0, -1).map(({ serial }) => ({ serial, status: statusOf(serial) }));
  const bad = answers.filter(
    (one, i) => one.status !== "good" && (i > 0 || leaf === "served" || one.status !== "unanswered"),
  );
  list.require(bad.length === 0, "gpu-revoked", "certificates that NVIDIA's OCSP service calls good", {
    bad,
  });
  return window;
}
