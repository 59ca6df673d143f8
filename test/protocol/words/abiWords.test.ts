import { expect } from "chai";
import { encodeAbiParameters } from "viem";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { abiWords } from "../../../protocol/words/abiWords.ts";
import { fromHex, hexBytes, toHex, type Address, type Bytes32 } from "../../../protocol/words/hex.ts";
import { random } from "../../support/random.ts";

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return "none";
  } catch (error) {
    return error instanceof CharterError ? error.code : "another error";
  }
};

describe("words and hex", () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
  const choice = random(seed);
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => choice.below(256));

  it(`abiWords_addressesWordsAndNumbers_areWhatTheGeneralEncoderWrites (SEED=${seed})`, () => {
    const types = [{ type: "address" }, { type: "bytes32" }, { type: "uint256" }, { type: "uint8" }] as const;
    const numbers = [0n, 1n, 255n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 128n + 5n, 2n ** 256n - 1n];
    for (const number of numbers) {
      const [app, word] = [toHex(bytes(20)) as Address, toHex(bytes(32)) as Bytes32];
      expect(toHex(abiWords(app, word, number, 7n))).to.equal(
        encodeAbiParameters(types, [app, word, number, 7]),
      );
    }
    expect(abiWords()).to.have.length(0);
  });

  it("abiWords_whatFitsNoWord_isRefused", () => {
    const cases: [string, unknown][] = [
      ["hex/invalid", "0x0g"],
      ["hex/invalid", "00".repeat(20)],
      ["hex/length", `0x${"00".repeat(21)}`],
      ["hex/length", "0x"],
      ["hex/length", -1n],
      ["hex/length", 2n ** 256n],
    ];
    for (const [code, value] of cases)
      expect(
        codeOf(() => abiWords(value as bigint)),
        String(value),
      ).to.equal(code);
  });

  it(`fromHex_anyCase_isWhatBuffersRead_andNothingElseIsHex (SEED=${seed})`, () => {
    for (const length of [...Array(40).keys(), 127, 128, 129, 5_000]) {
      const given = bytes(length);
      const text = Buffer.from(given).toString("hex");
      for (const each of [text, text.toUpperCase()]) expect(fromHex(`0x${each}`)).to.deep.equal(given);
      expect(hexBytes(text)).to.deep.equal(given);
      expect(toHex(given)).to.equal(`0x${text}`);
      expect(toHex(Uint8Array.of(1, ...given, 1).subarray(1, length + 1))).to.equal(`0x${text}`);
    }
    // Every character that is no digit, in either place of a byte, in what a loop reads and in what Node does.
    for (let code = 0; code < 0x400; code++) {
      const character = String.fromCharCode(code);
      if (/[0-9a-fA-F]/.test(character)) continue;
      for (const around of ["", "00".repeat(100)]) {
        expect(hexBytes(`${around}0${character}${around}`), `${code}`).to.equal(null);
        expect(hexBytes(`${around}${character}0${around}`), `${code}`).to.equal(null);
      }
    }
    for (const wrong of ["0x0", "", "00", "0X00", "0x 0", "0x00 "]) {
      expect(
        codeOf(() => fromHex(wrong)),
        wrong,
      ).to.equal("hex/invalid");
    }
  });
});
