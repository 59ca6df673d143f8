import { X509Certificate } from "node:crypto";
import { QuoteVerifier } from "@phala/dcap-qvl";
import { expect } from "chai";

import { issueCollateral } from "../../../worker/tee/simulator/collateral.ts";
import { createTestPki } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";

const at = 1_800_000_000;

/** Another project's verifier, configured with our root: what it accepts has the vendor's real formats. */
async function verdict(outOfDate: boolean) {
  const pki = createTestPki({ notBefore: at - 1000 });
  const tdx = new SimulatedTdx(simulatedPlatform(pki, { name: "one", outOfDate }));
  const { quote } = await tdx.quote(new Uint8Array(64));
  const verifier = QuoteVerifier.newWithRootCa(new X509Certificate(pki.file.root).raw);
  return verifier.verify(Buffer.from(quote.slice(2), "hex"), issueCollateral(pki, { at }), at + 1);
}

describe("the simulated TEE before another project's verifier (@phala/dcap-qvl)", () => {
  it("is UpToDate on a current platform", async () => {
    const { status, advisory_ids } = await verdict(false);
    expect(status).to.equal("UpToDate");
    expect(advisory_ids).to.deep.equal([]);
  });

  it("is OutOfDate, with advisories, where the microcode lags behind", async () => {
    const { status, advisory_ids } = await verdict(true);
    expect(status).to.equal("OutOfDate");
    expect(advisory_ids).to.include("INTEL-SA-01036");
  });
});
