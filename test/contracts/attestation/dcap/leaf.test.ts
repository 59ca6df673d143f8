import { keccak256, sha256 } from "ethers";
import { expect } from "chai";

import { parseCertificate } from "../../../../protocol/der/certificate.ts";
import { parseQuote } from "../../../../protocol/evidence/dcap/parseQuote.ts";
import { pckFields } from "../../../../protocol/evidence/dcap/onchain/pckTemplate.ts";
import { readPckExtensions } from "../../../../protocol/evidence/dcap/pckExtensions.ts";
import { isCharterError } from "../../../../protocol/errors/CharterError.ts";
import { toHex } from "../../../../protocol/words/hex.ts";
import * as der from "../../../../worker/tee/simulator/der.ts";
import { SGX_EXTENSIONS } from "../../../../worker/tee/simulator/sgxExtensions.ts";
import type { PckLeafHarness } from "../../../../types/typechain/index.ts";
import {
  elementsOf,
  firstOf,
  keyOf,
  pckCertificate,
  reshaped,
  withExtensions,
} from "../../../protocol/evidence/dcap/forgery.ts";
import { AT, pki, platform } from "../../../protocol/evidence/simulated.ts";
import { itOnVectors, vector } from "../../../support/vectors.ts";
import type { Connection } from "../../support/charter.ts";
import { fieldsOf, openChainAt } from "./support/verifier.ts";

const QUOTES = [
  "tdx/dcap-qvl-2025-06/quote.bin",
  "tdx/dcap-qvl-out-of-date/quote.bin",
  "tdx/automata-v4/quote_tdx.bin",
  "sgx/dcap-qvl/quote.bin",
];
const CA = pki.platformCa.key;
const extension = (id: string, value: Uint8Array, critical = false): Buffer =>
  der.sequence(der.objectId(id), ...(critical ? [der.yes()] : []), der.octets(value));

/** The SGX extension of a certificate with its entries changed. */
const withSgx = (change: (entries: Buffer[]) => readonly Uint8Array[]): Buffer =>
  withExtensions(pckCertificate(), CA, (list) =>
    list.map((each) =>
      each.includes(der.objectId(SGX_EXTENSIONS)) && !each.includes(Buffer.from([0x55, 0x1d]))
        ? extension(
            SGX_EXTENSIONS,
            der.sequence(...change(elementsOf(elementsOf(each)[1]?.subarray(4) as Buffer))),
          )
        : each,
    ),
  );
const sgxEntry = (number: string, value: Uint8Array): Buffer =>
  der.sequence(der.objectId(`${SGX_EXTENSIONS}.${number}`), value);
/** The entry `TCB` with its components changed. */
const withTcb = (change: (components: Buffer[]) => readonly Uint8Array[]): Buffer =>
  withSgx((entries) =>
    entries.map((entry, i) =>
      i === 1 ? sgxEntry("2", der.sequence(...change(elementsOf(elementsOf(entry)[1] as Buffer)))) : entry,
    ),
  );
const withField = (index: number, value: Uint8Array): Buffer =>
  reshaped(pckCertificate(), CA, (fields) => fields.map((field, i) => (i === index ? value : field)));
const replaced = (index: number, element: Uint8Array) => (list: readonly Uint8Array[]) =>
  list.map((each, i) => (i === index ? element : each));
/** A PCK certificate with one more extension, under the identifier of these bytes. */
const withIdentifier = (bytes: readonly number[]): Buffer =>
  withExtensions(pckCertificate(), CA, (list) => [
    ...list,
    der.sequence(Buffer.from([6, bytes.length, ...bytes]), der.octets(Buffer.alloc(0))),
  ]);
const utc = (text: string): Buffer => Buffer.concat([Buffer.from([0x17, text.length]), Buffer.from(text)]);
const generalized = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x18, text.length]), Buffer.from(text)]);
const validity = (from: Uint8Array, until: Uint8Array): Buffer => withField(4, der.sequence(from, until));

