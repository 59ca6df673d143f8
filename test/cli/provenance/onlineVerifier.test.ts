import { expect } from "chai";

import { onlineVerifier } from "../../../cli/support/provenance/trust.ts";
import { refusal, refusalOf } from "../../support/refusal.ts";
import { verifyProvenance } from "../../../cli/support/provenance/verify.ts";
import type { Provenance } from "../../../protocol/note/provenance.ts";
import { makeFolder, type Folder } from "../support/folder.ts";
import { testSigstore, type TestSigstore } from "../support/testSigstore.ts";
import { startTestTuf, type TestTuf } from "../support/testTuf.ts";

const IDENTITY = { issuer: "https://issuer.example", subject: "https://build.example/app?ref=v1" };
const MANIFEST = Buffer.from("a manifest's bytes");

describe("provenance by a root of The Update Framework", () => {
  let folder: Folder;
  let sigstore: TestSigstore;
  let tuf: TestTuf;
  before(async () => {
    folder = makeFolder();
    sigstore = await testSigstore();
    tuf = await startTestTuf(folder, sigstore.trustedRoot);
  });
  after(async () => {
    await tuf.stop();
    folder.remove();
  });

  const repository = (at: TestTuf, cache: string) => ({
    mirrorUrl: at.url,
    rootPath: at.rootPath,
    cachePath: folder.path(cache),
  });
  const provenanceOf = async (from: TestSigstore, identity = IDENTITY): Promise<Provenance> => ({
    kind: "sigstore",
    bundle: (await from.signMessage(MANIFEST, identity)) as unknown as Provenance["bundle"],
    identity,
  });

  it("verifies by the root that the repository signed, with the same identity and thresholds", async () => {
    const verifier = await onlineVerifier(IDENTITY, repository(tuf, "good"));
    const good = await provenanceOf(sigstore);
    expect(verifyProvenance(good, MANIFEST, verifier).identity).to.deep.equal(IDENTITY);
    const elsewhere = await provenanceOf(await testSigstore());
    expect(refusalOf(() => verifyProvenance(elsewhere, MANIFEST, verifier))).to.equal(
      "note/provenance-certificate",
    );
    // Another identity, and one that is this one only to a pattern.
    for (const subject of ["https://build.example/evil", "https://buildxexample/app?ref=v1"]) {
      const other = await provenanceOf(sigstore, { ...IDENTITY, subject });
      expect(refusalOf(() => verifyProvenance(other, MANIFEST, verifier))).to.equal(
        "note/provenance-identity",
      );
    }
    const issued = await provenanceOf(sigstore, { ...IDENTITY, issuer: "https://other.example" });
    expect(refusalOf(() => verifyProvenance(issued, MANIFEST, verifier))).to.equal(
      "note/provenance-identity",
    );
  });

  it("says that a root cannot be had when nobody answers, or with other bytes than were signed", async () => {
    const gone = await startTestTuf(folder, sigstore.trustedRoot);
    await gone.stop();
    expect(await refusal(onlineVerifier(IDENTITY, repository(gone, "gone")))).to.equal(
      "note/trusted-root-unreachable",
    );
    const tampered = await startTestTuf(folder, sigstore.trustedRoot, true);
    try {
      expect(await refusal(onlineVerifier(IDENTITY, repository(tampered, "tampered")))).to.equal(
        "note/trusted-root-unreachable",
      );
    } finally {
      await tampered.stop();
    }
  });
});
