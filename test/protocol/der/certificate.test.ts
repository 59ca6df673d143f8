import { X509Certificate as NodeCertificate } from "node:crypto";
import { expect } from "chai";

import { parseCertificate } from "../../../protocol/der/certificate.ts";
import { parseCrl } from "../../../protocol/der/crl.ts";
import { MAX_CHAIN, splitPem } from "../../../protocol/der/pem.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { readPckExtensions } from "../../../protocol/evidence/dcap/pckExtensions.ts";
import { parseQuote } from "../../../protocol/evidence/index.ts";
import { toHex } from "../../../protocol/words/hex.ts";
import { itOnVectors, vector, vectorJson } from "../../support/vectors.ts";
import { issued, pki, platform } from "../evidence/simulated.ts";
import { ourCertificate, ourCrl, theirCertificate, theirCrl } from "./peculiar.ts";

const simulated = () => splitPem(platform.pckChain + pki.file.signing);

/** Both readers, and Node's, must see the same certificate. */
function compare(der: Uint8Array): void {
  const theirs = theirCertificate(der);
  const ours = parseCertificate(der);
  expect(ourCertificate(ours, theirs)).to.deep.equal(theirs);
  expect(ours.isCa).to.equal(new NodeCertificate(der).ca);
}

/** Both readers must see the same CRL. */
function compareCrl(der: Uint8Array): void {
  expect(ourCrl(parseCrl(der))).to.deep.equal(theirCrl(der));
}

describe("certificates and CRLs", () => {
  it("read as @peculiar/x509 reads them (simulated)", () => {
    simulated().forEach(compare);
    const { root_ca_crl, pck_crl } = issued({ revokedPcks: [platform.pckSerial, Uint8Array.of(0x80)] });
    for (const crl of [root_ca_crl, pck_crl]) compareCrl(Buffer.from(crl, "hex"));
  });

  itOnVectors("read as @peculiar/x509 reads them (Intel's)", () => {
    const chain = splitPem(parseQuote(vector("tdx/automata-v4/quote_tdx.bin")).pckChain);
    const files = ["pck", "platform", "root", "signing"].map((name) => vector(`tdx/automata-v4/${name}.der`));
    const bundle = vectorJson("tdx/dcap-qvl-2025-06/collateral.json") as Record<string, string>;
    const chains = ["pck_crl_issuer_chain", "tcb_info_issuer_chain", "qe_identity_issuer_chain"];
    const issuers = chains.flatMap((name) => splitPem(bundle[name] as string));
    [...chain, ...files, ...issuers].forEach(compare);
    for (const name of ["intel_root_ca_crl", "pck_platform_crl"])
      compareCrl(vector(`tdx/automata-v4/${name}.der`));
    for (const name of ["root_ca_crl", "pck_crl"]) compareCrl(Buffer.from(bundle[name] as string, "hex"));
  });

  itOnVectors("name the platform in a PCK certificate", () => {
    const pck = readPckExtensions(parseCertificate(vector("tdx/automata-v4/pck.der")));
    expect(toHex(pck.fmspc)).to.equal("0x00606a000000");
    expect(toHex(pck.pceId)).to.equal("0x0000");
    expect(pck.ppid.length).to.equal(16);
    expect(pck.sgxSvns.length).to.equal(16);
  });

  it("end in a typed error, never in another, whatever byte changes", () => {
    const [leaf] = simulated() as [Uint8Array];
    const crl = Buffer.from(issued({ revokedPcks: [platform.pckSerial] }).pck_crl, "hex");
    const parsers = [
      [leaf, (der: Uint8Array) => readPckExtensions(parseCertificate(der))],
      [crl, parseCrl],
    ] as const;
    for (const [der, parse] of parsers) {
      for (let i = 0; i < der.length; i++) {
        for (const bit of [0x01, 0x80]) {
          const changed = Uint8Array.from(der);
          changed[i] = (changed[i] as number) ^ bit;
          try {
            parse(changed);
          } catch (error) {
            expect(error).to.be.instanceOf(CharterError);
          }
        }
        expect(() => parse(der.subarray(0, i)), `cut at ${i}`).to.throw(CharterError);
      }
      expect(() => parse(Buffer.concat([der, Buffer.of(0)]))).to.throw(CharterError);
    }
  });

  it("lack SGX extensions unless they are a platform's", () => {
    const ca = splitPem(pki.file.platformCa)[0] as Uint8Array;
    expect(() => readPckExtensions(parseCertificate(ca)))
      .to.throw()
      .with.property("code", "der/malformed");
  });
});

describe("splitPem", () => {
  const pem = pki.file.root;
  const refused = (text: string) =>
    expect(() => splitPem(text))
      .to.throw()
      .with.property("code", "pem/malformed");

  it("gives the certificates in order, one NUL at the end allowed", () => {
    expect(splitPem(`${platform.pckChain}\0`).length).to.equal(3);
    expect(splitPem(pem.replaceAll("\n", "\r\n"))).to.deep.equal(splitPem(pem));
  });

  it("refuses nothing, text around the blocks, other blocks, and an open block", () => {
    for (const text of ["", "\0", `x${pem}`, `${pem}x`, `${pem}x${pem}`, `${pem}\0\0`, pem.slice(0, -10)])
      refused(text);
    refused(pem.replaceAll("CERTIFICATE", "PRIVATE KEY"));
  });

  it("refuses base64 that is not canonical, and an empty block", () => {
    refused("-----BEGIN CERTIFICATE-----\nMAB=\n-----END CERTIFICATE-----");
    refused("-----BEGIN CERTIFICATE-----\nMA\n-----END CERTIFICATE-----");
    refused("-----BEGIN CERTIFICATE-----\nMA*A\n-----END CERTIFICATE-----");
    refused("-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----");
  });

  it(`refuses more than ${MAX_CHAIN} certificates`, () => {
    expect(splitPem(pem.repeat(MAX_CHAIN)).length).to.equal(MAX_CHAIN);
    refused(pem.repeat(MAX_CHAIN + 1));
  });
});
