import { createPublicKey } from "node:crypto";
import { expect } from "chai";

import { parseCertificate } from "../../../../protocol/der/certificate.ts";
import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { parseCollateral, verifyTdx } from "../../../../protocol/evidence/index.ts";
import { issueCrl, toPem, type Issuer } from "../../../../worker/tee/simulator/certificate.ts";
import * as der from "../../../../worker/tee/simulator/der.ts";
import { signRaw } from "../../../../worker/tee/simulator/keys.ts";
import { createTestPki } from "../../../../worker/tee/simulator/pki.ts";
import { SGX_EXTENSIONS } from "../../../../worker/tee/simulator/sgxExtensions.ts";
import { simulatedPlatform } from "../../../../worker/tee/simulator/platform.ts";
import { AT, failedCheck, issued, pki, platform, quoteOf, reissued, root, verify } from "../simulated.ts";
import {
  blocksOf,
  certificate,
  chained,
  firstOf,
  keyOf,
  pckCertificate,
  reshaped,
  withExtensions,
} from "./forgery.ts";

const CA = pki.file.platformCa;
const ROOT = pki.file.root;
const AUTHORITY_KEY_ID = "2.5.29.35";
const KEY_USAGE = "2.5.29.15";
const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_IDS = [AUTHORITY_KEY_ID, "2.5.29.14"];

/** The check that refuses a quote with this PCK chain, all else as it should be. */
const refusing = async (...chain: readonly (Uint8Array | string)[]): Promise<string> =>
  failedCheck(verify(await quoteOf({}, chained(...chain))));

/** The check that refuses collateral of which some parts are somebody else's. */
const refusingParts = async (parts: Partial<ReturnType<typeof issued>>): Promise<string> =>
  failedCheck(verify(await quoteOf(), { ...issued(), ...parts }));

/** A CA with this name and key that `issuer` vouches for. */
const caOf = (issuer: Issuer, name: string, key = keyOf(name), ca = 0): Buffer =>
  certificate({ issuer, subject: name, key, ca });

/** The signed TCB info with its signature and chain by another signer. */
function tcbInfoBy(key: typeof platform.pckKey, chain: string): Partial<ReturnType<typeof issued>> {
  const { tcb_info } = issued();
  return {
    tcb_info_issuer_chain: chain,
    tcb_info_signature: signRaw(key, Buffer.from(tcb_info)).toString("hex"),
  };
}

/** A forger with the vendor's names but other keys. */
const impostor = createTestPki({ notBefore: AT - 1000 });

