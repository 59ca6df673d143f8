import type { z } from "zod";

import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import { boundedText } from "./boundedText.ts";

export interface AskOptions {
  readonly timeoutMs?: number;
  readonly fetch?: typeof globalThis.fetch;
  /** The answer is not needed any more. */
  readonly signal?: AbortSignal;
  readonly maxAnswerBytes?: number;
}

const MAX_ANSWER_BYTES = 16_384;
const TIMEOUT_MS = 10_000;

/**
 * Asks one signer, and reads its answer strictly and in bounds.
 * @throws CharterError `committee/signer-refused`, `committee/answer-malformed`, `committee/answer-too-long`,
 * `committee/signer-unreachable`.
 */
export async function askSigner<Schema extends z.ZodType>(
  url: string,
  path: "/committee/sign" | "/committee/judge",
  question: unknown,
  schema: Schema,
  options: AskOptions,
): Promise<z.output<Schema>> {
  const { fetch = globalThis.fetch, timeoutMs = TIMEOUT_MS, signal, maxAnswerBytes } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url.replace(/\/+$/, "") + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: Buffer.from(JSON.stringify(question)), // Once: text is measured first, and then written.
      redirect: "error",
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    const text = await boundedText(response, maxAnswerBytes ?? MAX_ANSWER_BYTES);
    if (response.status !== 200) {
      throw new CharterError("committee/signer-refused", "a signer must answer 200", {
        url,
        actual: response.status,
        answer: text.slice(0, 500),
      });
    }
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    throw new CharterError(
      "committee/answer-malformed",
      "a signer's answer has another shape than documented",
      { url },
    );
  } catch (cause) {
    if (isCharterError(cause)) throw cause;
    throw new CharterError("committee/signer-unreachable", "a signer did not answer", { url }, { cause });
  }
}
