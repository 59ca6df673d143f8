import { expect } from "chai";
import { Signature, Wallet, id } from "ethers";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { compactSignature } from "../../../protocol/words/compactSignature.ts";
import type { Hex } from "../../../protocol/words/hex.ts";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe("compactSignature", () => {
  const signed = Array.from({ length: 8 }, (_, i) =>
    new Wallet(id("a key")).signingKey.sign(id(`text ${i}`)),
  );

  it("compactSignature_of65Bytes_isWhatEthersWrites", () => {
    expect(new Set(signed.map(({ v }) => v)).size).to.equal(2);
    for (const { r, serialized, yParityAndS } of signed) {
      expect(compactSignature(serialized as Hex)).to.deep.equal([r, yParityAndS]);
    }
  });

  it("compactSignature_otherLengthOtherVOrHighS_isRefused", () => {
    const [{ serialized, r, s, v }] = signed as [Signature];
    const high = Signature.from({ r, s, v }).serialized.replace(
      s.slice(2),
      (ORDER - BigInt(s)).toString(16).padStart(64, "0"),
    );
    for (const bad of [
      "0x",
      serialized.slice(0, -2),
      `${serialized}00`,
      `${serialized.slice(0, -2)}00`,
      high,
    ]) {
      expect(() => compactSignature(bad as Hex), bad)
        .to.throw()
        .satisfy((error: unknown) => isCharterError(error) && error.code === "signature/malformed");
    }
  });
});
