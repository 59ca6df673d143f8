import { expect } from "chai";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { toHex } from "../../../protocol/words/hex.ts";
import { platformFamily, rememberedFamilies } from "../../../relayer/evidence/platformFamily.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedSgx } from "../../../worker/tee/simulator/SimulatedSgx.ts";
import { pki, platform, quoteOf } from "../../protocol/evidence/simulated.ts";

describe("families of platforms that were seen before", () => {
  it("family_firstAndAgain_isWhatTheQuoteClaims", async () => {
    const familyOf = rememberedFamilies(1);
    const quotes = [
      await quoteOf(),
      await quoteOf({}, simulatedPlatform(pki, { name: "another" })),
      new SimulatedSgx(platform).quote(new Uint8Array(64)),
    ];
    for (const quote of [...quotes, ...quotes]) {
      const text = toHex(quote);
      expect(familyOf(text)).to.deep.equal(platformFamily(quote));
      expect(familyOf(text.slice(2).toUpperCase())).to.deep.equal(platformFamily(quote));
    }
    expect(familyOf(toHex(quotes[2] as Uint8Array)).tee).to.equal("sgx");
  });

  it("family_whatIsNoQuote_isRefused", async () => {
    const familyOf = rememberedFamilies();
    const text = toHex(await quoteOf());
    familyOf(text);
    for (const wrong of [
      "",
      "0x",
      text.slice(0, -1),
      `${text.slice(0, 100)}zz${text.slice(102)}`,
      text.slice(0, 2_000),
    ]) {
      let code = "none";
      try {
        familyOf(wrong);
      } catch (error) {
        code = error instanceof CharterError ? error.code : "another error";
      }
      expect(code, wrong.slice(0, 20)).to.equal("evidence/quote-format");
    }
  });
});