/** Certificates that both readers take. */
const ACCEPTED: Readonly<Record<string, () => Buffer>> = {
  "as the vendor issues it": () => pckCertificate(),
  "a serial of one byte": () => pckCertificate({ serial: Uint8Array.of(1) }),
  "a serial of twenty bytes with its top bit set": () =>
    pckCertificate({ serial: new Uint8Array(20).fill(255) }),
  "SVNs at their edges": () =>
    pckCertificate(
      {},
      { cpuSvn: Uint8Array.from({ length: 16 }, (_, i) => [0, 0x7f, 0x80, 0xff][i % 4] as number) },
    ),
  ...Object.fromEntries(
    [0, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff].map((pceSvn) => [
      `PCESVN ${pceSvn}`,
      () => pckCertificate({}, { pceSvn }),
    ]),
  ),
  "SGX entries in another order": () => withSgx((entries) => entries.toReversed()),
  "SGX entries of unknown numbers": () => withSgx((entries) => [...entries, sgxEntry("100", der.nothing())]),
  "extensions in another order": () => withExtensions(pckCertificate(), CA, (list) => list.toReversed()),
  "an unknown extension that is not critical": () =>
    withExtensions(pckCertificate(), CA, (list) => [
      extension("1.3.6.1.5.5.7.1.1", der.octets(Buffer.alloc(200))),
      extension("1.3.6.1.5.5.7.1.2", Buffer.alloc(0)),
      ...list,
    ]),
  "dates in GeneralizedTime": () => validity(generalized("19500101000000Z"), generalized("99991231235959Z")),
  "a leap day": () => validity(utc("000229235959Z"), generalized("24000229000000Z")),
  "dates in the 20th century": () => validity(utc("500101000000Z"), utc("991231235959Z")),
  "the last second of a day before 1970": () => validity(utc("691231235959Z"), utc("700101000000Z")),
};

