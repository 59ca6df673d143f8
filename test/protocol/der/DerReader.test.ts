import { expect } from "chai";

import { DerReader, readOnly, Tag } from "../../../protocol/der/DerReader.ts";
import {
  readEcdsaSignature,
  readObjectId,
  readSmall,
  readTime,
  readWholeBits,
} from "../../../protocol/der/values.ts";

const reader = (hex: string) => new DerReader(Buffer.from(hex, "hex"));
const malformed = (work: () => unknown) => expect(work).to.throw().with.property("code", "der/malformed");
const time = (tag: number, text: string) =>
  readTime(new DerReader(Buffer.concat([Buffer.from([tag, text.length]), Buffer.from(text)])));

describe("the strict DER reader", () => {
  it("reads short and long definite lengths", () => {
    expect(reader("0403010203").read(Tag.OctetString).content.length).to.equal(3);
    expect(reader(`048180${"00".repeat(128)}`).read(Tag.OctetString).content.length).to.equal(128);
    expect(reader(`04820100${"00".repeat(256)}`).read(Tag.OctetString).content.length).to.equal(256);
  });

  it("refuses lengths that are indefinite, not minimal, too long or cut off", () => {
    for (const hex of [
      "0480000000",
      "048103010203",
      `0482007f${"00".repeat(127)}`,
      `04820080${"00".repeat(128)}`,
      "0484000000010a",
      "0403ab",
      "0482",
      "04",
      "",
    ]) {
      malformed(() => reader(hex).read(Tag.OctetString));
    }
  });

  it("refuses another tag, tags of several bytes, and anything left over", () => {
    malformed(() => reader("020100").read(Tag.OctetString));
    malformed(() => reader("1f8101").readAny());
    malformed(() => readOnly(Buffer.from("300000", "hex"), Tag.Sequence));
    malformed(() => reader("3000").end());
  });

  it("reads minimal non-negative integers only", () => {
    expect(readSmall(reader("020100"))).to.equal(0);
    expect(readSmall(reader("02020080"))).to.equal(128);
    for (const hex of ["0200", "020180", "02020001", "02050100000000"])
      malformed(() => readSmall(reader(hex)));
  });

  it("reads object identifiers in minimal arcs only", () => {
    expect(readObjectId(reader("060a2a864886f84d010d0102"))).to.equal("1.2.840.113741.1.13.1.2");
    // 2.25.(2^128 - 1), and one arc more than 128 bits wide.
    expect(readObjectId(reader(`06146983${"ff".repeat(17)}7f`))).to.equal(`2.25.${2n ** 128n - 1n}`);
    malformed(() => readObjectId(reader(`06146984${"80".repeat(17)}00`)));
    for (const hex of ["0600", "06022a86", "06032a8001", `06152a${"ff".repeat(19)}7f`])
      malformed(() => readObjectId(reader(hex)));
  });

  it("reads bit strings of whole bytes only", () => {
    expect([...readWholeBits(reader("030200ff"))]).to.deep.equal([0xff]);
    for (const hex of ["0300", "030201fe"]) malformed(() => readWholeBits(reader(hex)));
  });

  it("reads times of RFC 5280 only, two-digit years around 1950", () => {
    expect(time(Tag.UtcTime, "260218115851Z")).to.equal(Date.parse("2026-02-18T11:58:51Z") / 1000);
    expect(time(Tag.UtcTime, "500101000000Z")).to.equal(Date.parse("1950-01-01T00:00:00Z") / 1000);
    expect(time(Tag.GeneralizedTime, "20491231235959Z")).to.equal(Date.parse("2049-12-31T23:59:59Z") / 1000);
    for (const text of [
      "2602181158Z",
      "260218115851+0100",
      "260231115851Z",
      "260218245851Z",
      "261318115851Z",
    ]) {
      malformed(() => time(Tag.UtcTime, text));
    }
    malformed(() => time(Tag.GeneralizedTime, "20491231235959.5Z"));
  });

  it("reads ECDSA signatures of two numbers of at most 32 bytes, and nothing behind them", () => {
    const signature = readEcdsaSignature(reader("300702010102020080"), 32);
    expect(signature.length).to.equal(64);
    expect([signature[31], signature[63]]).to.deep.equal([1, 0x80]);
    malformed(() => readEcdsaSignature(reader("3009020101020101020101"), 32));
    malformed(() => readEcdsaSignature(reader(`3026022101${"00".repeat(32)}020101`), 32));
  });
});
