import type { JSONWebKeySet } from "jose";
import * as z from "zod/mini";

import { CharterError } from "../../errors/CharterError.ts";
import { firstIssue } from "../../words/issues.ts";
import { NRAS_ISSUER, type TrustedKeySet } from "./verifyNras.ts";

/** RFC 7517 §4, §5: members that are not known are for others. */
const keySetSchema = z.looseObject({
  keys: z
    .array(z.looseObject({ kty: z.string().check(z.maxLength(16)) }))
    .check(z.minLength(1), z.maxLength(64)),
});

/**
 * A JSON web key set that the caller trusts to sign for this issuer. It is simulated unless that is NVIDIA's own.
 * @throws CharterError `collateral/malformed`.
 */
export function parseKeySet(json: unknown, issuer: string = NRAS_ISSUER): TrustedKeySet {
  const parsed = z.safeParse(keySetSchema, json);
  if (!parsed.success) {
    throw new CharterError("collateral/malformed", `expected a key set: ${firstIssue(parsed.error)}`);
  }
  const keys = parsed.data as JSONWebKeySet;
  return { name: issuer, issuer, keys, simulated: issuer !== NRAS_ISSUER };
}
