import { expect } from "chai";

import {
  decodeSecret,
  encodeSecret,
  MAX_SECRET_BYTES,
  openSecret,
  sealSecret,
  secretKeys,
  type SecretEnvelope,
} from "../../../protocol/keys/secretEnvelope.ts";
import { toHex, type Address, type Hex } from "../../../protocol/words/hex.ts";
import { refusal, refusalOf } from "../../support/refusal.ts";

const APP = `0x${"ab".repeat(20)}` as Address;
const label = { chainId: 31337, app: APP, name: "API_TOKEN", counter: 3 };
const value = new TextEncoder().encode("s3cret value");
const keysOf = (fill: number) => secretKeys(new Uint8Array(32).fill(fill));

describe("a secret's envelope", () => {
  it("is opened by every replica that has the app's key, and holds nothing of the value in clear", async () => {
    const sealed = await sealSecret((await keysOf(1)).publicKey, label, value);
    const bytes = encodeSecret(sealed);
    expect(Buffer.from(bytes).includes("s3cret")).to.equal(false);
    expect(sealed.ciphertext.includes(toHex(value).slice(2))).to.equal(false);
    expect(await openSecret(await keysOf(1), decodeSecret(bytes), label)).to.deep.equal(value);
  });

  it("differs each time that the same value is sealed", async () => {
    const { publicKey } = await keysOf(1);
    const [one, other] = await Promise.all([
      sealSecret(publicKey, label, value),
      sealSecret(publicKey, label, value),
    ]);
    expect(one.enc).not.to.equal(other.enc);
    expect(one.ciphertext).not.to.equal(other.ciphertext);
  });

  it("is refused by another app's key", async () => {
    const sealed = await sealSecret((await keysOf(1)).publicKey, label, value);
    expect(await refusal(openSecret(await keysOf(2), sealed, label))).to.equal("secret/not-ours");
  });

  it("is refused when anything of it was changed", async () => {
    const keys = await keysOf(1);
    const sealed = await sealSecret(keys.publicKey, label, value);
    const flip = (hex: Hex) => `${hex.slice(0, -1)}${hex.endsWith("0") ? "1" : "0"}` as Hex;
    const changed: SecretEnvelope[] = [
      { ...sealed, counter: 4 },
      { ...sealed, enc: flip(sealed.enc) },
      { ...sealed, ciphertext: flip(sealed.ciphertext) },
      { ...sealed, ciphertext: sealed.ciphertext.slice(0, -2) as Hex },
    ];
    for (const one of changed)
      expect(await refusal(openSecret(keys, one, label))).to.equal("secret/not-ours");
    const renamed = { ...sealed, name: "OTHER" };
    expect(await refusal(openSecret(keys, renamed, label))).to.equal("secret/other-label");
    // The host renames it in the envelope and asks for that name, too.
    const asked = { ...label, name: "OTHER" };
    expect(await refusal(openSecret(keys, renamed, asked))).to.equal("secret/not-ours");
  });

  it("is read strictly", async () => {
    const sealed = await sealSecret((await keysOf(1)).publicKey, label, value);
    const good = JSON.parse(new TextDecoder().decode(encodeSecret(sealed))) as Record<string, unknown>;
    const changes = [
      { version: 2 },
      { more: 1 },
      { name: "A B" },
      { counter: -1 },
      { enc: "0x00" },
      { ciphertext: "0x" },
    ];
    for (const change of changes) {
      const bytes = Buffer.from(JSON.stringify({ ...good, ...change }));
      expect(
        refusalOf(() => decodeSecret(bytes)),
        JSON.stringify(change),
      ).to.equal("secret/malformed");
    }
    expect(refusalOf(() => decodeSecret(Buffer.from("{")))).to.equal("secret/malformed");
  });

  it("takes no empty value, no large one, and no key that is none", async () => {
    const { publicKey } = await keysOf(1);
    for (const size of [0, MAX_SECRET_BYTES + 1]) {
      expect(await refusal(sealSecret(publicKey, label, new Uint8Array(size)))).to.equal("secret/value-size");
    }
    for (const key of [new Uint8Array(31), new Uint8Array(0)]) {
      expect(await refusal(sealSecret(key, label, value))).to.equal("secret/key-invalid");
    }
  });
});
