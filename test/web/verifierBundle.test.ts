import { expect } from "chai";

import { weighVerifier, type VerifierWeights } from "../../web/verifierBundle.ts";

/** Bytes, gzip -9. */
const MOST_BY_KIND = 40_000;
/** What nobody loads at once, but may keep in one file: all kinds. It shall not grow unseen. */
const MOST_TOGETHER = 60_000;

describe("the browser's bundle of the verifier", function () {
  this.timeout(60_000);
  let weights: VerifierWeights;
  before(async () => {
    weights = await weighVerifier();
  });

  for (const kind of ["intel", "snp", "nitro", "gpu", "nras"] as const) {
    it(`weighs at most ${MOST_BY_KIND / 1000} kB for evidence of ${kind}`, () => {
      expect(weights[kind]).to.be.within(10_000, MOST_BY_KIND);
    });
  }

  it(`weighs at most ${MOST_TOGETHER / 1000} kB for all kinds in one file`, () => {
    expect(weights.everything).to.be.within(Math.max(weights.intel, weights.nras), MOST_TOGETHER);
  });
});
