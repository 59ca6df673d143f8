import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { testRootFromPem } from "../../../../protocol/evidence/chain/roots.ts";
import { loadOrCreateAmdPki } from "../../../../worker/tee/simulator/snp/amdPkiFile.ts";
import { SimulatedSnp } from "../../../../worker/tee/simulator/snp/SimulatedSnp.ts";
import { refusalOf } from "../../../support/refusal.ts";
import { amdKeys, AT, REPORT_DATA, verify } from "./simulatedSnp.ts";

describe("the simulated AMD PKI of a directory", function () {
  this.timeout(120_000);
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "amd-"));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });
  const options = { notBefore: AT - 1000, product: "Genoa" } as const;

  it("is made once, and its root holds for all who load it", async () => {
    loadOrCreateAmdPki(dir, { ...options, keys: amdKeys() });
    const root = testRootFromPem(readFileSync(join(dir, "amd-root.pem"), "utf8"));
    const again = loadOrCreateAmdPki(dir, { notBefore: 5 });
    expect(again).to.include({ product: "Genoa", notBefore: AT - 1000 });
    const evidence = new SimulatedSnp(again, { name: "one" }).attest(REPORT_DATA);
    expect(await verify(evidence, { roots: [root] })).to.include({ product: "Genoa", simulated: true });
  });

  it("is refused where its file is broken", () => {
    writeFileSync(join(dir, "amd.json"), "{}");
    expect(refusalOf(() => loadOrCreateAmdPki(dir, options))).to.equal("simulator/pki-invalid");
  });
});
