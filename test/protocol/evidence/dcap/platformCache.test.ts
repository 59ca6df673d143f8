import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { PlatformCache, parseCollateral, verifyQuote } from "../../../../protocol/evidence/index.ts";
import { parseQuote } from "../../../../protocol/evidence/dcap/parseQuote.ts";
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
