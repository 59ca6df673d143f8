import { constants, createHash, generateKeyPairSync, sign } from "node:crypto";
import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../protocol/crypto/web.ts";
import { toHex } from "../../../protocol/words/hex.ts";
import { deriveKey, publicPoint, signRaw } from "../../../worker/tee/simulator/keys.ts";

const key = deriveKey(new Uint8Array(32).fill(1), "crypto test");
const point = publicPoint(key);
const message = Buffer.from("signed");
const signature = signRaw(key, message);
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

for (const [name, crypto] of [
  ["node:crypto", nodeCrypto],
  ["WebCrypto", webCrypto],
] as const) {
  describe(`the crypto seam on ${name}`, () => {
    it("accepts a valid signature, high s too, and views with an offset", async () => {
      expect(await crypto.verify("p256-sha256", point, message, signature)).to.equal(true);
      const s = BigInt(toHex(signature.subarray(32)));
      const other = Buffer.from((ORDER - s).toString(16).padStart(64, "0"), "hex");
      expect(
        await crypto.verify("p256-sha256", point, message, Buffer.concat([signature.subarray(0, 32), other])),
      ).to.equal(true);
      const view = Buffer.concat([Buffer.alloc(3), point]).subarray(3);
      expect(await crypto.verify("p256-sha256", view, message, signature)).to.equal(true);
    });

    it("answers false, never an exception, for anything else", async () => {
      const cases: [Uint8Array, Uint8Array, Uint8Array][] = [
        [point, Buffer.from("other"), signature],
        [point, message, Buffer.alloc(64)],
        [point, message, Buffer.alloc(64, 0xff)],
        [point, message, signature.subarray(1)],
        [point, message, Buffer.alloc(0)],
        [Buffer.alloc(64), message, signature],
        [Buffer.alloc(64, 1), message, signature],
        [point.subarray(1), message, signature],
        [Buffer.concat([point, Buffer.alloc(1)]), message, signature],
      ];
      for (const [k, m, s] of cases) expect(await crypto.verify("p256-sha256", k, m, s)).to.equal(false);
    });

    it("verifies P-384 with SHA-384, and keeps keys and signatures of one scheme out of another", async () => {
      const other = deriveKey(new Uint8Array(32).fill(2), "crypto test", "P-384");
      const signed = signRaw(other, message);
      expect(await crypto.verify("p384-sha384", publicPoint(other), message, signed)).to.equal(true);
      signed[7] = (signed[7] ?? 0) ^ 1;
      expect(await crypto.verify("p384-sha384", publicPoint(other), message, signed)).to.equal(false);
      expect(await crypto.verify("p384-sha384", point, message, signature)).to.equal(false);
      expect(await crypto.verify("p256-sha256", publicPoint(other), message, signature)).to.equal(false);
    });

    it("verifies RSA-PSS with SHA-384 and a salt of 48 bytes only", async () => {
      const spki = rsa.publicKey.export({ type: "spki", format: "der" });
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const pss = (saltLength: number): Buffer =>
        sign("sha384", message, { key: rsa.privateKey, padding, saltLength });
      expect(await crypto.verify("rsa-pss-sha384", spki, message, pss(48))).to.equal(true);
      expect(await crypto.verify("rsa-pss-sha384", spki, Buffer.from("other"), pss(48))).to.equal(false);
      expect(await crypto.verify("rsa-pss-sha384", spki, message, pss(32))).to.equal(false);
      expect(
        await crypto.verify("rsa-pss-sha384", spki, message, sign("sha384", message, rsa.privateKey)),
      ).to.equal(false);
      expect(await crypto.verify("rsa-pss-sha384", spki.subarray(1), message, pss(48))).to.equal(false);
      expect(await crypto.verify("rsa-pss-sha384", point, message, pss(48))).to.equal(false);
    });

    it("digests", async () => {
      for (const algorithm of ["SHA-256", "SHA-384"] as const) {
        const expected = createHash(algorithm.replace("-", "").toLowerCase()).update(message).digest();
        expect(toHex(await crypto.digest(algorithm, message))).to.equal(toHex(expected));
      }
    });
  });
}
