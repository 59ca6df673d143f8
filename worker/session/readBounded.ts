import { CharterError } from "../../protocol/errors/CharterError.ts";

/**
 * Reads an answer's body and gives up as soon as it is longer than allowed, whatever its headers say.
 * @throws CharterError `relayer/answer-too-large`.
 */
export async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array;
    size += bytes.length;
    if (size > maxBytes) {
      throw new CharterError("relayer/answer-too-large", `an answer here has at most ${maxBytes} bytes`, {
        expected: maxBytes,
      });
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
