import { createHash } from "node:crypto";
import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../protocol/crypto/web.ts";
import { toHex } from "../../../protocol/words/hex.ts";
import { deriveKey, publicPoint, signRaw } from "../../../worker/tee/simulator/keys.ts";

const key = deriveKey(new Uint8Array(32).fill(1), "crypto test");
const point = publicPoint(key);
const message = Buffer.from("signed");
const signature = signRaw(key, message);
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

for (const [name, crypto] of [
  ["node:crypto", nodeCrypto],
  ["WebCrypto", webCrypto],
] as const) {
  describe(`the crypto seam on ${name}`, () => {
    it("accepts a valid signature, high s too, and views with an offset", async () => {
      expect(await crypto.verifyP256(point, message, signature)).to.equal(true);
      const s = BigInt(toHex(signature.subarray(32)));
      const other = Buffer.from((ORDER - s).toString(16).padStart(64, "0"), "hex");
      expect(
        await crypto.verifyP256(point, message, Buffer.concat([signature.subarray(0, 32), other])),
      ).to.equal(true);
      const view = Buffer.concat([Buffer.alloc(3), point]).subarray(3);
      expect(await crypto.verifyP256(view, message, signature)).to.equal(true);
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
      for (const [k, m, s] of cases) expect(await crypto.verifyP256(k, m, s)).to.equal(false);
    });

    it("digests", async () => {
      for (const algorithm of ["SHA-256", "SHA-384"] as const) {
        const expected = createHash(algorithm.replace("-", "").toLowerCase()).update(message).digest();
        expect(toHex(await crypto.digest(algorithm, message))).to.equal(toHex(expected));
      }
    });
  });
}
