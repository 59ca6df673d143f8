import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { expect } from "chai";

import { offlineVerifier } from "../../../cli/support/provenance/trust.ts";
import { requireCovers } from "../../../cli/support/provenance/covers.ts";
import { verifyProvenance } from "../../../cli/support/provenance/verify.ts";
import { provenanceSchema, type Identity } from "../../../protocol/note/provenance.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { refusalOf } from "../../support/refusal.ts";
import { certificateNaming } from "../support/certificateNaming.ts";
import {
  SLSA,
  statementOf,
  testSigstore,
  type BundleJson,
  type SignOptions,
  type TestSigstore,
} from "../support/testSigstore.ts";

const IDENTITY: Identity = {
  issuer: "https://token.actions.githubusercontent.com",
  subject: "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v2",
};
const MANIFEST = Buffer.from('{"manifest_version":2,"name":"hello"}\n');
const OTHER = Buffer.from('{"manifest_version":2,"name":"other"}\n');
const MINUTE = 60_000;

const hexOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const hashOf = (bytes: Uint8Array): Bytes32 => `0x${hexOf(bytes)}` as Bytes32;
const later = (minutes: number): Date => new Date(Date.now() + minutes * MINUTE);

describe("provenance of a note", () => {
  let sigstore: TestSigstore;
  before(async () => {
    sigstore = await testSigstore();
  });

  const provenanceOf = (bundle: BundleJson, identity = IDENTITY) =>
    provenanceSchema.parse({ kind: "sigstore", bundle, identity });
  function verify(bundle: BundleJson, { identity = IDENTITY, manifest = MANIFEST, root = sigstore } = {}) {
    return verifyProvenance(
      provenanceOf(bundle, identity),
      manifest,
      offlineVerifier(root.trustedRoot, identity),
    );
  }
  const message = (options?: SignOptions) => sigstore.signMessage(MANIFEST, IDENTITY, options);
  const attestation = (options?: SignOptions & { payloadType?: string }) =>
    sigstore.attest(statementOf([hexOf(OTHER), hexOf(MANIFEST)]), IDENTITY, options);

  it("verifies a signature over the manifest's bytes, with no network", async () => {
    expect(verify(await message())).to.deep.equal({ identity: IDENTITY, predicateType: null });
  });

  it("verifies an attestation of which one subject is the manifest, and says what it attests", async () => {
    expect(verify(await attestation())).to.deep.equal({ identity: IDENTITY, predicateType: SLSA });
  });

  it("verifies a bundle with a timestamp besides the log's time", async () => {
    expect(verify(await message({ timestamped: true }))).to.deep.include({ identity: IDENTITY });
  });

  it("refuses another manifest, without a trusted root already", async () => {
    for (const bundle of [await message(), await attestation()]) {
      const about = bundle.dsseEnvelope ? Buffer.from("third") : OTHER;
      expect(refusalOf(() => requireCovers(provenanceOf(bundle), hashOf(about)))).to.equal(
        "note/provenance-other-artifact",
      );
      expect(refusalOf(() => verify(bundle, { manifest: about }))).to.equal("note/provenance-other-artifact");
    }
  });

  it("refuses another subject and another issuer than the certificate's, patterns among them", async () => {
    const bundle = await message();
    for (const identity of [
      { ...IDENTITY, subject: IDENTITY.subject.replace("acme", "evil") },
      { ...IDENTITY, subject: IDENTITY.subject.slice(0, -1) },
      { ...IDENTITY, subject: ".*" },
      { ...IDENTITY, issuer: "https://issuer.example" },
      { ...IDENTITY, issuer: `${IDENTITY.issuer}/` },
    ]) {
      const bySight = refusalOf(() => requireCovers(provenanceOf(bundle, identity), hashOf(MANIFEST)));
      const verified = refusalOf(() => verify(bundle, { identity }));
      expect([bySight, verified], JSON.stringify(identity)).to.deep.equal(
        Array(2).fill("note/provenance-identity"),
      );
    }
  });

  it("gives the verifier the identity too, which refuses by itself", async () => {
    const bundle = await message();
    for (const identity of [
      { ...IDENTITY, subject: IDENTITY.subject.replaceAll(".", "x") },
      { ...IDENTITY, subject: "github" },
      { ...IDENTITY, issuer: "https://issuer.example" },
    ]) {
      const verifier = offlineVerifier(sigstore.trustedRoot, identity);
      expect(refusalOf(() => verifyProvenance(provenanceOf(bundle), MANIFEST, verifier))).to.equal(
        "note/provenance-identity",
      );
    }
  });

  it("refuses a signature that was changed, and one over other bytes that a log took", async () => {
    const tampered = await message();
    const signed = tampered.messageSignature as NonNullable<BundleJson["messageSignature"]>;
    const signature = Buffer.from(signed.signature, "base64");
    signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    signed.signature = signature.toString("base64");
    expect(refusalOf(() => verify(tampered))).to.equal("note/provenance-log");
    for (const logged of [await message({ signs: OTHER }), await attestation({ signs: OTHER })]) {
      expect(refusalOf(() => verify(logged))).to.equal("note/provenance-signature");
    }
  });

  it("refuses what was signed for another manifest and made to name this one", async () => {
    const bundle = await sigstore.signMessage(OTHER, IDENTITY);
    const signed = bundle.messageSignature as NonNullable<BundleJson["messageSignature"]>;
    signed.messageDigest.digest = Buffer.from(hexOf(MANIFEST), "hex").toString("base64");
    expect(requireCovers(provenanceOf(bundle), hashOf(MANIFEST))).to.deep.include({ identity: IDENTITY });
    expect(refusalOf(() => verify(bundle))).to.equal("note/provenance-log");
    const attested = await sigstore.attest(statementOf([hexOf(OTHER)]), IDENTITY);
    const envelope = attested.dsseEnvelope as NonNullable<BundleJson["dsseEnvelope"]>;
    envelope.payload = statementOf([hexOf(MANIFEST)]).toString("base64");
    expect(refusalOf(() => verify(attested))).to.equal("note/provenance-log");
  });

  it("refuses by another trusted root, the public Sigstore's among them, and by an empty one", async () => {
    const bundle = await message();
    const seeds = JSON.parse(
      readFileSync(new URL("../../../node_modules/@sigstore/tuf/seeds.json", import.meta.url), "utf8"),
    ) as Record<string, { targets: Record<string, string> }>;
    const [repository] = Object.values(seeds);
    const text = Buffer.from(repository?.targets["trusted_root.json"] ?? "", "base64").toString("utf8");
    const publicRoot = JSON.parse(text) as Record<string, unknown>;
    const nothing = { ...sigstore.trustedRoot, certificateAuthorities: [], tlogs: [], ctlogs: [] };
    for (const trustedRoot of [(await testSigstore()).trustedRoot, publicRoot, nothing]) {
      expect(refusalOf(() => verify(bundle, { root: { ...sigstore, trustedRoot } }))).to.equal(
        "note/provenance-certificate",
      );
    }
    const other = await testSigstore();
    const swapped = (...names: string[]) => ({
      ...sigstore.trustedRoot,
      ...Object.fromEntries(names.map((name) => [name, other.trustedRoot[name]])),
    });
    const withRoot = (trustedRoot: Readonly<Record<string, unknown>>) =>
      refusalOf(() => verify(bundle, { root: { ...sigstore, trustedRoot } }));
    expect(withRoot(swapped("tlogs"))).to.equal("note/provenance-log");
    expect(withRoot(swapped("ctlogs"))).to.equal("note/provenance-certificate");
  });

  it("refuses a signature after the certificate's ten minutes, or before them", async () => {
    for (const minutes of [11, -11]) {
      const bundle = await message({ loggedAt: later(minutes) });
      expect(refusalOf(() => verify(bundle))).to.equal("note/provenance-certificate");
    }
  });

  it("refuses without a log's entry, and without a promise or proof of it", async () => {
    const none = await message({ inLog: false });
    expect(refusalOf(() => verify(none))).to.equal("note/provenance-time");
    const timed = await message({ inLog: false, timestamped: true });
    expect(refusalOf(() => verify(timed))).to.equal("note/provenance-log");
    const unpromised = await message();
    for (const entry of unpromised.verificationMaterial.tlogEntries) delete entry.inclusionPromise;
    expect(refusalOf(() => verify(unpromised))).to.equal("note/provenance-time");
    const twice = await message();
    twice.verificationMaterial.tlogEntries.push(...twice.verificationMaterial.tlogEntries);
    expect(refusalOf(() => verify(twice))).to.equal("note/provenance-time");
  });

  it("refuses a certificate that no certificate log has seen", async () => {
    const bundle = await message({ inCtLog: false });
    expect(refusalOf(() => verify(bundle))).to.equal("note/provenance-certificate");
  });

  it("refuses what is no bundle that names somebody about a SHA-256", async () => {
    const good = await message();
    const material = good.verificationMaterial;
    const { certificate: _, ...withoutCertificate } = material;
    const signed = good.messageSignature as NonNullable<BundleJson["messageSignature"]>;
    const nonsense = Buffer.from("nonsense").toString("base64");
    const malformed: BundleJson[] = [
      { ...good, verificationMaterial: withoutCertificate },
      { ...good, verificationMaterial: { ...withoutCertificate, publicKey: { hint: "key" } } },
      { ...good, verificationMaterial: { ...material, certificate: { rawBytes: nonsense } } },
      {
        ...good,
        messageSignature: { ...signed, messageDigest: { ...signed.messageDigest, algorithm: "SHA2_512" } },
      },
      await attestation({ payloadType: "text/plain" }),
      await sigstore.attest(Buffer.from("not JSON"), IDENTITY),
      await sigstore.attest(Buffer.from('{"_type":"x"}'), IDENTITY),
      await sigstore.attest(statementOf([]), IDENTITY),
      await sigstore.attest(statementOf([hexOf(MANIFEST)], "two words"), IDENTITY),
    ];
    for (const [i, bundle] of malformed.entries()) {
      expect(
        refusalOf(() => verify(bundle)),
        String(i),
      ).to.equal("note/provenance-malformed");
    }
    const old = { ...good, mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.1" };
    expect(() => provenanceOf(old)).to.throw(/mediaType/);
  });

  it("reads no name into a certificate that has two, or bytes beyond ASCII", async () => {
    const good = await message();
    const raw = Buffer.from(IDENTITY.subject, "latin1");
    const withNames = async (...names: Uint8Array[]): Promise<string> => {
      const certificate = { rawBytes: await certificateNaming(IDENTITY.issuer, names) };
      const bundle = { ...good, verificationMaterial: { ...good.verificationMaterial, certificate } };
      return refusalOf(() => requireCovers(provenanceOf(bundle), hashOf(MANIFEST)));
    };
    expect(await withNames(raw)).to.equal("nothing");
    expect(await withNames(raw, Buffer.from("https://evil.example"))).to.equal("note/provenance-malformed");
    // Without their eighth bits these read as the name.
    expect(await withNames(raw.map((byte) => byte | 0x80))).to.equal("note/provenance-malformed");
    expect(await withNames()).to.equal("note/provenance-malformed");
  });

  it("refuses a file that is no trusted root", () => {
    for (const json of [null, 7, [], {}, { mediaType: "x" }, { ...sigstore.trustedRoot, tlogs: [{}] }]) {
      expect(refusalOf(() => offlineVerifier(json, IDENTITY))).to.equal("note/trusted-root-malformed");
    }
  });
});
