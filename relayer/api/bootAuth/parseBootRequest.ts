import { z } from "zod";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address, Bytes32, ComposeHash, Hex, PlatformId } from "../../../protocol/words/hex.ts";

/**
 * dstack's lenient hex (auth-eth and its Bun variant, 0.5.x): with or without 0x, any case, shorter than the field and
 * of odd length allowed; left-padded with zeros. Longer than the field is a violation.
 */
const lenientHex = <T extends Hex>(bytes: number) =>
  z
    .string()
    .max(2 + bytes * 2)
    .regex(/^(0[xX])?[0-9a-fA-F]*$/)
    .transform((text) => text.replace(/^0[xX]/, "").toLowerCase())
    .refine((digits) => digits.length <= bytes * 2)
    .transform((digits) => `0x${digits.padStart(bytes * 2, "0")}` as T);

/** Fields that this version does not know are ignored: later dstack releases add some. */
const bootRequestSchema = z.object({
  mrAggregated: lenientHex<Bytes32>(32),
  osImageHash: lenientHex<Bytes32>(32),
  appId: lenientHex<Address>(20),
  composeHash: lenientHex<ComposeHash>(32),
  instanceId: lenientHex<Address>(20),
  deviceId: lenientHex<PlatformId>(32),
  mrSystem: lenientHex<Bytes32>(32).default(`0x${"0".repeat(64)}` as Bytes32),
  tcbStatus: z.string().max(128).default(""),
  advisoryIds: z.array(z.string().max(256)).max(128).default([]),
});

/** dstack's boot info, field for field (contracts/compat/IAppAuth.sol). */
export type BootRequest = z.output<typeof bootRequestSchema>;

/**
 * Parses the body of `POST /bootAuth/app|kms` (DESIGN section 9).
 * @throws CharterError `bootauth/invalid-request`; the wire answer is always the same 400.
 */
export function parseBootRequest(text: string): BootRequest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CharterError("bootauth/invalid-request", "the body must be JSON", {}, { cause });
  }
  const parsed = bootRequestSchema.safeParse(json);
  if (!parsed.success) {
    throw new CharterError("bootauth/invalid-request", "the body is no boot info", {
      fields: parsed.error.issues.map((issue) => issue.path.join(".")),
    });
  }
  return parsed.data;
}
