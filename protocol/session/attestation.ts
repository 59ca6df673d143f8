import { z } from "zod";

import { evidenceSchema, signedLeaseSchema } from "./messages.ts";

/**
 * Protocol name (ALPN, RFC 7301) by which a client asks an instance for its attestation instead of the app: the same
 * key and certificate, a connection of its own, and no byte of the app's.
 */
export const ATTESTATION_PROTOCOL = "charter-attestation/1";

/** Longest document that a client reads. */
export const MAX_ATTESTATION_BYTES = 4 * 1_048_576;

/** What an instance answers under `ATTESTATION_PROTOCOL`, as JSON: the evidence of its key and the lease that it holds. */
export const attestationSchema = z.strictObject({
  node: z.number().int().nonnegative(),
  evidence: evidenceSchema,
  lease: signedLeaseSchema,
});
export type Attestation = z.output<typeof attestationSchema>;
/** As it travels. */
export type AttestationMessage = z.input<typeof attestationSchema>;
