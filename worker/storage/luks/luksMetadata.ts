import { z } from "zod";

import { CharterError } from "../../../protocol/errors/CharterError.ts";

const CIPHER = z.literal("aes-xts-plain64");
const authenticated = z.looseObject({ type: z.literal("hmac(sha256)") });

/** LUKS2's own metadata (on-disk format specification, 3): one key slot and one segment, and nothing that is not as asked. */
const metadataSchema = (isAuthenticated: boolean) =>
  z.looseObject({
    keyslots: z.strictObject({
      "0": z.looseObject({
        type: z.literal("luks2"),
        area: z.looseObject({ type: z.literal("raw"), encryption: CIPHER }),
      }),
    }),
    tokens: z.strictObject({}),
    segments: z.strictObject({
      "0": z.looseObject({
        type: z.literal("crypt"),
        encryption: CIPHER,
        integrity: isAuthenticated ? authenticated : z.undefined().optional(),
      }),
    }),
    config: z.looseObject({ requirements: z.undefined().optional() }),
  });

/**
 * Holds a header that was just made to what was asked for: cryptsetup wrote it to the host's disk, and what is read back may
 * be another. With these ciphers only whoever has the passphrase has the volume's key.
 * @param json what `cryptsetup luksDump --dump-json-metadata` says of a copy that nobody else can change.
 * @throws CharterError `storage/header-changed`.
 */
export function requireCipher(json: string, isAuthenticated = true): void {
  let metadata: unknown;
  try {
    metadata = JSON.parse(json);
  } catch {
    // Below.
  }
  const parsed = metadataSchema(isAuthenticated).safeParse(metadata);
  if (parsed.success) return;
  throw new CharterError("storage/header-changed", "the volume's header is not as it was made", {
    issues: parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
  });
}