/** Certificates that neither reader takes. */
const REFUSED: Readonly<Record<string, () => Buffer>> = {
  "bytes behind the certificate": () => Buffer.concat([pckCertificate(), Buffer.from([0])]),
  "version 1": () => withField(0, der.tagged(0, der.integer(0))),
  "a negative serial": () => withField(1, Buffer.from([2, 1, 0x80])),
  "a serial that is not minimal": () => withField(1, Buffer.from([2, 2, 0, 1])),
  "a serial of 21 bytes": () => withField(1, Buffer.concat([Buffer.from([2, 21, 1]), Buffer.alloc(20)])),
  "an empty serial": () => withField(1, Buffer.from([2, 0])),
  "another algorithm inside": () => withField(2, der.sequence(der.objectId("1.2.840.10045.4.3.3"))),
  "algorithm parameters": () =>
    withField(2, der.sequence(der.objectId("1.2.840.10045.4.3.2"), der.nothing())),
  "30 February": () => validity(utc("260230000000Z"), utc("400101000000Z")),
  "29 February of a common year": () => validity(utc("260101000000Z"), generalized("21000229000000Z")),
  "31 April": () => validity(utc("260431000000Z"), utc("400101000000Z")),
  "month 13": () => validity(utc("261301000000Z"), utc("400101000000Z")),
  "month 0": () => validity(utc("260001000000Z"), utc("400101000000Z")),
  "day 0": () => validity(utc("260100000000Z"), utc("400101000000Z")),
  "hour 24": () => validity(utc("260101240000Z"), utc("400101000000Z")),
  "second 60": () => validity(utc("260101000060Z"), utc("400101000000Z")),
  "a time without seconds": () => validity(utc("2601010000Z"), utc("400101000000Z")),
  "a time with an offset": () => validity(utc("260101000000+0000"), utc("400101000000Z")),
  "a time with no zone": () => validity(utc("2601010000000"), utc("400101000000Z")),
  "a sign among the digits": () => validity(utc("26010100000-Z"), utc("400101000000Z")),
  "a year before 1950": () => validity(generalized("19491231235959Z"), utc("400101000000Z")),
  "three times": () =>
    withField(4, der.sequence(utc("260101000000Z"), utc("400101000000Z"), utc("400101000000Z"))),
  "a compressed key": () => {
    const point = Buffer.concat([Buffer.from([2]), Buffer.alloc(32, 1)]);
    const id = der.sequence(der.objectId("1.2.840.10045.2.1"), der.objectId("1.2.840.10045.3.1.7"));
    return withField(6, der.sequence(id, der.bits(point)));
  },
  "a key on another curve": () => pckCertificate({ key: keyOf("other", "P-384") }),
  "a duplicate extension": () => withExtensions(pckCertificate(), CA, (list) => [...list, list[0] as Buffer]),
  "a duplicate unknown extension": () =>
    withExtensions(pckCertificate(), CA, (list) => [
      extension("1.2.3", Buffer.alloc(0)),
      extension("1.2.3", Buffer.alloc(1)),
      ...list,
    ]),
  "an unknown critical extension": () =>
    withExtensions(pckCertificate(), CA, (list) => [...list, extension("2.5.29.36", der.sequence(), true)]),
  "33 extensions": () =>
    withExtensions(pckCertificate(), CA, (list) => [
      ...list,
      ...Array.from({ length: 28 }, (_, i) => extension(`1.2.${i}`, Buffer.alloc(0))),
    ]),
  "FALSE written": () =>
    withExtensions(pckCertificate(), CA, (list) =>
      replaced(
        3,
        der.sequence(der.objectId("2.5.29.19"), Buffer.from([1, 1, 0]), der.octets(der.sequence())),
      )(list),
    ),
  "TRUE as 1": () =>
    withExtensions(pckCertificate(), CA, (list) =>
      replaced(
        3,
        der.sequence(der.objectId("2.5.29.19"), Buffer.from([1, 1, 1]), der.octets(der.sequence())),
      )(list),
    ),
  "an arc that is not minimal": () => withIdentifier([0x2a, 0x80, 1]),
  "an arc of more than 128 bits": () => withIdentifier([0x69, 0x84, ...Array<number>(17).fill(0x80), 0]),
  "an identifier that does not end": () => withIdentifier([0x2a, 0x83]),
  "no extensions": () => reshaped(pckCertificate(), CA, (fields) => fields.slice(0, -1)),
  "a field behind the extensions": () =>
    reshaped(pckCertificate(), CA, (fields) => [...fields, der.nothing()]),
  "a CA": () => pckCertificate({ ca: 0 }),
  "keyUsage with unused bits set": () =>
    withExtensions(pckCertificate(), CA, (list) =>
      replaced(2, extension("2.5.29.15", Buffer.from([3, 2, 7, 0xc0]), true))(list),
    ),
  "keyUsage of no bits": () =>
    withExtensions(pckCertificate(), CA, (list) =>
      replaced(2, extension("2.5.29.15", Buffer.from([3, 1, 0]), true))(list),
    ),
  "no SGX extension": () => pckCertificate({ extensions: [] }),
  "an SGX entry twice": () => withSgx((entries) => [...entries, entries[0] as Buffer]),
  "an unknown SGX entry twice": () =>
    withSgx((entries) => [...entries, sgxEntry("9", der.nothing()), sgxEntry("9", der.nothing())]),
  ...Object.fromEntries(
    ["PPID", "TCB", "PCEID", "FMSPC"].map((name, i) => [
      `no ${name}`,
      () => withSgx((entries) => entries.filter((_, j) => j !== i)),
    ]),
  ),
  "a PPID of 15 bytes": () => pckCertificate({}, { ppid: new Uint8Array(15) }),
  "a PCEID of 3 bytes": () => pckCertificate({}, { pceId: new Uint8Array(3) }),
  "an FMSPC of 5 bytes": () => pckCertificate({}, { fmspc: new Uint8Array(5) }),
  "a PPID with something behind it": () =>
    withSgx((entries) => [
      der.sequence(der.objectId(`${SGX_EXTENSIONS}.1`), der.octets(platform.ppid), der.nothing()),
      ...entries.slice(1),
    ]),
  "an SVN of 256": () => withTcb((list) => replaced(4, sgxEntry("2.5", der.integer(256)))(list)),
  "a negative SVN": () => withTcb((list) => replaced(4, sgxEntry("2.5", Buffer.from([2, 1, 0x80])))(list)),
  "an SVN that is not minimal": () =>
    withTcb((list) => replaced(4, sgxEntry("2.5", Buffer.from([2, 2, 0, 1])))(list)),
  "an SVN with something behind it": () =>
    withTcb((list) =>
      replaced(4, der.sequence(der.objectId(`${SGX_EXTENSIONS}.2.5`), der.integer(1), der.nothing()))(list),
    ),
  "a PCESVN of 65536": () => withTcb((list) => replaced(16, sgxEntry("2.17", der.integer(65_536)))(list)),
  "TCB components in another order": () =>
    withTcb((list) => [list[1] as Buffer, list[0] as Buffer, ...list.slice(2)]),
  "15 TCB components": () => withTcb((list) => [...list.slice(0, 15), ...list.slice(16)]),
  "no CPUSVN": () => withTcb((list) => list.slice(0, 17)),
  "a CPUSVN of 15 bytes": () =>
    withTcb((list) => replaced(17, sgxEntry("2.18", der.octets(Buffer.alloc(15))))(list)),
  "something behind CPUSVN": () => withTcb((list) => [...list, der.nothing()]),
};

