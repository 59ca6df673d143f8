import { expect } from "chai";

import { parseCertificate } from "../../../../protocol/der/certificate.ts";
import { productOf } from "../../../../protocol/evidence/snp/amdChain.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { pkiOf } from "./simulatedSnp.ts";

describe("AMD's certificates", function () {
  this.timeout(120_000);

  /** The simulated ASK with another last byte in its keyUsage. */
  function askWithUsage(bits: number): Uint8Array {
    const ask = Buffer.from(pkiOf("Milan").certificates.ask);
    ask[ask.indexOf("03020106", 0, "hex") + 3] = bits;
    return Uint8Array.from(ask);
  }

  it("may have a keyUsage that ends in a zero, as AMD's ASKs do, but no unused bit that is one", () => {
    expect(parseCertificate(askWithUsage(0x04))).to.include({
      maySignCertificates: true,
      maySignCrls: false,
    });
    expect(refusalOf(() => parseCertificate(askWithUsage(0x05)))).to.equal("der/malformed");
    expect(refusalOf(() => parseCertificate(askWithUsage(0x00)))).to.equal("der/malformed");
  });

  it("are for the products whose CPUID this is, and for no other", () => {
    const of = (family: number, model: number) => productOf({ family, model, stepping: 0 });
    expect([of(0x19, 0x00), of(0x19, 0x0f)]).to.deep.equal(["Milan", "Milan"]);
    expect([of(0x19, 0x10), of(0x19, 0x1f), of(0x19, 0xa0)]).to.deep.equal(["Genoa", "Genoa", "Genoa"]);
    expect([of(0x1a, 0x00), of(0x1a, 0x11)]).to.deep.equal(["Turin", "Turin"]);
    for (const [family, model] of [
      [0x17, 0x31],
      [0x18, 0x00],
      [0x19, 0x20],
      [0x19, 0x90],
      [0x19, 0xb0],
      [0x1a, 0x20],
      [0x1b, 0x00],
    ] as const) {
      expect(of(family, model), `${family}/${model}`).to.equal(null);
    }
  });
});
