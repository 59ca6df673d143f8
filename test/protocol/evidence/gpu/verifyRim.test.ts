import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../../protocol/crypto/web.ts";
import type { OcspAnswers } from "../../../../protocol/evidence/gpu/revocation.ts";
import { verifyRim } from "../../../../protocol/evidence/gpu/rim/verifyRim.ts";
import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import { goldenOf, makeRim } from "../../../../worker/tee/simulator/gpu/rim.ts";
import { failedCheck } from "../simulated.ts";
import { AT, otherPki, pki, rimOf, rimRoot, root } from "./simulatedGpu.ts";

const options = { at: AT, crypto: nodeCrypto, roots: [rimRoot] };
const xml = makeRim(pki, { kind: "driver" });
const refusal = (text: string): Promise<string> => failedCheck(verifyRim(text, options));
const replaced = (from: string | RegExp, to: string): Promise<string> => {
  const text = xml.replace(from, to);
  expect(text).to.not.equal(xml);
  return refusal(text);
};

describe("a signed manifest", () => {
  it("is accepted with its version and active measurements", async () => {
    const rim = await verifyRim(xml, options);
    expect(rim).to.include({
      version: "590.12",
      simulated: true,
      validFrom: pki.notBefore,
      validUntil: pki.notAfter,
    });
    expect([...rim.measurements.keys()]).to.deep.equal([...goldenOf("driver").keys()]);
    expect(rim.measurements.get(0)).to.have.length(2);
    expect(await verifyRim(xml, { ...options, crypto: webCrypto })).to.deep.equal(rim);
  });

  it("is accepted however its white space and attributes are written, where that is no content", async () => {
    expect(await replaced("></ns0:Meta>", "/>")).to.equal("none");
    expect(await replaced("<ns0:Payload>", "<ns0:Payload  >")).to.equal("none");
    expect(await replaced('edition="GPU" product="GH100"', "product='GH100'   edition='GPU'")).to.equal(
      "none",
    );
  });

  it("is refused where anything of it changed", async () => {
    for (const [from, to] of [
      [/Hash1="../, 'Hash1="00'],
      ['colloquialVersion="590.12"', 'colloquialVersion="590.13"'],
      ['edition="GPU"', 'edition="CPU"'],
      ["</ns0:Payload>", " </ns0:Payload>"],
      ['active="False"', 'active="True"'],
      ['name="Charter simulated GPU"', 'name="Charter simulated  GPU"'],
    ] as const) {
      expect(await replaced(from, to), String(from)).to.equal("rim-digest");
    }
    expect(await replaced(/<ds:DigestValue>./, "<ds:DigestValue>_")).to.equal("rim-signature-format");
    expect(await replaced(/<ds:DigestValue>.{4}/, "<ds:DigestValue>AAAA")).to.equal("rim-signature");
    expect(await replaced(/<ds:SignatureValue>.{4}/, "<ds:SignatureValue>AAAA")).to.equal("rim-signature");
  });

  it("is refused for another signer, another root, or another time", async () => {
    const key = deriveKey(pki.secret, "somebody", "P-384");
    expect(await refusal(makeRim(pki, { kind: "driver", key }))).to.equal("rim-signature");
    expect(await refusal(makeRim(otherPki, { kind: "driver" }))).to.equal("root-pinned");
    const grafted = [...otherPki.rimChain.slice(0, -1), pki.rimChain.at(-1) as Uint8Array];
    expect(await refusal(makeRim(otherPki, { kind: "driver", chain: grafted }))).to.equal(
      "rim-chain-signatures",
    );
    expect(await failedCheck(verifyRim(xml, { ...options, roots: [root] }))).to.equal("root-pinned");
    expect(await failedCheck(verifyRim(xml, { at: AT, crypto: nodeCrypto }))).to.equal("root-pinned");
    expect(await failedCheck(rimOf({ kind: "driver" }, pki.notAfter))).to.equal("validity");
    const [signer, ca, top] = pki.rimChain as [Uint8Array, Uint8Array, Uint8Array];
    for (const chain of [
      [ca, signer, top],
      [signer, top],
      [signer, ca],
      [ca, top],
    ]) {
      expect(await refusal(makeRim(pki, { kind: "driver", chain }))).to.equal("rim-chain");
    }
    expect(await refusal(makeRim(pki, { kind: "driver", chain: [signer] }))).to.equal("rim-signature-format");
  });

  it("is held to OCSP answers for its signer and CAs, all of them, where they are given", async () => {
    const judged = (changes: Partial<OcspAnswers>) =>
      verifyRim(xml, { ...options, ocsp: { status, from: AT - 10, until: AT + 100, ...changes } });
    const { chain } = await verifyRim(xml, options);
    const [signer, ca] = chain.map(({ serial }) => serial) as [string, string];
    const status = { [signer]: "good", [ca]: "good" } as const;
    expect(await judged({})).to.include({ revocation: "good", validFrom: AT - 10, validUntil: AT + 100 });
    for (const serial of [signer, ca]) {
      for (const said of ["revoked", "hold", "unknown"] as const) {
        expect(await failedCheck(judged({ status: { ...status, [serial]: said } }))).to.equal("gpu-revoked");
      }
      const fewer = Object.fromEntries(Object.entries(status).filter(([one]) => one !== serial));
      expect(await failedCheck(judged({ status: fewer }))).to.equal("gpu-revoked");
    }
    expect(await failedCheck(judged({ until: AT }))).to.equal("gpu-ocsp-validity");
    expect(await failedCheck(judged({ from: AT + 1 }))).to.equal("gpu-ocsp-validity");
  });

  it("is refused with a signature that covers less, or by other algorithms", async () => {
    for (const [from, to] of [
      ['URI=""', 'URI="#part"'],
      ['<ds:Reference URI="">', "<ds:Reference>"],
      [/<ds:Transform Algorithm="[^"]*enveloped[^>]*><\/ds:Transform>/, ""],
      ["#ecdsa-sha384", "#rsa-sha256"],
      ["#ecdsa-sha384", "#hmac-sha1"],
      ["xmldsig-more#sha384", "xmlenc#sha256"],
      ["xml-c14n11", "xml-exc-c14n"],
      ["</ds:Signature>", '</ds:Signature><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>'],
      ["</ns0:Payload>", '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/></ns0:Payload>'],
      [/<ds:Signature .*<\/ds:Signature>/s, ""],
    ] as const) {
      expect(await replaced(from, to), String(from)).to.equal("rim-signature-format");
    }
  });

  it("is refused where it is wrapped in another document", async () => {
    const inner = xml.slice(xml.indexOf("<SoftwareIdentity"));
    expect(await refusal(`<evil>${inner}</evil>`)).to.equal("rim-format");
    const swid = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
    expect(await refusal(`<SoftwareIdentity xmlns="${swid}">${inner}</SoftwareIdentity>`)).to.equal(
      "rim-signature-format",
    );
  });

  it("is refused with anything but elements, attributes and text", async () => {
    const root = "<SoftwareIdentity";
    for (const [from, to] of [
      [root, `<!DOCTYPE a [<!ENTITY b "c">]>${root}`],
      [root, `<!-- a comment -->${root}`],
      ["<ns0:Payload>", "<ns0:Payload><!-- a comment -->"],
      ["<ns0:Payload>", "<ns0:Payload><![CDATA[a]]>"],
      ["<ns0:Payload>", "<ns0:Payload><?a b?>"],
      ["<ns0:Payload>", '<ns0:Payload xml:lang="en">'],
      ["</SoftwareIdentity>", "</SoftwareIdentity><a/>"],
      ["</SoftwareIdentity>", "</SoftwareIdentity>text"],
      ["</SoftwareIdentity>", ""],
      ['edition="GPU"', "edition=GPU"],
    ] as const) {
      expect(await replaced(from, to), `${to} for ${from}`).to.equal("rim-format");
    }
    const deep = "<a>".repeat(5000) + "</a>".repeat(5000);
    for (const text of ["", "a", "<a/>", "<".repeat(1000), " ".repeat(2_000_000), deep]) {
      expect(await refusal(text)).to.equal("rim-format");
    }
  });

  it("is refused where tags do not match", async () => {
    expect(await replaced("</ns0:Payload>", "</ns0:Payloads>")).to.match(/^rim-/);
    expect(await replaced("</ns0:Meta>", "")).to.match(/^rim-/);
  });

  it("is refused with any character of it changed", async () => {
    // Of certificates, a character each; white space inside tags and around base64 is not content.
    const start = xml.indexOf("<SoftwareIdentity");
    for (let i = start; i < xml.length; i += 7) {
      if (/\s/.test(xml[i] as string)) continue;
      const changed = xml.slice(0, i) + (xml[i] === "1" ? "2" : "1") + xml.slice(i + 1);
      expect(await refusal(changed), `character ${i}`).to.not.equal("none");
    }
  }).timeout(120_000);

  it("is refused with measurements that two readers could read differently", async () => {
    const content = async (from: string | RegExp, to: string): Promise<void> => {
      expect(await replaced(from, to), String(from)).to.equal("rim-content");
    };
    await content('index="2"', 'index="0"');
    await content('index="2"', 'index="02"');
    await content('index="2"', 'index="256"');
    await content('alternatives="2"', 'alternatives="3"');
    await content('alternatives="2"', 'alternatives="0"');
    await content('active="True"', 'active="true"');
    await content('size="48"', 'size="32"');
    await content('type="Measurement"', 'type="Another"');
    await content(/Hash0="../, 'Hash0="zz');
    await content(/<ns0:Meta.*<\/ns0:Meta>/, "");
    await content("<ns0:Payload>", "<ns0:Payload></ns0:Payload><ns0:Payload>");
  });
});