/** Certificates that the profile forbids and the TypeScript reader, which serves other vendors too, takes. */
const STRICTER: Readonly<Record<string, () => Buffer>> = {
  "a serial of zero": () => withField(1, Buffer.from([2, 1, 0])),
  "another issuer": () => pckCertificate({ issuer: { ...pki.platformCa, name: "Other" } }),
  "another subject": () => pckCertificate({ subject: "Intel SGX PCK Platform CA" }),
  "no keyUsage": () => withExtensions(pckCertificate(), CA, (list) => list.filter((_, i) => i !== 2)),
  "keyUsage without digitalSignature": () =>
    withExtensions(pckCertificate(), CA, (list) =>
      replaced(2, extension("2.5.29.15", Buffer.from([3, 2, 6, 0x40]), true))(list),
    ),
  "no basicConstraints": () => withExtensions(pckCertificate(), CA, (list) => list.filter((_, i) => i !== 3)),
  "an SGX entry under another arc": () =>
    withSgx((entries) => [...entries, der.sequence(der.objectId("1.2.3"), der.nothing())]),
  // The TypeScript reader takes UUIDs below 2.25, for extensions of instances' certificates.
  "an arc of more than 32 bits": () => withIdentifier([0x69, 0x90, 0x80, 0x80, 0x80, 0]),
};

/** The TypeScript reader, with what verifyQuote asks of a PCK certificate beyond it. */
function isReadOffChain(leaf: Uint8Array): boolean {
  try {
    const certificate = parseCertificate(leaf);
    readPckExtensions(certificate);
    return !certificate.isCa && certificate.keyType === "P-256";
  } catch (error) {
    if (isCharterError(error)) return false;
    throw error;
  }
}

