import { CharterError } from "../errors/CharterError.ts";
import { fromHex, toHex, type Hex } from "./hex.ts";

/** r, and s with the parity of y in its highest bit (EIP-2098). */
export type CompactSignature = readonly [r: Hex, vs: Hex];

const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/**
 * The compact form of a 65-byte ECDSA signature r ‖ s ‖ v, as `AttestationLedger.claim` takes it.
 * @throws CharterError `signature/malformed`.
 */
export function compactSignature(signature: Hex): CompactSignature {
  const bytes = fromHex(signature);
  const v = bytes[64];
  if (bytes.length !== 65 || (v !== 27 && v !== 28))
    throw malformed("65 bytes, of which the last is 27 or 28", bytes.length, v);
  const s = bytes.slice(32, 64);
  if (BigInt(toHex(s)) > HALF_ORDER) throw malformed("s in the lower half of the order", bytes.length, v);
  s[0] = (s[0] as number) | ((v - 27) << 7);
  return [toHex(bytes.subarray(0, 32)), toHex(s)];
}

const malformed = (expected: string, length: number, v: number | undefined): CharterError =>
  new CharterError("signature/malformed", "this is no ECDSA signature", { expected, actual: { length, v } });
