import * as z from "zod/mini";

import { CharterError } from "../../errors/CharterError.ts";
import { firstIssue } from "../../words/issues.ts";
import { parseStrictJson } from "../../words/strictJson.ts";
import { detachedEatSchema, type DetachedEat } from "./detachedEat.ts";
import { gpuClaimsSchema, type GpuClaims } from "./gpuClaims.ts";
import { MAX_GPUS } from "./gpuEvidence.ts";

/** What `nvattest attest` printed. Nobody signed it: it says what one machine's owner wrote down, and proves nothing. */
export interface NvattestOutput {
  readonly signed: false;
  readonly claims: readonly GpuClaims[];
  readonly detachedEat: DetachedEat;
  readonly resultCode: number;
  readonly resultMessage: string;
}

const outputSchema = z.strictObject({
  claims: z.array(gpuClaimsSchema).check(z.minLength(1), z.maxLength(MAX_GPUS)),
  detached_eat: detachedEatSchema,
  result_code: z.int(),
  result_message: z.string().check(z.maxLength(256)),
});
const MAX_TEXT = 1 << 20;

/**
 * Parses the output of NVIDIA's local verifier, for people to read; its tokens have `alg: none`, so it is never
 * evidence. Values are not judged. @throws CharterError `gpu/nvattest-malformed`, `json/malformed`.
 */
export function parseNvattest(text: string): NvattestOutput {
  if (text.length > MAX_TEXT) throw malformed(`expected at most ${MAX_TEXT} characters`);
  const parsed = z.safeParse(outputSchema, parseStrictJson(text, "nvattest output"));
  if (!parsed.success) throw malformed(firstIssue(parsed.error));
  const { claims, detached_eat, result_code, result_message } = parsed.data;
  return {
    signed: false,
    claims,
    detachedEat: detached_eat,
    resultCode: result_code,
    resultMessage: result_message,
  };
}

const malformed = (message: string): CharterError => new CharterError("gpu/nvattest-malformed", message);
