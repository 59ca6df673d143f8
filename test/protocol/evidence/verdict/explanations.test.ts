import { readFileSync } from "node:fs";
import { expect } from "chai";

import { EXPLANATIONS } from "../../../../protocol/evidence/verdict/explanations.ts";

/** Codes that the protocol raises, as docs/errors.md has them: it is generated from the source, and held to it. */
function raisedChecks(): string[] {
  const page = readFileSync(new URL("../../../../docs/errors.md", import.meta.url), "utf8");
  return page
    .split(/^## /m)
    .filter((entry) => /^evidence\//.test(entry) && /^Raised in: .*protocol/m.test(entry))
    .map((entry) => (entry.split("\n")[0] as string).slice("evidence/".length));
}

/** Who wrote the rule, or its number. */
const DOCUMENT =
  /\b(?:Intel (?:TDX|SGX|PCS|SDM)|AMD (?:SEV-SNP ABI 56860|VCEK and KDS interface 57230|GHCB 56421)|RFC \d{4}|AWS Nitro Enclaves|DMTF DSP0274|NVIDIA (?:attestation SDK|RIM service)|TCG (?:DICE|PC Client)|ISO\/IEC 19770-2|XML Signature 1\.1|dstack|Charter, docs\/evidence\.md)/;
/** Where in it: a section's number or title, a table, a field. */
const PLACE = /§[A-Z]?\.?\d|"[^"]+"|\btables? (?:of )?\w/;

describe("the explanations of checks", () => {
  it("are there for every check that the verifier can fail, and for no other", () => {
    const raised = raisedChecks();
    expect(raised.length).to.be.greaterThan(80);
    expect(Object.keys(EXPLANATIONS).sort()).to.deep.equal([...raised].sort());
  });

  it("say something of each, and where the rule stands", () => {
    for (const [name, explanation] of Object.entries(EXPLANATIONS)) {
      expect(explanation?.says, name).to.match(/^[A-Z].*\.$/);
      expect(explanation?.source, name).to.match(DOCUMENT).and.match(PLACE);
    }
  });
});
