import * as z from "zod/mini";

import { CharterError } from "../../errors/CharterError.ts";
import { firstIssue } from "../../words/issues.ts";
import { parseStrictJson } from "../../words/strictJson.ts";
import { MAX_GPUS } from "./gpuEvidence.ts";

/** Characters of one token; NVIDIA's have some 4,000. */
const MAX_TOKEN = 65_536;
const token = z
  .string()
  .check(z.maxLength(MAX_TOKEN), z.regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/));

/**
 * A detached EAT bundle (draft-ietf-rats-eat §4.2.18): the overall token, and one token for each GPU, whose digest the
 * overall token carries.
 */
export const detachedEatSchema = z
  .tuple([z.tuple([z.literal("JWT"), token]), z.record(z.string().check(z.maxLength(64)), token)])
  .check(
    z.refine(
      ([, gpus]) => Object.keys(gpus).length >= 1 && Object.keys(gpus).length <= MAX_GPUS,
      `expected 1 to ${MAX_GPUS} GPUs`,
    ),
  );
export type DetachedEat = z.infer<typeof detachedEatSchema>;

/** Registered claims that both kinds of token have (RFC 7519 §4.1), times in unix seconds. */
const registered = {
  iss: z.string().check(z.maxLength(256)),
  exp: z.int().check(z.nonnegative()),
  iat: z.int().check(z.nonnegative()),
  nbf: z.optional(z.int().check(z.nonnegative())),
};
export const registeredSchema = z.looseObject(registered);

/** Claims of the overall token. */
export const overallSchema = z.looseObject({
  ...registered,
  sub: z.literal("NVIDIA-PLATFORM-ATTESTATION"),
  eat_nonce: z.string().check(z.regex(/^[0-9a-fA-F]{64}$/, "expected 32 bytes of hex")),
  "x-nvidia-ver": z.enum(["3.0", "4.0"]),
  "x-nvidia-overall-att-result": z.boolean(),
  submods: z.record(
    z.string().check(z.maxLength(64)),
    z.tuple([
      z.literal("DIGEST"),
      z.tuple([z.enum(["SHA-256", "SHA256"]), z.string().check(z.regex(/^[0-9a-fA-F]{64}$/))]),
    ]),
  ),
});

/** @throws CharterError `gpu/eat-malformed`, `json/malformed`. */
export function parseDetachedEat(text: string): DetachedEat {
  if (text.length > (MAX_GPUS + 1) * MAX_TOKEN) throw malformed("expected a shorter bundle");
  const parsed = z.safeParse(detachedEatSchema, parseStrictJson(text, "detached EAT"));
  if (!parsed.success) throw malformed(firstIssue(parsed.error));
  return parsed.data;
}

const malformed = (message: string): CharterError => new CharterError("gpu/eat-malformed", message);
