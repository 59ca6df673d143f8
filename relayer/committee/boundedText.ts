import { CharterError } from "../../protocol/errors/CharterError.ts";

/**
 * A response's body as text, read no further than `maxBytes`: whoever answers does not decide how much memory it takes.
 * @throws CharterError `committee/answer-too-long`.
 */
export async function boundedText(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    // Leaving the loop cancels the stream.
    if (length > maxBytes) {
      throw new CharterError("committee/answer-too-long", "a signer's answer is longer than any may be", {
        expected: maxBytes,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
