import { z } from "zod";

import { CharterError } from "../errors/CharterError.ts";
import { charterFields } from "../manifest/manifest.ts";
import { addressSchema } from "../session/messages.ts";
import { parseStrictJson } from "../words/strictJson.ts";
import { provenanceSchema } from "./provenance.ts";

/** A path inside a repository: relative, forward slashes, never upwards. */
const repositoryPath = z
  .string()
  .max(512)
  .regex(/^[A-Za-z0-9_.][A-Za-z0-9_./-]*$/, "expected a relative path of letters, digits and ._/-")
  .refine((path) => !path.split("/").includes(".."), "expected a path without ..");

/** How the manifest follows from the source: it stands there as it is, or is made of a Compose file. */
const recipeSchema = z.union([
  z.strictObject({ manifest: repositoryPath }),
  z.strictObject({
    compose: repositoryPath,
    name: z.string().min(1).max(64),
    leaseSigners: z.array(addressSchema).min(1).max(16),
    maxLeaseSeconds: z.number().int().positive().max(3_600),
    allowUnpinnedImages: z.literal(true).optional(),
    persistent: z.literal(true).optional(),
    secretSigners: z.array(addressSchema).min(1).max(16).optional(),
    secrets: charterFields.secrets,
    gpuServices: charterFields.gpu.unwrap().shape.services.optional(),
    tls: charterFields.tls,
  }),
]);

/** A release note: what explains a release to people, and what lets anybody rebuild it. */
export const noteSchema = z.strictObject({
  title: z.string().trim().min(1).max(200),
  description: z.string().max(20_000).optional(),
  source: z
    .strictObject({
      /** https URL, or a path for those who have the repository. */
      repository: z.string().min(1).max(2_000),
      commit: z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/, "expected a full commit id"),
      recipe: recipeSchema,
    })
    .optional(),
  images: z
    .array(
      z.strictObject({
        service: z.string().min(1).max(128),
        image: z.string().min(1).max(512),
        digest: z
          .string()
          .regex(/^sha256:[0-9a-f]{64}$/, "expected sha256: and 64 hex digits")
          .nullable(),
      }),
    )
    .max(128)
    .optional(),
  /** Compose hash of the release that the author compared with. */
  predecessor: z
    .string()
    .regex(/^0x[0-9a-f]{64}$/, "expected 32 bytes of hex")
    .optional(),
  provenance: provenanceSchema.optional(),
});
export type Note = z.infer<typeof noteSchema>;
export type Recipe = z.infer<typeof recipeSchema>;

/** Notes are short: the chain carries their digest, relayers their bytes. */
export const MAX_NOTE_BYTES = 65_536;

/**
 * Parses a note's raw bytes.
 * @throws CharterError `note/malformed` with what was expected where.
 */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > MAX_NOTE_BYTES) {
    throw new CharterError("note/malformed", "a note is at most 65,536 bytes", { actual: bytes.length });
  }
  let json: unknown;
  try {
    json = parseStrictJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes), "note");
  } catch (cause) {
    throw new CharterError("note/malformed", "a note must be JSON in UTF-8, each key once", {}, { cause });
  }
  const parsed = noteSchema.safeParse(json);
  if (!parsed.success) {
    throw new CharterError("note/malformed", "the note has another shape than expected", {
      issues: parsed.error.issues.map((issue) => `${issue.path.join(".") || "note"}: ${issue.message}`),
    });
  }
  return parsed.data;
}
