import { z } from "zod";

/** What of an in-toto statement counts here; a predicate is its author's own (https://github.com/in-toto/attestation). */
const statementSchema = z.looseObject({
  _type: z.enum(["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"]),
  subject: z
    .array(z.looseObject({ digest: z.record(z.string(), z.string()) }))
    .min(1)
    .max(1_024),
  // Without spaces: nothing in it can read as more of the line that shows it.
  predicateType: z
    .string()
    .max(2_000)
    .regex(/^[!-~]+$/),
});
export type Statement = z.infer<typeof statementSchema>;

/** @throws ZodError, SyntaxError, TypeError for anything else than a statement in UTF-8. */
export function parseStatement(payload: Uint8Array): Statement {
  return statementSchema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)));
}
