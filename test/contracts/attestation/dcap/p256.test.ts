import { createHash } from "node:crypto";

import { expect } from "chai";
import hre from "hardhat";

import { publicPoint, signRaw } from "../../../../worker/tee/simulator/keys.ts";
import type { P256Harness } from "../../../../types/typechain/index.ts";
import { keyOf } from "../../../protocol/evidence/dcap/forgery.ts";
import type { Connection } from "../../support/charter.ts";
import { openChainAt } from "./support/verifier.ts";

/** Order of P-256's group and the prime of its field (SEC 2 §2.4.2). */
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const word = (value: bigint | Uint8Array): string =>
  `0x${(typeof value === "bigint" ? value.toString(16) : Buffer.from(value).toString("hex")).padStart(64, "0")}`;

const privateKey = keyOf("p256 edges");
const message = Buffer.from("charter");
const signature = signRaw(privateKey, message);
const point = publicPoint(privateKey);
const good = {
  digest: word(createHash("sha256").update(message).digest()),
  r: BigInt(word(signature.subarray(0, 32))),
  s: BigInt(word(signature.subarray(32))),
  x: BigInt(word(point.subarray(0, 32))),
  y: BigInt(word(point.subarray(32))),
};

describe("P256", () => {
  let connection: Connection;
  let harness: P256Harness;
  before(async () => {
    connection = await openChainAt(1_800_000_000);
    harness = (await connection.ethers.deployContract("P256Harness")) as unknown as P256Harness;
  });
  after(async () => connection.close());

  const verify = (change: Partial<typeof good> = {}): Promise<boolean> => {
    const { digest, r, s, x, y } = { ...good, ...change };
    return harness.verify(digest, word(r), word(s), word(x), word(y));
  };

  it("accepts a signature, and the same with the other s: Intel's quotes may have a high one", async () => {
    expect(await verify()).to.equal(true);
    expect(await verify({ s: N - good.s })).to.equal(true);
  });

  const refused: Readonly<Record<string, Partial<typeof good>>> = {
    "r of zero": { r: 0n },
    "s of zero": { s: 0n },
    "r and s of zero": { r: 0n, s: 0n },
    "r of n": { r: N },
    "s of n": { s: N },
    "r of zero and s of n": { r: 0n, s: N },
    "s beyond n": { s: (good.s + N) % 2n ** 256n },
    "r beyond n": { r: (good.r + N) % 2n ** 256n },
    "r of 2^256 - 1": { r: 2n ** 256n - 1n },
    "another r": { r: good.r - 1n },
    "another s": { s: good.s - 1n },
    "r and s the other way round": { r: good.s, s: good.r },
    "another digest": { digest: word(1n) },
    "a digest of zero": { digest: word(0n) },
    "a point off the curve": { y: good.y ^ 1n },
    "the negative point": { y: P - good.y },
    "the point at infinity": { x: 0n, y: 0n },
    "x of the field's prime": { x: P },
    "x beyond the field": { x: 2n ** 256n - 1n },
    "y beyond the field": { y: 2n ** 256n - 1n },
    "coordinates the other way round": { x: good.y, y: good.x },
  };
  for (const [title, change] of Object.entries(refused)) {
    it(`refuses ${title}`, async () => expect(await verify(change)).to.equal(false));
  }

  it("finds the precompiled contract where it is, and refuses chains that have none or another", async () => {
    await harness.requirePrecompile();
    const old = await hre.network.create({
      network: "default",
      override: { chainId: 31_337, hardfork: "prague", initialDate: "2027-01-15T00:00:00Z" },
    });
    try {
      const there = (await old.ethers.deployContract("P256Harness")) as unknown as P256Harness;
      await expect(there.requirePrecompile()).to.be.revertedWithCustomError(there, "P256Unavailable");
      const [{ digest, r, s, x, y }] = [good];
      expect(await there.verify(digest, word(r), word(s), word(x), word(y))).to.equal(false);
      // Answers 1 to everything.
      await old.provider.request({
        method: "hardhat_setCode",
        params: [`0x${"100".padStart(40, "0")}`, "0x60015f5260205ff3"],
      });
      await expect(there.requirePrecompile()).to.be.revertedWithCustomError(there, "P256Unavailable");
      const collateral = await old.ethers.deployContract("CollateralDouble", [true]);
      await expect(
        old.ethers.deployContract("DcapVerifier", [await collateral.getAddress()]),
      ).to.be.revertedWithCustomError(there, "P256Unavailable");
    } finally {
      await old.close();
    }
  });
});
