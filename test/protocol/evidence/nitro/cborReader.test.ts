import { Decoder, Encoder } from "cbor-x";
import { expect } from "chai";

import { CborReader } from "../../../../protocol/evidence/nitro/CborReader.ts";
import { parseNitroDocument, type NitroDocument } from "../../../../protocol/evidence/nitro/parseDocument.ts";
import { isCharterError } from "../../../../protocol/errors/CharterError.ts";
import { fromHex, toHex } from "../../../../protocol/words/hex.ts";
import { mutatedBytes } from "../../../support/mutation.ts";
import { random } from "../../../support/random.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { hasVectors } from "../../../support/vectors.ts";
import { attest, nitroVector } from "./simulatedNitro.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1e9);
const ROUNDS = 3_000;
const reader = (hex: string): CborReader => new CborReader(fromHex(`0x${hex}`));
const refused = (work: () => unknown): void => {
  expect(refusalOf(work)).to.equal("evidence/nitro-format");
};

describe("the CBOR reader", () => {
  it("reads numbers of every size in their shortest form alone", () => {
    const encoder = new Encoder();
    for (const value of [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1]) {
      expect(new CborReader(encoder.encode(value)).uint("a number")).to.equal(value);
    }
    expect(reader("1b0000019b55a68bd2").uint("a number")).to.equal(0x19b55a68bd2);
    expect(reader("1b001fffffffffffff").uint("a number")).to.equal(Number.MAX_SAFE_INTEGER);
    for (const hex of [
      ...["1800", "1817", "1900ff", "1a0000ffff", "1b00000000ffffffff"],
      ...["1b0020000000000000", "1bffffffffffffffff"],
      ...["1c", "1d", "1e", "1f", "", "18", "1901", "20", "40", "f6", "c200", "fb7ff0000000000000"],
    ]) {
      refused(() => reader(hex).uint("a number"));
    }
  });

  it("reads bytes and text of a length within bounds, whole, and text in UTF-8", () => {
    expect(toHex(reader("43010203").bytes("bytes", 3, 3))).to.equal("0x010203");
    expect(reader("63e282ac").text("text", 0, 3)).to.equal("€");
    for (const [hex, least, most] of [
      ["43010203", 4, 9],
      ["43010203", 0, 2],
      ["430102", 0, 9],
      ["5803010203", 0, 9],
      ["5b7fffffffffffffff", 0, Infinity],
      ["5f4101ff", 0, 9],
      ["63010203", 0, 9],
    ] as const) {
      refused(() => reader(hex).bytes("bytes", least, most));
    }
    for (const hex of ["62c328", "63eda080", "43010203", "7f6161ff"]) {
      refused(() => reader(hex).text("text", 0, 9));
    }
  });

  it("reads maps of a length within bounds, and stops at nothing but their end", () => {
    const entries = (hex: string, most: number): number[] => {
      const seen: number[] = [];
      const cbor = reader(hex);
      cbor.map("a map", most, () => seen.push(cbor.uint("a key"), cbor.uint("a value")));
      cbor.end("the map");
      return seen;
    };
    expect(entries("a10102", 1)).to.deep.equal([1, 2]);
    expect(entries("bf01020304ff", 2)).to.deep.equal([1, 2, 3, 4]);
    for (const hex of [
      "a201020304",
      "bf01020304ff",
      "a101",
      "bf0102",
      "bf01ff",
      "bf",
      "a1010200",
      "a0ff",
      "80",
    ]) {
      refused(() => entries(hex, 1));
    }
  });

  it("takes null where a value is optional, and no other tag than the one asked for", () => {
    const nothing = reader("f6");
    expect(nothing.optional(() => nothing.bytes("bytes", 0, 9))).to.equal(null);
    const undefinedValue = reader("f7");
    refused(() => undefinedValue.optional(() => undefinedValue.bytes("bytes", 0, 9)));
    const tagged = reader("d201");
    tagged.optionalTag(18);
    expect(tagged.uint("a number")).to.equal(1);
    for (const hex of ["d3", "d812", "c0"]) refused(() => reader(hex).optionalTag(18));
    // Twice is not asked for.
    const twice = reader("d2d201");
    twice.optionalTag(18);
    refused(() => twice.uint("a number"));
  });
});

/** What cbor-x, which takes far more, reads from a document. */
function byOracle(bytes: Uint8Array): NitroDocument {
  const decoder = new Decoder({ mapsAsObjects: false, useRecords: false });
  const whole = decoder.decode(bytes) as { value?: Uint8Array[] } & Uint8Array[];
  const payload = (whole.value ?? whole)[2] as Uint8Array;
  const map = decoder.decode(payload) as Map<string, unknown>;
  expect(map.get("digest")).to.equal("SHA384");
  return {
    moduleId: map.get("module_id"),
    timestamp: Number(map.get("timestamp")),
    pcrs: map.get("pcrs"),
    certificate: map.get("certificate"),
    cabundle: map.get("cabundle"),
    publicKey: map.get("public_key") ?? null,
    userData: map.get("user_data") ?? null,
    nonce: map.get("nonce") ?? null,
  } as NitroDocument;
}

/** All that a document says, whatever class its bytes are of. */
function said(document: NitroDocument): string[] {
  const { moduleId, timestamp, pcrs, certificate, cabundle, publicKey, userData, nonce } = document;
  const optional = [publicKey, userData, nonce].map((value) => (value === null ? "none" : toHex(value)));
  const registers = [...pcrs].map(([index, pcr]) => `${index} ${toHex(pcr)}`);
  return [moduleId, String(timestamp), ...registers, ...[certificate, ...cabundle].map(toHex), ...optional];
}

describe("Nitro documents read by another CBOR reader", function () {
  this.timeout(60_000);
  const binding = {
    userData: new Uint8Array(64).fill(3),
    nonce: new Uint8Array(20),
    publicKey: Buffer.of(9),
  };
  const seeds = [
    attest(),
    attest({ tagged: true }, binding),
    ...(hasVectors ? [nitroVector("attestation"), nitroVector("attestation-debug")] : []),
  ];

  it("say the same", () => {
    for (const bytes of seeds) {
      expect(said(parseNitroDocument(bytes).document)).to.deep.equal(said(byOracle(bytes)));
    }
  });

  it(`say the same after random changes, where this one takes them (SEED=${SEED})`, () => {
    const chance = random(SEED);
    let taken = 0;
    for (let i = 0; i < ROUNDS; i++) {
      const bytes = mutatedBytes(chance.pick(seeds), chance);
      let document: NitroDocument;
      try {
        document = parseNitroDocument(bytes).document;
      } catch (error) {
        expect(isCharterError(error) && error.code, `round ${i}`).to.equal("evidence/nitro-format");
        continue;
      }
      taken++;
      expect(said(document), `round ${i}`).to.deep.equal(said(byOracle(bytes)));
    }
    expect(taken).to.be.greaterThan(ROUNDS / 100);
  });
});
