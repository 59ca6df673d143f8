import { constants, createHash, createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { expect } from "chai";

import { nodeChannelCrypto, nodeCrypto } from "../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../protocol/crypto/web.ts";
import { toHex } from "../../../protocol/words/hex.ts";
import { deriveKey, publicPoint, signRaw } from "../../../worker/tee/simulator/keys.ts";

const key = deriveKey(new Uint8Array(32).fill(1), "crypto test");
const point = publicPoint(key);
const message = Buffer.from("signed");
const signature = signRaw(key, message);
const hmac = nodeChannelCrypto.hmacSha256.bind(nodeChannelCrypto);
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

describe("the channel's crypto on node:crypto", () => {
  it("tags as RFC 4231 does, however the message is divided", () => {
    // §4.2, §4.3, §4.4 and §4.7, whose key is longer than a block.
    const vectors = [
      ["0b".repeat(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
      [
        "4a656665",
        "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      ],
      [
        "aa".repeat(20),
        "\xdd".repeat(50),
        "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
      ],
      [
        "aa".repeat(131),
        "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      ],
    ] as const;
    for (const [secret, text, expected] of vectors) {
      const [key, bytes] = [Buffer.from(secret, "hex"), Buffer.from(text, "latin1")];
      expect(Buffer.from(hmac(key, bytes)).toString("hex")).to.equal(expected);
      expect(Buffer.from(hmac(key, bytes.subarray(0, 3), bytes.subarray(3))).toString("hex")).to.equal(
        expected,
      );
    }
  });

  it("tags any message as OpenSSL's own HMAC does, and keeps no tag in what the next one is written over", () => {
    const lengths = [0, 1, 31, 32, 63, 64, 65, 1_000, 4_031, 4_032, 4_033, 100_000];
    const told = lengths.map((length) => {
      const [key, bytes] = [randomBytes(32), randomBytes(length)];
      return { tag: hmac(key, bytes), expected: createHmac("sha256", key).update(bytes).digest() };
    });
    for (const { tag, expected } of told) expect(toHex(tag)).to.equal(toHex(expected));
  });
});
