/** Writes CBOR (RFC 8949) as AWS does: just what attestation documents need. */
const head = (major: number, value: number): Buffer => {
  const type = major << 5;
  if (value < 24) return Buffer.from([type | value]);
  const size = value < 256 ? 1 : value < 65_536 ? 2 : value < 2 ** 32 ? 4 : 8;
  const out = Buffer.alloc(1 + size);
  out[0] = type | { 1: 24, 2: 25, 4: 26, 8: 27 }[size];
  if (size === 8) out.writeBigUInt64BE(BigInt(value), 1);
  else out.writeUIntBE(value, 1, size);
  return out;
};

export const uint = (value: number): Buffer => head(0, value);
export const bytes = (value: Uint8Array): Buffer => Buffer.concat([head(2, value.length), value]);
export const text = (value: string): Buffer => {
  const utf8 = Buffer.from(value, "utf8");
  return Buffer.concat([head(3, utf8.length), utf8]);
};
export const array = (items: readonly Uint8Array[]): Buffer =>
  Buffer.concat([head(4, items.length), ...items]);
export const map = (entries: readonly (readonly [Uint8Array, Uint8Array])[]): Buffer =>
  Buffer.concat([head(5, entries.length), ...entries.flat()]);
/** A map of indefinite length, as the document itself is. */
export const openMap = (entries: readonly (readonly [Uint8Array, Uint8Array])[]): Buffer =>
  Buffer.concat([Buffer.from([0xbf]), ...entries.flat(), Buffer.from([0xff])]);
export const nothing = Buffer.from([0xf6]);
