/** Equal length and content. Nothing secret is compared here, so it need not take constant time. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `(value & mask) === expected`, byte by byte; lengths must agree. */
export function matchesMasked(value: Uint8Array, mask: Uint8Array, expected: Uint8Array): boolean {
  return (
    value.length === mask.length &&
    value.length === expected.length &&
    value.every((byte, i) => (byte & (mask[i] as number)) === expected[i])
  );
}

export const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}
