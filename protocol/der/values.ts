import { DerError, Tag, type DerReader } from "./DerReader.ts";

/** Content of a non-negative, minimal INTEGER, without its sign byte. */
export function readUnsigned(reader: DerReader, maxBytes: number, tag: number = Tag.Integer): Uint8Array {
  const { content } = reader.read(tag);
  const [first, second] = content;
  if (first === undefined || first >= 0x80) throw new DerError("a non-negative integer", 0);
  if (first === 0 && second !== undefined && second < 0x80) throw new DerError("a minimal integer", 0);
  const value = first === 0 && content.length > 1 ? content.subarray(1) : content;
  if (value.length > maxBytes) throw new DerError(`an integer of at most ${maxBytes} bytes`, 0);
  return value;
}

/** A small non-negative INTEGER or ENUMERATED (at most 4 bytes) as a number. */
export function readSmall(reader: DerReader, tag: number = Tag.Integer): number {
  return readUnsigned(reader, 4, tag).reduce((value, byte) => value * 256 + byte, 0);
}

/** OBJECT IDENTIFIER in dotted form. */
export function readObjectId(reader: DerReader): string {
  const { content } = reader.read(Tag.ObjectId);
  const last = content.at(-1);
  if (last === undefined || last >= 0x80) throw new DerError("an object identifier", 0);
  const arcs: (number | bigint)[] = [];
  let start = 0;
  content.forEach((byte, at) => {
    if (at === start && byte === 0x80) throw new DerError("a minimal arc", 0);
    if (byte >= 0x80) return;
    arcs.push(readArc(content.subarray(start, at + 1)));
    start = at + 1;
  });
  const [head = 0, ...rest] = arcs;
  if (typeof head === "bigint") throw new DerError("a first arc of at most 42 bits", 0);
  const top = Math.min(Math.floor(head / 40), 2);
  return [top, head - top * 40, ...rest].join(".");
}

/** An arc may be a UUID below 2.25 (X.667): 128 bits. All others are plain numbers, which are faster. */
function readArc(digits: Uint8Array): number | bigint {
  if (digits.length <= 6) return digits.reduce((arc, byte) => arc * 128 + (byte & 0x7f), 0);
  const arc = digits.reduce((sum, byte) => sum * 128n + BigInt(byte & 0x7f), 0n);
  if (arc >= 2n ** 128n) throw new DerError("an arc of at most 128 bits", 0);
  return arc;
}

/** BIT STRING of whole bytes (no unused bits). */
export function readWholeBits(reader: DerReader): Uint8Array {
  const { content } = reader.read(Tag.BitString);
  if (content[0] !== 0) throw new DerError("a bit string of whole bytes", 0);
  return content.subarray(1);
}

/**
 * UTCTime (YYMMDDHHMMSSZ) or GeneralizedTime (YYYYMMDDHHMMSSZ) in the form that RFC 5280 §4.1.2.5 demands; unix seconds.
 */
export function readTime(reader: DerReader): number {
  const isUtc = reader.peek() === Tag.UtcTime;
  const { content } = reader.read(isUtc ? Tag.UtcTime : Tag.GeneralizedTime);
  const yearDigits = isUtc ? 2 : 4;
  if (content.length !== yearDigits + 11 || content.at(-1) !== 0x5a) throw notATime();
  const [month, day, hour, minute, second] = [0, 1, 2, 3, 4].map((field) =>
    readDigits(content, yearDigits + 2 * field, 2),
  ) as [number, number, number, number, number];
  const year = readDigits(content, 0, yearDigits);
  // RFC 5280: two-digit years from 50 on lie in the 20th century.
  const fullYear = isUtc ? (year >= 50 ? 1900 : 2000) + year : year;
  const seconds = Date.UTC(fullYear, month - 1, day, hour, minute, second) / 1000;
  const isReal = fullYear >= 1950 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(fullYear, month);
  if (!isReal || hour > 23 || minute > 59 || second > 59) throw new DerError("a date that exists", 0);
  return seconds;
}

function readDigits(content: Uint8Array, from: number, count: number): number {
  let value = 0;
  for (let i = from; i < from + count; i++) {
    const digit = (content[i] as number) - 0x30;
    if (digit < 0 || digit > 9) throw notATime();
    value = value * 10 + digit;
  }
  return value;
}

const notATime = (): DerError => new DerError("a time in UTC with seconds", 0);

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

const daysIn = (year: number, month: number): number =>
  month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : (DAYS[month - 1] ?? 0);

/** ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } → r‖s, each of the curve's `size` in bytes. */
export function readEcdsaSignature(reader: DerReader, size: number): Uint8Array {
  const sequence = reader.enter(Tag.Sequence);
  const out = new Uint8Array(2 * size);
  const r = readUnsigned(sequence, size);
  const s = readUnsigned(sequence, size);
  sequence.end();
  out.set(r, size - r.length);
  out.set(s, 2 * size - s.length);
  return out;
}
