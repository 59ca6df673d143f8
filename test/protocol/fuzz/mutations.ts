import { decode, Encoder } from "cbor-x";

import { mutatedDer } from "../../support/derMutation.ts";
import { mutatedBytes, mutatedJson, mutatedText } from "../../support/mutation.ts";
import type { Random } from "../../support/random.ts";

/** DER with an element changed and all lengths around it right, or changed as bytes. */
export const mutatedDerOrBytes = (input: Uint8Array, random: Random): Uint8Array =>
  random.chance(0.5) ? mutatedDer(input, random) : mutatedBytes(input, random);

/** JSON with a value changed, or its text. */
export const json = (input: string, random: Random): string => {
  try {
    return mutatedJson(input, random);
  } catch {
    return mutatedText(input, random); // No JSON any more, after an earlier change.
  }
};

export const jsonBytes = (input: Uint8Array, random: Random): Uint8Array =>
  random.chance(0.8) ? Buffer.from(json(Buffer.from(input).toString(), random)) : mutatedBytes(input, random);

/** Whole elements and attributes: what XML is made of, so that the rest still reads. */
const XML_PARTS = [
  /<([\w:]+)[^<>]*>[^<>]*<\/\1>/g,
  / [\w:]+="[^"]*"/g,
  /<\/?[\w:]+/g,
  /(?<=>)[^<>]+(?=<)/g,
  /(?<==")[^"]*(?=")/g,
];

/** XML with a part left out, repeated, moved or changed as text, mostly so that it still reads as XML. */
export function mutatedXml(input: string, random: Random): string {
  const parts = [...input.matchAll(random.pick(XML_PARTS))];
  if (parts.length === 0 || random.chance(0.2)) return mutatedText(input, random);
  const { 0: part, index } = random.pick(parts);
  const other = random.pick(parts)[0];
  const instead = random.pick([
    () => "",
    () => part + part,
    () => other,
    () => part.repeat(1 + random.below(300)),
    () => mutatedText(part, random),
  ])();
  return input.slice(0, index) + instead + input.slice(index + part.length);
}

const encoder = new Encoder({ mapsAsObjects: false, useRecords: false, tagUint8Array: false });

/**
 * A COSE_Sign1 whose payload was changed, with the lengths around it right, or the whole of it as bytes: so that not only
 * its first bytes are ever read.
 */
export function mutatedCose(input: Uint8Array, random: Random): Uint8Array {
  if (random.chance(0.4)) return mutatedBytes(input, random);
  try {
    const parts = decode(input) as unknown;
    if (!Array.isArray(parts)) return mutatedBytes(input, random);
    const at = random.below(parts.length);
    const part = parts[at] as unknown;
    if (!(part instanceof Uint8Array) || part.length === 0) return mutatedBytes(input, random);
    const changed = parts.map((each: unknown, i) => (i === at ? mutatedBytes(part, random) : each));
    return Uint8Array.from(encoder.encode(changed));
  } catch {
    return mutatedBytes(input, random); // No CBOR any more, after an earlier change.
  }
}
