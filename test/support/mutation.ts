import type { Random } from "./random.ts";

/** A copy with one bit flipped somewhere. */
export function flippedBit(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = random.below(copy.length);
  copy[at] = (copy[at] as number) ^ (1 << random.below(8));
  return copy;
}

/** Numbers at which length checks break. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff];

type Bytes = Uint8Array;
const BYTE_MUTATIONS: readonly ((bytes: Bytes, random: Random) => Bytes)[] = [
  flippedBit,
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + random.below(64), random.below(256))]),
  (bytes, random) => {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(16))]);
  },
  (bytes, random) => {
    const [from, to] = [random.below(bytes.length), random.below(bytes.length)];
    const part = bytes.subarray(from, from + random.below(128));
    return Buffer.concat([bytes.subarray(0, to), part, bytes.subarray(to)]);
  },
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    const size = random.pick([1, 2, 4].filter((each) => each <= copy.length));
    const at = random.below(copy.length - size + 1);
    const value = random.pick(EDGES) % 256 ** size;
    if (random.chance(0.5)) copy.writeUIntLE(value, at, size);
    else copy.writeUIntBE(value, at, size);
    return copy;
  },
];

/** Bytes changed in one to three places: bits, lengths, parts left out, repeated or added. */
export function mutatedBytes(bytes: Bytes, random: Random): Bytes {
  let result = bytes;
  for (let i = random.below(3); i >= 0 && result.length > 0; i--) {
    result = random.pick(BYTE_MUTATIONS)(result, random);
  }
  return result;
}

/** What parsers of text stumble over: deep nesting, repetition, odd characters. */
const TOKENS = [
  "[",
  "{",
  '{"a":',
  "<a>",
  "- ",
  "? ",
  "{a: ",
  "&a *a ",
  "!!",
  "/*",
  "\\u0000",
  '"',
  "\n",
  "\t",
  "\0",
];
const ODD = [
  "\u2028",
  "\ufeff",
  "\ud800",
  "é",
  "-----BEGIN CERTIFICATE-----",
  "__proto__",
  "<!DOCTYPE a>",
  "&#x0;",
  "1e999",
];

const TEXT_MUTATIONS: readonly ((text: string, random: Random) => string)[] = [
  (text, random) => Buffer.from(mutatedBytes(Buffer.from(text), random)).toString("utf8"),
  (text, random) => {
    const at = random.below(text.length + 1);
    // Mostly a few; sometimes so many that recursion would end in a stack overflow.
    const count = random.chance(0.05) ? 100_000 : 1 + random.below(40);
    return text.slice(0, at) + random.pick(TOKENS).repeat(count) + text.slice(at);
  },
  (text, random) => {
    const at = random.below(text.length + 1);
    return text.slice(0, at) + random.pick(ODD) + text.slice(at + random.below(3));
  },
];

export const mutatedText = (text: string, random: Random): string =>
  random.pick(TEXT_MUTATIONS)(text, random);

const VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  1e300,
  2 ** 53,
  "",
  "0x",
  "0".repeat(4096),
  [],
  {},
  [[]],
  [null],
];

/** A list of the same, not so long that making it takes longer than reading it. */
const repeated = (value: unknown, count: number): unknown[] => {
  const length = Math.min(count, 500_000 / (1 + JSON.stringify(value ?? null).length));
  return Array.from({ length }, () => value);
};

/** JSON text with one value of it replaced, left out or repeated; sometimes changed as text. */
export function mutatedJson(text: string, random: Random): string {
  if (random.chance(0.3)) return mutatedText(text, random);
  const places: (() => void)[] = [];
  const visit = (parent: Record<string, unknown>): void => {
    for (const [key, value] of Object.entries(parent)) {
      places.push(() => {
        if (random.chance(0.2) && !Array.isArray(parent)) Reflect.deleteProperty(parent, key);
        else if (random.chance(0.2)) parent[`${key}2`] = value;
        else if (typeof value === "string" && random.chance(0.6)) parent[key] = mutatedText(value, random);
        else if (typeof value === "number" && random.chance(0.6))
          parent[key] = random.pick([...EDGES, -1, 0.5]);
        else if (Array.isArray(value) && random.chance(0.3)) {
          parent[key] = repeated(value[0], random.pick([0, 17, 300, 11_000]));
        } else parent[key] = random.pick(VALUES);
      });
      if (typeof value === "object" && value !== null) visit(value as Record<string, unknown>);
    }
  };
  const whole = { root: JSON.parse(text) as unknown };
  visit(whole);
  random.pick(places)();
  return JSON.stringify(whole.root) ?? "";
}
