import { z } from "zod";

/** Identities are compared byte by byte: nothing that two encodings could write differently. */
const identityText = z.string().max(2_000);

/**
 * Who vouches for a manifest, by a Sigstore bundle. What the bundle signs is the manifest: a message signature over its
 * raw bytes, or a DSSE envelope with an in-toto statement of which a subject's sha256 is the compose hash. The identity is
 * the author's claim; it counts once the bundle is verified against a trusted root.
 */
export const provenanceSchema = z.strictObject({
  kind: z.literal("sigstore"),
  /** Sigstore bundle 0.3 (protobuf's JSON); whoever verifies it reads it whole. */
  bundle: z.looseObject({
    mediaType: z.enum([
      "application/vnd.dev.sigstore.bundle.v0.3+json",
      "application/vnd.dev.sigstore.bundle+json;version=0.3",
    ]),
  }),
  identity: z.strictObject({
    /** Who said who signs: the OIDC issuer in the certificate (1.3.6.1.4.1.57264.1.8). */
    issuer: identityText.regex(/^https:\/\/[!-~]+$/, "expected an https URL"),
    /** Who signs: the certificate's subject alternative name, a URI (of a workflow) or a mail address. */
    subject: identityText.regex(/^[!-~]+$/, "expected printable ASCII without spaces"),
  }),
});
export type Provenance = z.infer<typeof provenanceSchema>;
export type Identity = Provenance["identity"];