describe("attacks on chains", () => {
  it("start from chains that are accepted when they are made honestly by the same means", async () => {
    const ca = caOf(pki.root, pki.platformCa.name, pki.platformCa.key);
    expect(await refusing(pckCertificate(), ca, ROOT)).to.equal("none");
    expect(await refusingParts(tcbInfoBy(pki.signing.key, pki.signingChain))).to.equal("none");
  });

  describe("with somebody else's keys", () => {
    it("refuse a PCK certificate that its CA did not sign", async () => {
      const forger = { name: pki.platformCa.name, key: keyOf("forger") };
      // Without SGX extensions it is not a PCK certificate at all; with them only the signature tells.
      const bare = pckCertificate({ issuer: forger, extensions: [] });
      expect(await refusing(bare, pki.pckIssuerChain)).to.equal("pck-extensions");
      expect(await refusing(pckCertificate({ issuer: forger }), pki.pckIssuerChain)).to.equal(
        "pck-signatures",
      );
    });

    it("refuse an intermediate forged with the real CA's name and key ids", async () => {
      const forged = keyOf("forged CA");
      const real = firstOf(CA);
      const fake = reshaped(real, keyOf("nobody"), (fields) => [
        ...fields.slice(0, 6),
        createPublicKey(forged).export({ type: "spki", format: "der" }),
        fields[7] as Buffer,
      ]);
      const ids = (raw: Uint8Array) => KEY_IDS.map((id) => parseCertificate(raw).extensions.get(id));
      expect(ids(fake)).to.deep.equal(ids(real));
      const leaf = pckCertificate({ issuer: { name: pki.platformCa.name, key: forged } });
      expect(await refusing(leaf, fake, ROOT)).to.equal("pck-signatures");
    });

    it("refuse a chain with the right root at its end that does not sign the rest", async () => {
      const [leaf = "", ca = ""] = blocksOf(simulatedPlatform(impostor, { name: "one" }).pckChain);
      expect(await refusing(leaf, ca, ROOT)).to.equal("pck-signatures");
    });

    it("refuse a root of the right name with another key, and the right key under a signature of another", async () => {
      expect(await refusing(...blocksOf(platform.pckChain).slice(0, 2), impostor.file.root)).to.equal(
        "root-pinned",
      );
      const unsigned = reshaped(firstOf(ROOT), keyOf("nobody"), (fields) => fields);
      expect(await refusing(...blocksOf(platform.pckChain).slice(0, 2), unsigned)).to.equal("pck-signatures");
    });
  });

  describe("with certificates that may not do what they do", () => {
    it("refuse a leaf signed by a leaf", async () => {
      const attacker = { name: "Intel SGX PCK Certificate", key: platform.pckKey };
      const leaf = pckCertificate({ issuer: attacker, key: keyOf("second leaf") });
      // A real PCK certificate in the CA's place; with a name that a CA may have, its missing flag still tells.
      expect(await refusing(leaf, pckCertificate(), ROOT)).to.equal("pck-chain");
      const named = pckCertificate({ subject: pki.platformCa.name });
      const below = pckCertificate({ issuer: { ...attacker, name: pki.platformCa.name } });
      expect(await refusing(below, named, ROOT)).to.equal("pck-chain");
    });

    it("refuse an intermediate without the CA flag, without keyCertSign, and without any extension of use", async () => {
      const ca = caOf(pki.root, pki.platformCa.name, pki.platformCa.key);
      const without = (...ids: readonly string[]) =>
        withExtensions(ca, pki.root.key, (list) =>
          list.filter((each) => !ids.some((id) => each.includes(der.objectId(id)))),
        );
      const unflagged = certificate({ issuer: pki.root });
      expect(parseCertificate(unflagged).isCa).to.equal(false);
      for (const intermediate of [
        unflagged,
        without(BASIC_CONSTRAINTS),
        without(KEY_USAGE),
        without(BASIC_CONSTRAINTS, KEY_USAGE),
      ]) {
        expect(await refusing(pckCertificate(), intermediate, ROOT)).to.equal("pck-chain");
      }
    });

    it("refuse a path longer than an issuer allows, or than PCK, CA and root", async () => {
      // A sub-CA under the Platform CA, whose path length is 0: four certificates, each rightly signed.
      const sub = caOf(pki.platformCa, "Intel SGX PCK Processor CA");
      const issuer = { name: "Intel SGX PCK Processor CA", key: keyOf("Intel SGX PCK Processor CA") };
      const leaf = pckCertificate({ issuer });
      expect(await refusing(leaf, sub, CA, ROOT)).to.equal("pck-chain");
      // The same in three certificates, where the root of the world allows no CA below it.
      const strict = certificate({ issuer: pki.root, subject: pki.root.name, key: pki.root.key, ca: 0 });
      expect(await refusing(pckCertificate(), CA, strict)).to.equal("pck-chain");
    });

    it("refuse a chain that is too short, too long, out of order or led by a CA", async () => {
      const [leaf = "", ca = "", end = ""] = blocksOf(platform.pckChain);
      for (const chain of [
        [leaf],
        [leaf, end],
        [leaf, ca],
        [leaf, ca, end, end],
        [leaf, end, ca],
        [ca, end, end],
        [""],
      ]) {
        expect(await refusing(...chain)).to.equal("pck-chain");
      }
    });

    it("refuse another curve at every place of a chain", async () => {
      const p384 = (name: string): Issuer => ({ name, key: keyOf(name, "P-384") });
      const ca = p384(pki.platformCa.name);
      expect(await refusing(pckCertificate({ issuer: ca }), caOf(pki.root, ca.name, ca.key), ROOT)).to.equal(
        "pck-chain",
      );
      expect(await refusing(pckCertificate({ key: p384("leaf").key }), CA, ROOT)).to.equal("pck-chain");
      const end = p384(pki.root.name);
      const theirs = [caOf(end, ca.name, pki.platformCa.key), caOf(end, end.name, end.key, 1)] as const;
      expect(await refusing(pckCertificate(), ...theirs)).to.equal("pck-chain");
      const signer = certificate({ issuer: pki.root, subject: pki.signing.name, key: p384("signer").key });
      const parts = tcbInfoBy(p384("signer").key, toPem(signer) + ROOT);
      expect(
        await refusingParts({ ...parts, tcb_info_signature: parts.tcb_info_signature?.slice(0, 128) ?? "" }),
      ).to.equal("collateral-chains");
    });
  });

  describe("with encodings that two readers may read differently", () => {
    const reshapedCa = (change: Parameters<typeof reshaped>[2]) =>
      reshaped(firstOf(CA), pki.root.key, change);

    it("refuse an extension that stands twice, be it the same or another", async () => {
      const twice = (id: string) =>
        withExtensions(firstOf(CA), pki.root.key, (list) => [
          ...list,
          list.find((each) => each.includes(der.objectId(id))) as Buffer,
        ]);
      for (const id of [BASIC_CONSTRAINTS, KEY_USAGE, AUTHORITY_KEY_ID]) {
        expect(await refusing(pckCertificate(), twice(id), ROOT), id).to.equal("pck-chain");
      }
      const extensions = [0, 1].map((svn) => [SGX_EXTENSIONS, der.sequence(der.integer(svn))] as const);
      expect(await refusing(pckCertificate({ extensions }), CA, ROOT)).to.equal("pck-chain");
    });

    it("refuse lengths and integers that are not minimal, and times in another form", async () => {
      const longSerial = reshapedCa((fields) => [
        fields[0] as Buffer,
        Buffer.from([0x02, 0x02, 0x00, 0x41]),
        ...fields.slice(2),
      ]);
      const longLength = reshapedCa((fields) => [
        fields[0] as Buffer,
        Buffer.from([0x02, 0x81, 0x01, 0x41]),
        ...fields.slice(2),
      ]);
      const localTime = reshapedCa((fields) => [
        ...fields.slice(0, 4),
        der.sequence(
          ...["260101000000+0000", "560101000000Z"].map((text) =>
            Buffer.from([0x17, text.length, ...Buffer.from(text)]),
          ),
        ),
        ...fields.slice(5),
      ]);
      for (const ca of [longSerial, longLength, localTime]) {
        expect(await refusing(pckCertificate(), ca, ROOT)).to.equal("pck-chain");
      }
    });

    it("refuse bytes after a certificate, and inside it after its last field", async () => {
      const trailing = Buffer.concat([firstOf(CA), Buffer.of(0)]);
      const inside = reshapedCa((fields) => [...fields, der.nothing()]);
      for (const ca of [trailing, inside])
        expect(await refusing(pckCertificate(), ca, ROOT)).to.equal("pck-chain");
    });

    it("refuse PEM with comments, headers or other blocks around and inside its blocks", async () => {
      const [leaf = "", ca = "", end = ""] = blocksOf(platform.pckChain);
      const key = "-----BEGIN EC PRIVATE KEY-----\nMAA=\n-----END EC PRIVATE KEY-----\n";
      const header = ca.replace("CERTIFICATE-----\n", "CERTIFICATE-----\nProc-Type: 4,CLEAR\n\n");
      for (const chain of [
        [`subject=CN = Intel SGX PCK Certificate\n${leaf}`, ca, end],
        [leaf, `# the platform's CA\n${ca}`, end],
        [leaf, ca, `${end}trailer\n`],
        [leaf, header, end],
        [leaf, ca, end, key],
        [key, leaf, ca, end],
      ]) {
        expect(await refusing(...chain)).to.equal("pck-chain");
      }
    });
  });

  describe("with revocation lists", () => {
    it("refuse a CRL that another CA signed", async () => {
      const { pck_crl, root_ca_crl } = issued();
      expect(await refusingParts({ pck_crl: root_ca_crl })).to.equal("pck-crl-signature");
      expect(await refusingParts({ root_ca_crl: pck_crl })).to.equal("root-crl-signature");
    });

    it("refuse a CRL that the right key signed under another issuer's name", async () => {
      const crlOf = (issuer: Issuer) =>
        issueCrl({ issuer, number: 1, thisUpdate: AT, nextUpdate: AT + 1000, revokedSerials: [] }).toString(
          "hex",
        );
      expect(
        await refusingParts({ pck_crl: crlOf({ ...pki.platformCa, name: "Intel SGX PCK Processor CA" }) }),
      ).to.equal("pck-crl-issuer");
      expect(await refusingParts({ root_ca_crl: crlOf({ ...pki.root, name: "Intel SGX Root" }) })).to.equal(
        "root-crl-issuer",
      );
      expect(await refusingParts({ pck_crl: crlOf(pki.platformCa), root_ca_crl: crlOf(pki.root) })).to.equal(
        "none",
      );
    });

    it("refuse a PCK CRL and its chain of another CA under the same root", async () => {
      const name = "Intel SGX PCK Processor CA";
      const crl = issueCrl({
        issuer: { name, key: keyOf(name) },
        number: 1,
        thisUpdate: AT,
        nextUpdate: AT + 1000,
        revokedSerials: [],
      });
      const chain = toPem(caOf(pki.root, name)) + ROOT;
      expect(await refusingParts({ pck_crl: crl.toString("hex"), pck_crl_issuer_chain: chain })).to.equal(
        "pck-crl-issuer",
      );
    });

    it("refuse a CRL with a critical extension that narrows what it speaks of", async () => {
      // IssuingDistributionPoint (RFC 5280 §5.2.5): a list of CA certificates only says nothing of PCK certificates.
      const point = der.sequence(
        der.objectId("2.5.29.28"),
        der.yes(),
        der.octets(der.sequence(der.primitive(2, Buffer.of(0xff)))),
      );
      const partial = reshaped(Buffer.from(issued().pck_crl, "hex"), pki.platformCa.key, (fields) => [
        ...fields.slice(0, -1),
        der.tagged(0, der.sequence(point)),
      ]);
      expect(() => parseCollateral({ ...issued(), pck_crl: partial.toString("hex") }))
        .to.throw("no unknown critical extension")
        .with.property("code", "collateral/malformed");
    });
  });

  describe("with signed documents", () => {
    it("refuse TCB info and QE identity signed by the PCK CA, by a PCK certificate or by the root itself", async () => {
      const [leaf = ""] = blocksOf(platform.pckChain);
      const signers = [
        tcbInfoBy(pki.platformCa.key, pki.pckIssuerChain),
        tcbInfoBy(platform.pckKey, platform.pckChain),
        tcbInfoBy(platform.pckKey, leaf + ROOT),
        // A PCK certificate that the root signed by mistake has the right issuer and the wrong name.
        tcbInfoBy(platform.pckKey, toPem(pckCertificate({ issuer: pki.root })) + ROOT),
        tcbInfoBy(pki.root.key, ROOT),
        tcbInfoBy(pki.root.key, ROOT + ROOT),
      ];
      for (const parts of signers) {
        expect(await refusingParts(parts)).to.equal("collateral-chains");
        const { tcb_info_issuer_chain: qe_identity_issuer_chain = "" } = parts;
        expect(await refusingParts({ qe_identity_issuer_chain })).to.equal("collateral-chains");
      }
    });

    it("refuse a signer of the right name that the PCK CA, or nobody, vouches for", async () => {
      const signer = (issuer: Issuer) =>
        toPem(certificate({ issuer, subject: pki.signing.name, key: keyOf("signer") }));
      expect(
        await refusingParts(tcbInfoBy(keyOf("signer"), signer(pki.platformCa) + pki.pckIssuerChain)),
      ).to.equal("collateral-chains");
      const forged = signer({ name: pki.root.name, key: keyOf("nobody") });
      expect(await refusingParts(tcbInfoBy(keyOf("signer"), forged + ROOT))).to.equal(
        "collateral-signatures",
      );
    });

    it("refuse a QE identity, and TCB info, of the other kind although the vendor signed them", async () => {
      const sgx = issued({ tee: "sgx" });
      const { qe_identity, qe_identity_signature, tcb_info, tcb_info_signature } = sgx;
      expect(await refusingParts({ qe_identity, qe_identity_signature })).to.equal("qe-identity-kind");
      expect(await refusingParts({ tcb_info, tcb_info_signature })).to.equal("tcb-info-kind");
    });

    it("refuse one document in the other's place", async () => {
      const { qe_identity, qe_identity_signature } = issued();
      expect(() =>
        parseCollateral({ ...issued(), tcb_info: qe_identity, tcb_info_signature: qe_identity_signature }),
      )
        .to.throw()
        .with.property("code", "collateral/malformed");
    });

    it("refuse an evaluation data number below what was seen before, in either document", async () => {
      const least = (collateral: unknown, minEvaluationDataNumber: number) =>
        quoteOf().then((quote) =>
          failedCheck(
            verifyTdx(quote, {
              collateral: parseCollateral(collateral),
              at: AT + 1,
              crypto: nodeCrypto,
              roots: [root],
              minEvaluationDataNumber,
            }),
          ),
        );
      expect(await least(issued(), 18)).to.equal("none");
      for (const which of ["tcb_info", "qe_identity"] as const) {
        const older = reissued(which, (document) => {
          document["tcbEvaluationDataNumber"] = 17;
        });
        expect(await least(older, 18), which).to.equal("evaluation-data-number");
        expect(await least(older, 17), which).to.equal("none");
      }
    });
  });
});
