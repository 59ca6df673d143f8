import { PolicyError, VerificationError } from "@sigstore/verify";

import type { Provenance } from "../../../protocol/note/provenance.ts";
import { CliError } from "../CliError.ts";
import { ExitCode } from "../exitCodes.ts";
import { sha256 } from "../publish.ts";
import { requireCovers, type Claim } from "./covers.ts";
import type { BundleVerifier } from "./trust.ts";

/**
 * Verifies a note's bundle over a manifest's raw bytes: what it is about, whom it names, and then everything that stands
 * on a trusted root.
 * @throws CliError of `requireCovers`; `note/provenance-certificate`, `-log`, `-time`, `-signature`, `-identity`.
 */
export function verifyProvenance(
  provenance: Provenance,
  manifest: Uint8Array,
  verifier: BundleVerifier,
): Claim {
  const claim = requireCovers(provenance, sha256(manifest));
  try {
    verifier(provenance.bundle, Buffer.from(manifest));
  } catch (error) {
    throw notVerified(error);
  }
  return claim;
}

function notVerified(error: unknown): CliError {
  const details = { reason: error instanceof Error ? error.message : String(error) };
  if (error instanceof PolicyError) {
    return new CliError(
      ExitCode.NotVerified,
      "note/provenance-identity",
      "the certificate names another signer",
      details,
    );
  }
  switch (error instanceof VerificationError ? error.code : null) {
    case "CERTIFICATE_ERROR":
    case "PUBLIC_KEY_ERROR":
      return new CliError(
        ExitCode.NotVerified,
        "note/provenance-certificate",
        "expected a certificate of a trusted authority, logged, and valid when it signed",
        details,
      );
    case "TIMESTAMP_ERROR":
      return new CliError(
        ExitCode.NotVerified,
        "note/provenance-time",
        "expected a time of signing that a trusted log or authority vouches for",
        details,
      );
    case "SIGNATURE_ERROR":
      return new CliError(
        ExitCode.NotVerified,
        "note/provenance-signature",
        "the signature is not of these bytes and this certificate",
        details,
      );
    case "TLOG_ERROR":
    case "TLOG_BODY_ERROR":
    case "TLOG_INCLUSION_PROOF_ERROR":
    case "TLOG_INCLUSION_PROMISE_ERROR":
    case "TLOG_MISSING_INCLUSION_ERROR":
      return new CliError(
        ExitCode.NotVerified,
        "note/provenance-log",
        "expected an entry of a trusted transparency log for this very signature",
        details,
      );
    default:
      // Parsers of the library raise errors of their own; nothing that is not understood counts.
      return new CliError(
        ExitCode.NotVerified,
        "note/provenance-not-verified",
        "the bundle could not be verified",
        details,
      );
  }
}
