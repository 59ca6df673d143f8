import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { PlatformCache, parseCollateral, verifyQuote } from "../../../../protocol/evidence/index.ts";
import { parseQuote } from "../../../../protocol/evidence/dcap/parseQuote.ts";
import { toHex } from "../../../../protocol/words/hex.ts";
import { signRaw } from "../../../../worker/tee/simulator/keys.ts";
import { simulatedPlatform } from "../../../../worker/tee/simulator/platform.ts";
import { AT, failedCheck, issued, patched, Offset, pki, platform, quoteOf, root } from "../simulated.ts";

describe("platforms that were seen before", () => {
  const collateral = parseCollateral(issued());
  const judge = (quote: Uint8Array, platforms?: PlatformCache, more: object = {}) =>
    verifyQuote(quote, {
      collateral,
      at: AT + 1,
      crypto: nodeCrypto,
      roots: [root],
      ...(platforms ? { platforms } : {}),
      ...more,
    });

  it("get the same verdict, check by check", async () => {
    const platforms = new PlatformCache();
    const quote = await quoteOf();
    const fresh = await judge(quote);
    expect(await judge(quote, platforms)).to.deep.equal(fresh);
    expect(platforms.find(parseQuote(quote).pckChain)).not.to.equal(undefined);
    expect(await judge(quote, platforms)).to.deep.equal(fresh);
  });

  it("are judged anew by root, revocation, date and signatures", async () => {
    const platforms = new PlatformCache();
    const quote = await quoteOf();
    await judge(quote, platforms);
    const revoked = parseCollateral(issued({ revokedPcks: [platform.pckSerial] }));
    const cases: [string, Promise<unknown>][] = [
      ["root-pinned", judge(quote, platforms, { roots: [] })],
      ["pck-revoked", judge(quote, platforms, { collateral: revoked })],
      ["validity", judge(quote, platforms, { at: AT + 31 * 86_400 })],
      ["quote-signature", judge(patched(quote, Offset.signature, [1, 2, 3]), platforms)],
      ["qe-report-signature", judge(patched(quote, Offset.qeReportSignature, [1, 2, 3]), platforms)],
      ["td-debug", judge(await quoteOf({ debug: true }), platforms)],
    ];
    for (const [check, result] of cases) expect(await failedCheck(result), check).to.equal(check);
  });

  it("have a QE report judged once, and anew where one of its bytes or its signature's is another", async () => {
    const platforms = new PlatformCache();
    const [first, second] = [await quoteOf(), await quoteOf({ debug: false }, platform)];
    const verified: string[] = [];
    const crypto: typeof nodeCrypto = {
      ...nodeCrypto,
      verify: (scheme, key, message, signature) => {
        verified.push(toHex(message));
        return nodeCrypto.verify(scheme, key, message, signature);
      },
    };
    const report = toHex(parseQuote(first).qeReport.raw);
    const times = () => verified.splice(0).filter((message) => message === report).length;
    const fresh = await judge(first, platforms, { crypto });
    expect(times()).to.equal(1);
    expect(await judge(first, platforms, { crypto })).to.deep.equal(fresh);
    expect((await judge(second, platforms, { crypto })).checks.map(({ name }) => name)).to.include(
      "qe-report-signature",
    );
    expect(times()).to.equal(0);

    // Another valid signature over the same report is another one to be judged; so is it on another machine.
    const resigned = patched(first, Offset.qeReportSignature, [
      ...signRaw(platform.pckKey, parseQuote(first).qeReport.raw),
    ]);
    await judge(resigned, platforms, { crypto });
    expect(times()).to.equal(1);
    for (const at of [Offset.qeReport, Offset.qeReport + 383, Offset.qeReportSignature + 63]) {
      const byte = (first[at] as number) ^ 1;
      expect(await failedCheck(judge(patched(first, at, [byte]), platforms, { crypto })), `${at}`).to.equal(
        "qe-report-signature",
      );
    }
    const stranger = simulatedPlatform(pki, { name: "stranger" });
    const strangers = await quoteOf({}, stranger);
    await judge(strangers, platforms, { crypto });
    const borrowed = patched(strangers, Offset.qeReport, [
      ...first.subarray(Offset.qeReport, Offset.qeReportSignature + 64),
    ]);
    expect(await failedCheck(judge(borrowed, platforms, { crypto }))).to.equal("qe-report-signature");
  });

  it("are kept only by quotes that passed, and the one seen longest ago goes first", async () => {
    const platforms = new PlatformCache(2);
    const names = ["a", "b", "c"].map((name) => simulatedPlatform(pki, { name }));
    const quotes = await Promise.all(names.map((one) => quoteOf({}, one)));
    const chains = quotes.map((quote) => parseQuote(quote).pckChain);
    const isKnown = () => chains.map((chain) => platforms.find(chain) !== undefined);
    expect(await failedCheck(judge(quotes[2] as Uint8Array, platforms, { roots: [] }))).to.equal(
      "root-pinned",
    );
    expect(isKnown()).to.deep.equal([false, false, false]);
    for (const quote of quotes) await judge(quote, platforms);
    expect(isKnown()).to.deep.equal([false, true, true]);
  });
});
