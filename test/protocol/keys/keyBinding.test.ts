import { expect } from "chai";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

import { DerError } from "../../../protocol/der/DerReader.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { decodeKeyBindings, encodeKeyBindings } from "../../../protocol/keys/bindingExtension.ts";
import {
  KeyPurpose,
  signKeyBinding,
  verifyKeyBinding,
  type KeyBinding,
  type SignedKeyBinding,
} from "../../../protocol/keys/keyBinding.ts";
import type { Address } from "../../../protocol/words/hex.ts";

const account = privateKeyToAccount(generatePrivateKey());
const address = (byte: string): Address => `0x${byte.repeat(20)}` as Address;
const NOW = 1_800_000_000;

const binding: KeyBinding = {
  chainId: 31_337,
  ledger: address("a1"),
  app: address("b2"),
  instance: account.address.toLowerCase() as Address,
  purpose: KeyPurpose.Tls,
  publicKey: Uint8Array.from({ length: 91 }, (_, i) => i),
  notAfter: NOW + 60,
};
const expected = {
  chainId: binding.chainId,
  ledger: binding.ledger,
  app: binding.app,
  purpose: KeyPurpose.Tls,
  now: NOW,
  publicKey: binding.publicKey,
};

describe("key bindings", () => {
  let signed: SignedKeyBinding;
  before(async () => {
    signed = await signKeyBinding(account, binding);
  });

  const refusal = async (changed: SignedKeyBinding, of: object = {}): Promise<CharterError> => {
    try {
      await verifyKeyBinding(changed, { ...expected, ...of });
    } catch (error) {
      if (error instanceof CharterError) return error;
      throw error;
    }
    throw new Error("it was accepted");
  };

  it("travel through the certificate's extension unchanged, and verify", async () => {
    const hpke = await signKeyBinding(account, {
      ...binding,
      purpose: KeyPurpose.Hpke,
      notAfter: 2 ** 40 - 1,
    });
    const read = decodeKeyBindings(encodeKeyBindings([signed, hpke]));
    expect(read).to.deep.equal([signed, hpke]);
    expect(await verifyKeyBinding(read[0] as SignedKeyBinding, expected)).to.deep.equal(signed);
  });

  it("count for one chain, ledger, app, purpose and key only", async () => {
    for (const [name, other] of [
      ["chainId", 1],
      ["ledger", address("ff")],
      ["app", address("ff")],
      ["purpose", KeyPurpose.Session],
      ["publicKey", Uint8Array.of(1)],
    ] as const) {
      const error = await refusal(signed, { [name]: other });
      expect(error.code).to.equal("keys/binding-mismatch");
      expect(error.details.name).to.equal(name);
    }
  });

  it("end when they say so", async () => {
    expect((await refusal(signed, { now: NOW + 61 })).code).to.equal("keys/binding-ended");
    await verifyKeyBinding(signed, { ...expected, now: NOW + 60 });
  });

  it("must be signed by the instance, over every field", async () => {
    const stranger = privateKeyToAccount(generatePrivateKey());
    const forgeries: SignedKeyBinding[] = [
      await signKeyBinding(stranger, binding),
      { ...signed, notAfter: signed.notAfter + 1 },
      { ...signed, signature: `0x${"00".repeat(65)}` },
      { ...signed, signature: "0x" },
    ];
    for (const forgery of forgeries) {
      expect((await refusal(forgery)).code).to.equal("keys/binding-signature-invalid");
    }
    const moved = { ...signed, publicKey: Uint8Array.of(9) };
    expect((await refusal(moved, { publicKey: moved.publicKey })).code).to.equal(
      "keys/binding-signature-invalid",
    );
  });

  it("never verify with a byte flipped, and are refused as strict DER or by the signature", async () => {
    const bytes = encodeKeyBindings([signed]);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Uint8Array.from(bytes);
      flipped[at] = (flipped[at] as number) ^ 0x01;
      try {
        const [read] = decodeKeyBindings(flipped);
        await verifyKeyBinding(read as SignedKeyBinding, expected);
      } catch (error) {
        expect(error).to.be.instanceOf(CharterError);
        continue;
      }
      throw new Error(`byte ${at} may be flipped`);
    }
  });

  it("are refused when empty, too many, of another shape, or with bytes behind them", () => {
    const good = encodeKeyBindings([signed]);
    expect(() => encodeKeyBindings([])).to.throw(RangeError);
    expect(() => encodeKeyBindings(Array(7).fill(signed) as SignedKeyBinding[])).to.throw(RangeError);
    for (const bad of [
      Uint8Array.of(0x30, 0),
      Uint8Array.of(...good, 0),
      good.subarray(0, -1),
      new Uint8Array(),
    ]) {
      expect(() => decodeKeyBindings(bad)).to.throw(DerError);
    }
  });
});
