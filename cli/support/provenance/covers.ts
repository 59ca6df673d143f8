import { bundleFromJSON, type Bundle } from "@sigstore/bundle";
import { HashAlgorithm } from "@sigstore/protobuf-specs";
import { toSignedEntity } from "@sigstore/verify";

import type { Identity, Provenance } from "../../../protocol/note/provenance.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { CliError } from "../CliError.ts";
import { ExitCode } from "../exitCodes.ts";
import { certificateIdentity } from "./certificateIdentity.ts";
import { parseStatement } from "./statement.ts";

const IN_TOTO = "application/vnd.in-toto+json";

/** What a bundle tells of itself. Nothing of it is verified. */
export interface Claim {
  readonly identity: Identity;
  /** Type of the predicate that an attestation makes about the manifest; null where the manifest itself is signed. */
  readonly predicateType: string | null;
}

interface Content extends Claim {
  /** SHA-256 of each thing that it is about, lower-case hex without 0x. */
  readonly digests: readonly string[];
}

/**
 * Is this bundle about this manifest, and does its certificate name whom the note names? Needs no trusted root, and
 * shows nothing about signatures.
 * @throws CliError `note/provenance-malformed`, `note/provenance-other-artifact`, `note/provenance-identity`.
 */
export function requireCovers({ bundle, identity }: Provenance, composeHash: Bytes32): Claim {
  const content = contentOf(bundle);
  if (!content.digests.includes(composeHash.slice(2))) {
    throw new CliError(
      ExitCode.Refused,
      "note/provenance-other-artifact",
      "expected a bundle about this manifest: its raw bytes signed, or a statement with their SHA-256",
      { expected: composeHash, actual: content.digests.map((digest) => `0x${digest}`) },
    );
  }
  const actual = content.identity;
  if (actual.issuer !== identity.issuer || actual.subject !== identity.subject) {
    throw new CliError(
      ExitCode.Refused,
      "note/provenance-identity",
      "the bundle's certificate names somebody else than the note does",
      { expected: identity, actual },
    );
  }
  return { identity: actual, predicateType: content.predicateType };
}

function contentOf(json: unknown): Content {
  try {
    const bundle = bundleFromJSON(json);
    const { key } = toSignedEntity(bundle);
    // A bare key names nobody.
    if (key.$case !== "certificate") throw new Error("expected a certificate, not a bare key");
    return { ...aboutOf(bundle), identity: certificateIdentity(key.certificate) };
  } catch (error) {
    throw new CliError(ExitCode.Refused, "note/provenance-malformed", "expected a Sigstore bundle 0.3", {
      reason: error instanceof Error ? error.message : String(error),
    });
  }
}

function aboutOf({ content }: Bundle): Omit<Content, "identity"> {
  if (content.$case === "messageSignature") {
    const { algorithm, digest } = content.messageSignature.messageDigest;
    if (algorithm !== HashAlgorithm.SHA2_256) throw new Error("expected a SHA2_256 message digest");
    return { digests: [digest.toString("hex")], predicateType: null };
  }
  const { payload, payloadType } = content.dsseEnvelope;
  if (payloadType !== IN_TOTO) throw new Error(`expected the payload type ${IN_TOTO}`);
  const { subject, predicateType } = parseStatement(payload);
  const digests = subject.flatMap(({ digest }) => (digest.sha256 === undefined ? [] : [digest.sha256]));
  return { digests, predicateType };
}
