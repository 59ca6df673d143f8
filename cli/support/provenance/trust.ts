import { TrustedRoot } from "@sigstore/protobuf-specs";
import { bundleFromJSON } from "@sigstore/bundle";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import type { Bundle } from "sigstore";

import type { Identity } from "../../../protocol/note/provenance.ts";
import { CliError } from "../CliError.ts";
import { ExitCode } from "../exitCodes.ts";

/** Checks a bundle's signature over an artifact, its certificate, and the logs' words. Throws when anything is amiss. */
export type BundleVerifier = (bundle: unknown, artifact: Buffer) => void;

/** One entry of a transparency log, one of a certificate log, one time that somebody else signed. */
const THRESHOLDS = { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 } as const;

/**
 * A verifier of bundles of one identity that asks nobody: what it trusts is the file that the user chose.
 * @param json trusted_root.json (https://github.com/sigstore/protobuf-specs, TrustedRoot).
 * @throws CliError `note/trusted-root-malformed`.
 */
export function offlineVerifier(json: unknown, identity: Identity): BundleVerifier {
  const verifier = verifierOf(json);
  const policy = {
    // The library takes a string for a pattern.
    subjectAlternativeName: new RegExp(exactly(identity.subject)),
    extensions: { issuer: identity.issuer },
  };
  return (bundle, artifact) => {
    verifier.verify(toSignedEntity(bundleFromJSON(bundle), artifact), policy);
  };
}

function verifierOf(json: unknown): Verifier {
  try {
    const root = TrustedRoot.fromJSON(json);
    if (!root.mediaType.startsWith("application/vnd.dev.sigstore.trustedroot")) {
      throw new Error("expected the media type application/vnd.dev.sigstore.trustedroot");
    }
    return new Verifier(toTrustMaterial(root), THRESHOLDS);
  } catch (error) {
    throw new CliError(ExitCode.Usage, "note/trusted-root-malformed", "expected a Sigstore trusted root", {
      reason: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Where Sigstore's repository of roots stands and where it is kept; the public one and the user's cache by default. */
export interface Repository {
  readonly mirrorUrl?: string;
  readonly rootPath?: string;
  readonly cachePath?: string;
}

/**
 * A verifier of bundles of one identity by the public Sigstore's root, which is fetched by The Update Framework.
 * @throws CliError `note/trusted-root-unreachable`.
 */
export async function onlineVerifier(
  identity: Identity,
  { mirrorUrl, rootPath, cachePath }: Repository = {},
): Promise<BundleVerifier> {
  const { createVerifier } = await import("sigstore");
  try {
    const verifier = await createVerifier({
      tlogThreshold: THRESHOLDS.tlogThreshold,
      ctLogThreshold: THRESHOLDS.ctlogThreshold,
      certificateIdentityURI: exactly(identity.subject),
      certificateIssuer: identity.issuer,
      retry: { retries: 1 },
      ...(mirrorUrl === undefined ? {} : { tufMirrorURL: mirrorUrl }),
      ...(rootPath === undefined ? {} : { tufRootPath: rootPath }),
      ...(cachePath === undefined ? {} : { tufCachePath: cachePath }),
    });
    return (bundle, artifact) => void verifier.verify(bundle as Bundle, artifact);
  } catch (error) {
    throw new CliError(
      ExitCode.Unreachable,
      "note/trusted-root-unreachable",
      "Sigstore's trusted root cannot be fetched and checked; --trusted-root names a file that needs no network",
      { reason: error instanceof Error ? error.message : String(error) },
    );
  }
}

const exactly = (text: string): string => `^${text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")}$`;
