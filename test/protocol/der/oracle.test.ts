import type { KeyObject } from "node:crypto";
import { expect } from "chai";

import { parseCertificate, type Certificate } from "../../../protocol/der/certificate.ts";
import { parseCrl, type Crl } from "../../../protocol/der/crl.ts";
import { DerError } from "../../../protocol/der/DerReader.ts";
import { issueCertificate, issueCrl } from "../../../worker/tee/simulator/certificate.ts";
import * as der from "../../../worker/tee/simulator/der.ts";
import { deriveKey } from "../../../worker/tee/simulator/keys.ts";
import { mutatedDer } from "../../support/derMutation.ts";
import { random, type Random } from "../../support/random.ts";
import { flippedBit } from "../../support/mutation.ts";
import { ourCertificate, ourCrl, theirCertificate, theirCrl } from "./peculiar.ts";

const isLong = process.env["CHARTER_FUZZ"] === "long";
const COUNT = isLong ? 100_000 : 3000;
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);

/** Why we refuse what the other reader accepts: the beginning of our reason, and what says so. */
const STRICTER: Readonly<Record<string, string>> = {
  "a minimal length": "X.690 §10.1",
  "a definite length of at most": "X.690 §10.1; 16 MiB is more than any certificate or list here",
  "a length": "X.690 §8.1.3",
  "a whole length": "X.690 §8.1.3",
  "a single-byte tag": "X.690 §8.1.2: no format here has tag numbers from 31",
  "bytes of content": "X.690 §8.1.3: the content of an element ends within the one around it",
  "the end": "RFC 5280 §4.1, §5.1: no field follows the last",
  "tag 0x": "RFC 5280 §4.1, §5.1: fields in their order; unique identifiers (§4.1.2.8) are not used here",
  "a minimal integer": "X.690 §8.3.2",
  "a non-negative integer": "RFC 5280 §4.1.2.2, RFC 3279 §2.2.3: serial numbers, r and s are not negative",
  "an integer of at most": "RFC 5280 §4.1.2.2: serial numbers up to 20 bytes; r and s of the curve's size",
  "a minimal arc": "X.690 §8.19.2",
  "an arc of at most": "no identifier here has an arc above 2^32",
  "an object identifier": "X.690 §8.19.2",
  "TRUE as 0xff": "X.690 §11.1, §11.5",
  "a bit string of whole bytes": "RFC 3279 §2.2.3, §2.3: keys and signatures are whole bytes",
  "the bits of a keyUsage": "X.690 §11.2, RFC 5280 §4.2.1.3",
  "a time in UTC with seconds": "RFC 5280 §4.1.2.5.1, §4.1.2.5.2",
  "a date that exists": "RFC 5280 §4.1.2.5: other readers go on into the next month",
  "an attribute of a name as text":
    "RFC 5280 §4.1.2.4: UTF-8 and printable text; older encodings are not used here",
  "each extension once": "RFC 5280 §4.2",
  "at most 32 extensions": "a limit of ours",
  "no unknown critical extension": "RFC 5280 §4.2, §5.2",
  "a path length only where the certificate is a CA": "RFC 5280 §4.2.1.9",
  "version 3": "RFC 5280 §4.1.2.1: there are extensions, so the version is 3",
  "version 2": "RFC 5280 §5.1.2.1",
  "one signature algorithm, inside and outside": "RFC 5280 §4.1.1.2, §5.1.1.2",
  "ECDSA on P-256 or P-384, or RSA-PSS": "the signatures that makers of TEEs use (DESIGN section 5)",
  "a key on P-256 or P-384": "the keys that makers of TEEs use (DESIGN section 5)",
  "an uncompressed point": "RFC 5480 §2.2: the form that makers of TEEs use",
};

const SECRET = new Uint8Array(32).fill(3);
const KEYS: readonly KeyObject[] = (["P-256", "P-384"] as const).flatMap((curve) =>
  [0, 1, 2].map((i) => deriveKey(SECRET, `key ${i}`, curve)),
);
const LETTERS = [..."abcXYZ 019.,-_/éßЖ中🔑"];

const bytes = (length: number, r: Random): Buffer => Buffer.from(Array.from({ length }, () => r.below(256)));
const name = (r: Random): string => Array.from({ length: 1 + r.below(40) }, () => r.pick(LETTERS)).join("");

function serial(r: Random): Buffer {
  const value = bytes(1 + r.below(20), r);
  value[0] = 1 + r.below(255);
  return value;
}

/** From 1950 to 2106: both forms of time. */
const time = (r: Random): number => Math.floor(-630_000_000 + r() * 4_924_000_000);

