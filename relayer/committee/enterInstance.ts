import { z } from "zod";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { acceptedSchema, type InstanceRegistration } from "../../protocol/session/messages.ts";
import { boundedText } from "./boundedText.ts";

const MAX_ANSWER_BYTES = 16_384;
const TIMEOUT_MS = 20_000;

const refusalSchema = z.object({ error: z.object({ code: z.string().max(100) }) });

/**
 * Gives an instance's evidence to the first relayer that takes it (`POST /instances`).
 * @throws CharterError `committee/entry-refused` with what each relayer said.
 */
export async function enterInstance(
  relayerUrls: readonly string[],
  entry: InstanceRegistration,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Promise<void> {
  const said: string[] = [];
  for (const url of relayerUrls) {
    const answer = await given(url, entry, fetch);
    if (answer === null) return;
    said.push(answer);
  }
  throw new CharterError("committee/entry-refused", "no relayer takes this signer's evidence", { said });
}

/** Null where it was taken, else why it was not. */
async function given(
  url: string,
  entry: InstanceRegistration,
  fetch: typeof globalThis.fetch,
): Promise<string | null> {
  try {
    const response = await fetch(`${url.replace(/\/+$/, "")}/instances`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(entry),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer: unknown = JSON.parse(await boundedText(response, MAX_ANSWER_BYTES));
    if (response.status === 202 && acceptedSchema.safeParse(answer).success) return null;
    const refusal = refusalSchema.safeParse(answer);
    return refusal.success ? refusal.data.error.code : `status ${response.status}`;
  } catch {
    return "relayer/unreachable";
  }
}
