/** Writes strict DER (X.690 §10): just what certificates and CRLs of the simulated vendor need. */
export type Der = Buffer;

const element = (tag: number, ...content: readonly Uint8Array[]): Der => {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), length(body.length), body]);
};

function length(value: number): Buffer {
  if (value < 0x80) return Buffer.from([value]);
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...items: readonly Uint8Array[]): Der => element(0x30, ...items);
export const set = (...items: readonly Uint8Array[]): Der => element(0x31, ...items);
export const octets = (bytes: Uint8Array): Der => element(0x04, bytes);
export const utf8 = (text: string): Der => element(0x0c, Buffer.from(text, "utf8"));
export const printable = (text: string): Der => element(0x13, Buffer.from(text, "latin1"));
export const enumerated = (value: number): Der => element(0x0a, Buffer.from([value]));
export const yes = (): Der => element(0x01, Buffer.from([0xff]));
export const nothing = (): Der => element(0x05);
/** BIT STRING; `unused` bits at its end are zero. */
export const bits = (bytes: Uint8Array, unused = 0): Der => element(0x03, Buffer.from([unused]), bytes);
/** [n] EXPLICIT, or an implicitly tagged structure. */
export const tagged = (n: number, ...content: readonly Uint8Array[]): Der => element(0xa0 | n, ...content);
/** [n] IMPLICIT over a primitive. */
export const primitive = (n: number, content: Uint8Array): Der => element(0x80 | n, content);

/** A non-negative INTEGER from big-endian bytes, made minimal. */
export function unsigned(bytes: Uint8Array): Der {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const trimmed = bytes.subarray(start);
  const sign = (trimmed[0] ?? 0) >= 0x80 || trimmed.length === 0 ? [0] : [];
  return element(0x02, Buffer.from(sign), trimmed);
}

/** A small non-negative INTEGER. */
export function integer(value: number): Der {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return unsigned(bytes);
}

/** OBJECT IDENTIFIER from its dotted form. */
export function objectId(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const group = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      group.unshift(0x80 | (left % 128));
    bytes.push(...group);
  }
  return element(0x06, Buffer.from(bytes));
}

/** UTCTime up to 2049, GeneralizedTime after it (RFC 5280 §4.1.2.5). `seconds` since the epoch. */
export function time(seconds: number): Der {
  const iso = new Date(seconds * 1000).toISOString();
  const digits = iso.slice(0, 19).replaceAll(/[-:T]/g, "");
  return Number(digits.slice(0, 4)) < 2050
    ? element(0x17, Buffer.from(`${digits.slice(2)}Z`, "latin1"))
    : element(0x18, Buffer.from(`${digits}Z`, "latin1"));
}
