import { expect } from "chai";

import { CharterError } from "../../../../protocol/errors/CharterError.ts";
import { parseQuote } from "../../../../protocol/evidence/index.ts";
import { MAX_QUOTE_BYTES } from "../../../../protocol/evidence/dcap/parseQuote.ts";
import type { TdReport } from "../../../../protocol/evidence/dcap/tdReport.ts";
import { hasNoServiceTd } from "../../../../protocol/evidence/dcap/reportPolicy.ts";
import { itOnVectors, vector } from "../../../support/vectors.ts";
import { Offset, patched, quoteOf } from "../simulated.ts";

const refused = (bytes: Uint8Array) =>
  expect(() => parseQuote(bytes))
    .to.throw(CharterError)
    .with.property("code", "evidence/quote-format");

/** The same report as a version 5 quote: body type and size stand before the body. */
function version5(quote: Uint8Array, type: number, body: Uint8Array, size = body.length): Uint8Array {
  const header = patched(quote.subarray(0, 48), 0, [5]);
  const descriptor = [type, 0, size & 0xff, size >> 8, 0, 0];
  return Buffer.concat([header, Buffer.from(descriptor), body, quote.subarray(Offset.signatureLength)]);
}

/** The TD report of a quote that is one. */
function tdReport(bytes: Uint8Array): TdReport {
  const { report } = parseQuote(bytes);
  if (report.kind !== "tdx") throw new Error("the quote must be a TD's");
  return report;
}

describe("parseQuote", () => {
  it("reads version 4, and trims zero padding only", async () => {
    const quote = await quoteOf();
    const padded = Buffer.concat([quote, Buffer.alloc(100)]);
    expect(parseQuote(padded).bytes.length).to.equal(quote.length);
    expect(parseQuote(padded).report).to.deep.equal(parseQuote(quote).report);
    refused(Buffer.concat([quote, Buffer.from([0, 1])]));
  });

  it("reads version 5 with a TD 1.0 and with a TD 1.5 body", async () => {
    const quote = await quoteOf();
    const td10 = quote.subarray(Offset.body, Offset.signatureLength);
    expect(parseQuote(version5(quote, 2, td10)).report).to.deep.equal(parseQuote(quote).report);
    const bound = Buffer.concat([td10, Buffer.alloc(16, 2), Buffer.alloc(48, 3)]);
    const report = tdReport(version5(quote, 3, bound));
    expect(report.version).to.equal("1.5");
    expect(hasNoServiceTd(report)).to.equal(false);
    const free = Buffer.concat([td10, Buffer.alloc(64)]);
    expect(hasNoServiceTd(tdReport(version5(quote, 3, free)))).to.equal(true);
  });

  it("refuses another body type, or a type with another size", async () => {
    const quote = await quoteOf();
    const td10 = quote.subarray(Offset.body, Offset.signatureLength);
    refused(version5(quote, 1, td10));
    refused(version5(quote, 3, td10));
    refused(version5(quote, 2, Buffer.concat([td10, Buffer.alloc(64)])));
  });

  it("refuses every other version by its number", async () => {
    const quote = await quoteOf();
    for (const version of [0, 2, 6]) {
      expect(() => parseQuote(patched(quote, 0, [version])))
        .to.throw(CharterError)
        .with.nested.property("details.actual", version);
    }
  });

  it("refuses a quote cut off anywhere", async () => {
    const quote = await quoteOf();
    for (let length = 0; length < quote.length; length++) refused(quote.subarray(0, length));
  });

  it(`refuses more than ${MAX_QUOTE_BYTES} bytes before looking at them`, async () => {
    const quote = await quoteOf();
    const padded = (size: number) => Buffer.concat([quote, Buffer.alloc(size - quote.length)]);
    expect(parseQuote(padded(MAX_QUOTE_BYTES)).version).to.equal(4);
    refused(padded(MAX_QUOTE_BYTES + 1));
  });

  it("refuses lengths that leave something over inside", async () => {
    const quote = await quoteOf();
    // One byte less of PEM inside the same certification data; one byte less of it in the same signature data.
    for (const offset of [Offset.chainHeader + 2, Offset.certification + 2]) {
      refused(patched(quote, offset, [(quote[offset] as number) - 1]));
    }
  });

  itOnVectors("reads real quotes of version 4 and 5", () => {
    expect(parseQuote(vector("tdx/automata-v4/quote_tdx.bin")).bytes.length).to.equal(4935);
    const quote = vector("tdx/dcap-qvl-out-of-date/quote.bin");
    const report = tdReport(quote);
    expect([parseQuote(quote).version, report.version, hasNoServiceTd(report)]).to.deep.equal([
      5,
      "1.5",
      true,
    ]);
  });
});