function certificate(r: Random): Buffer {
  return issueCertificate({
    issuer: { name: name(r), key: r.pick(KEYS) },
    subject: name(r),
    key: r.pick(KEYS),
    serial: serial(r),
    notBefore: time(r),
    notAfter: time(r),
    isBare: r.chance(0.1),
    ...(r.chance(0.5) ? { ca: r.below(300) } : {}),
    extensions: Array.from({ length: r.below(6) }, (_, i) => [
      `1.3.6.1.4.1.${r.below(70_000)}.${i}`,
      r.chance(0.5) ? der.octets(bytes(r.below(300), r)) : bytes(r.below(40), r),
    ]),
  });
}

const crl = (r: Random): Buffer =>
  issueCrl({
    issuer: { name: name(r), key: r.pick(KEYS) },
    number: r.below(2 ** 31),
    thisUpdate: time(r),
    nextUpdate: time(r),
    revokedSerials: Array.from({ length: r.below(12) }, () => serial(r)),
  });

const BREAKS: readonly ((input: Uint8Array, r: Random) => Uint8Array)[] = [
  flippedBit,
  mutatedDer,
  (input, r) => mutatedDer(mutatedDer(input, r), r),
  (input, r) => input.subarray(0, r.below(input.length)),
  (input, r) => Buffer.concat([input, bytes(1 + r.below(4), r)]),
];

/**
 * Last arcs below 2.5.29 of extensions that the other reader reads and ours does not (who signed is what the signature
 * says, and RFC 5280 §4.2 lets readers pass over the rest) → arcs that stand for nothing. So for both they are values to
 * hand on.
 */
const OPAQUE: ReadonlyMap<number, number> = new Map([
  [14, 0x7e], // subjectKeyIdentifier
  [17, 0x7d], // subjectAltName
  [18, 0x7c], // issuerAltName
  [31, 0x7b], // cRLDistributionPoints
  [32, 0x7a], // certificatePolicies
  [35, 0x7f], // authorityKeyIdentifier
  [37, 0x79], // extKeyUsage
]);

function withOpaqueExtensions(input: Uint8Array): Uint8Array {
  const output = Buffer.from(input);
  const id = "0603551d";
  for (let at = output.indexOf(id, 0, "hex"); at >= 0; at = output.indexOf(id, at + 1, "hex")) {
    const other = OPAQUE.get(output[at + 4] ?? 0);
    if (other !== undefined) output[at + 4] = other;
  }
  return output;
}

interface Reader<T> {
  readonly make: (r: Random) => Buffer;
  readonly ours: (input: Uint8Array) => T;
  readonly theirs: (input: Uint8Array) => Record<string, unknown>;
  /** Fields of ours in their form. */
  readonly fields: (ours: T, theirs: Record<string, unknown>) => Record<string, unknown>;
}

const CERTIFICATES: Reader<Certificate> = {
  make: certificate,
  ours: parseCertificate,
  theirs: theirCertificate,
  fields: ourCertificate,
};
const CRLS: Reader<Crl> = { make: crl, ours: parseCrl, theirs: theirCrl, fields: ourCrl };

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

function outcome<T>(read: () => T): Outcome<T> {
  try {
    return { value: read() };
  } catch (error) {
    return { error };
  }
}

function compare<T>(reader: Reader<T>, count: number): void {
  const r = random(seed);
  for (let i = 0; i < count; i++) {
    const good = withOpaqueExtensions(reader.make(r));
    // A broken one may have such a number anew.
    const input = i % 4 === 0 ? good : withOpaqueExtensions(r.pick(BREAKS)(good, r));
    const what = `SEED=${seed} ${i}: ${Buffer.from(input).toString("hex")}`;
    const mine = outcome(() => reader.ours(input));
    const other = outcome(() => reader.theirs(input));
    if ("error" in mine) {
      if (!(mine.error instanceof DerError)) throw mine.error;
      expect(input, `a good one, ${what}`).not.to.equal(good);
      if ("error" in other) continue;
      const { message } = mine.error;
      expect(
        Object.keys(STRICTER).some((reason) => message.includes(reason)),
        `${message}, ${what}`,
      ).to.equal(true);
    } else {
      if ("error" in other) throw new Error(`only we accept ${what}`, { cause: other.error });
      expect(reader.fields(mine.value, other.value), what).to.deep.equal(other.value);
    }
  }
}

describe("against @peculiar/x509", function () {
  this.timeout(isLong ? 1_800_000 : 60_000);

  it(`reads ${COUNT} good and broken certificates alike, or says why it is stricter`, () => {
    console.log(`      seed: SEED=${seed}`);
    compare(CERTIFICATES, COUNT);
  });

  it(`reads ${COUNT / 2} good and broken CRLs alike, or says why it is stricter`, () => {
    compare(CRLS, COUNT / 2);
  });
});
