import { z } from "zod";

import { CharterError } from "../errors/CharterError.ts";
import { refusalSchema } from "./handshake.ts";
import { bytes32Schema, signedLeaseSchema } from "./messages.ts";

/** Bodies of a session's frames (protocol/session/channel.ts): JSON in UTF-8. */
export const guestFrameSchema = z.strictObject({ type: z.literal("lease"), nonce: bytes32Schema });
export type GuestFrame = z.infer<typeof guestFrameSchema>;

/**
 * `lease` and `refused` answer the guest's nonce. `denied` comes unasked: what was leased would be denied now, so ask
 * again at once, there and elsewhere, instead of at the next renewal.
 */
export const relayerFrameSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("lease"), signed: signedLeaseSchema }),
  z.strictObject({ type: z.literal("refused"), nonce: bytes32Schema, error: refusalSchema }),
  z.strictObject({ type: z.literal("denied"), error: refusalSchema }),
]);
export type RelayerFrame = z.infer<typeof relayerFrameSchema>;

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/** A body's bytes. */
export const writeBody = (body: unknown): Uint8Array => encoder.encode(JSON.stringify(body));

/** A body of that shape. @throws CharterError `session/malformed` */
export function readBody<T>(schema: z.ZodType<T>, bytes: Uint8Array): T {
  let json: unknown;
  try {
    json = JSON.parse(decoder.decode(bytes));
  } catch {
    json = undefined; // No schema accepts it.
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new CharterError("session/malformed", "the message has another shape than documented", {
    issues: parsed.error.issues.slice(0, 10).map(({ path, message }) => `${path.join(".")}: ${message}`),
  });
}