describe("PckLeaf", () => {
  let connection: Connection;
  let harness: PckLeafHarness;
  before(async () => {
    connection = await openChainAt(AT);
    harness = (await connection.ethers.deployContract("PckLeafHarness")) as unknown as PckLeafHarness;
  });
  after(async () => connection.close());

  async function expectTwins(leaf: Uint8Array, simulated: boolean): Promise<void> {
    const ours = parseCertificate(leaf);
    const facts = readPckExtensions(ours);
    const read = await harness.read(leaf, simulated);
    const fields = pckFields(leaf);
    if (fields) {
      expect(fieldsOf(await harness.readFields(fields, simulated)), "by its fields").to.deep.equal(
        fieldsOf(read),
      );
    }
    expect(read.serial).to.equal(BigInt(ours.serial));
    expect(read.notBefore).to.equal(BigInt(Math.max(ours.notBefore, 0)));
    expect(read.notAfter).to.equal(BigInt(Math.max(ours.notAfter, 0)));
    expect(read.x + read.y.slice(2)).to.equal(toHex(ours.publicKey));
    expect(read.r + read.s.slice(2)).to.equal(toHex(ours.signature));
    expect(read.signedDigest).to.equal(sha256(ours.tbs));
    expect(read.signedHash).to.equal(keccak256(ours.tbs));
    expect(read.sgx.ppid).to.equal(toHex(facts.ppid));
    expect(read.sgx.svns).to.equal(toHex(Uint8Array.from(facts.sgxSvns)));
    expect(read.sgx.pceSvn).to.equal(BigInt(facts.pceSvn));
    expect(read.sgx.pceId).to.equal(toHex(facts.pceId));
    expect(read.sgx.fmspc).to.equal(toHex(facts.fmspc));
  }

  for (const [title, make] of Object.entries(ACCEPTED)) {
    it(`reads what the TypeScript reader reads: ${title}`, () => expectTwins(make(), true));
  }

  for (const path of QUOTES) {
    itOnVectors(`reads Intel's certificate of ${path}, and says which CA issued it`, async () => {
      const leaf = firstOf(parseQuote(vector(path)).pckChain);
      await expectTwins(leaf, false);
      expect(pckFields(leaf), "has the usual form").to.have.lengthOf(path.startsWith("sgx") ? 278 : 297);
      expect((await harness.read(leaf, false)).ca).to.equal(path.startsWith("sgx") ? 2n : 1n);
      await expect(harness.read(leaf, true)).to.be.revertedWithCustomError(harness, "BadCertificate");
    });
  }

  const expectRefused = (leaf: Uint8Array): Promise<void> =>
    expect(harness.read(leaf, true)).to.be.revertedWithCustomError(harness, "BadCertificate");

  for (const [title, make] of Object.entries(REFUSED)) {
    it(`refuses, as the TypeScript reader does: ${title}`, async () => {
      const leaf = make();
      expect(isReadOffChain(leaf), "TypeScript").to.equal(false);
      await expectRefused(leaf);
    });
  }

  for (const [title, make] of Object.entries(STRICTER)) {
    it(`holds to Intel's profile where the TypeScript reader takes more: ${title}`, async () => {
      const leaf = make();
      expect(isReadOffChain(leaf), "TypeScript").to.equal(true);
      await expectRefused(leaf);
    });
  }

  it("refuses a certificate that is cut off anywhere", async () => {
    const leaf = pckCertificate();
    for (let length = 0; length < leaf.length; length += 13) await expectRefused(leaf.subarray(0, length));
  });

  it("takes no fields of another length, CA, serial or kind of time", async () => {
    const fields = pckFields(pckCertificate());
    if (!fields) throw new Error("the simulated vendor's certificates have the usual form");
    const patched = (offset: number, ...bytes: number[]): Uint8Array => {
      const copy = Uint8Array.from(fields);
      copy.set(bytes, offset);
      return copy;
    };
    await harness.readFields(fields, true);
    const bad = {
      "one byte less": fields.subarray(0, -1),
      "one byte more": Buffer.concat([fields, Buffer.of(0)]),
      "no byte": new Uint8Array(),
      "no CA": patched(0, 0),
      "a third CA": patched(0, 3),
      "the other CA": patched(0, 2),
      "a serial of zero": patched(1, ...new Uint8Array(20)),
      GeneralizedTime: patched(21, 0x18, 0x0f),
      "month 13": patched(25, 0x31, 0x33),
      "a time that reaches over the fields": patched(36, 0x18, 0x0f),
    };
    for (const [title, each] of Object.entries(bad)) {
      await expect(harness.readFields(each, true), title).to.be.revertedWithCustomError(
        harness,
        "BadCertificate",
      );
    }
  });

  it("writes no other certificate's signed part for other fields", async () => {
    const leaf = pckCertificate();
    const fields = pckFields(leaf) as Uint8Array;
    const { signedHash } = await harness.readFields(fields, true);
    expect((await harness.readFields(fields, false)).signedHash, "under Intel's names").not.to.equal(
      signedHash,
    );
    // Every byte but the signature's is in it; times are read, so a change there may also be no time.
    for (const [from, to] of [
      [1, 21],
      [51, 214],
      [278, 297],
    ] as const) {
      for (let i = from; i < to; i++) {
        const copy = Uint8Array.from(fields);
        copy[i] = (copy[i] as number) ^ 1;
        expect((await harness.readFields(copy, true)).signedHash, `byte ${i}`).not.to.equal(signedHash);
      }
    }
  });

  it("knows both CAs of the test vendor by their whole names", async () => {
    const processor = { name: "Intel SGX PCK Processor CA", key: CA };
    expect((await harness.read(pckCertificate(), true)).ca).to.equal(1n);
    expect((await harness.read(pckCertificate({ issuer: processor }), true)).ca).to.equal(2n);
  });
});
