import { X509Certificate } from "node:crypto";

import { expect } from "chai";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

import { bindingOfCertificate } from "../../../../protocol/keys/bindingCertificate.ts";
import { KeyPurpose, verifyKeyBinding } from "../../../../protocol/keys/keyBinding.ts";
import type { Address } from "../../../../protocol/words/hex.ts";
import { tlsIdentity } from "../../../../worker/guest/tls/TlsIdentity.ts";

const NOW = 1_800_000_000;
const address = (byte: string): Address => `0x${byte.repeat(20)}` as Address;

describe("a TLS identity", () => {
  const account = privateKeyToAccount(generatePrivateKey());
  const of = { chainId: 31337, ledger: address("aa"), app: address("bb") };
  const fresh = () => tlsIdentity({ ...of, account, now: NOW, lifetimeSeconds: 3_600 });

  it("is a certificate of its own key, in which the instance key speaks for it", async () => {
    const { certificate, notAfter } = await fresh();
    const read = new X509Certificate(certificate);
    expect(read.verify(read.publicKey)).to.equal(true);
    expect(Date.parse(read.validTo) / 1_000).to.equal(notAfter);
    const publicKey = Uint8Array.from(read.publicKey.export({ type: "spki", format: "der" }));
    const binding = bindingOfCertificate(Uint8Array.from(read.raw), KeyPurpose.Tls);
    expect(binding.instance).to.equal(account.address.toLowerCase());
    await verifyKeyBinding(binding, { ...of, purpose: KeyPurpose.Tls, publicKey, now: NOW });
  });

  it("is another key each time", async () => {
    const [one, two] = await Promise.all([fresh(), fresh()]);
    expect(one.key).to.not.equal(two.key);
  });

  it("carries no binding for another purpose", async () => {
    const { certificate } = await fresh();
    const raw = Uint8Array.from(new X509Certificate(certificate).raw);
    expect(() => bindingOfCertificate(raw, KeyPurpose.Hpke)).to.throw("no binding for this purpose");
  });
});
