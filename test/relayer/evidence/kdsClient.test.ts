import { expect } from "chai";

import { fromHex, toHex } from "../../../protocol/words/hex.ts";
import { AMD_ROOTS } from "../../../protocol/evidence/snp/amdRoots.ts";
import { amdChip, amdIssuerFamily, type AmdChip } from "../../../relayer/evidence/amdFamily.ts";
import { genuineVcek } from "../../../relayer/evidence/genuineAmd.ts";
import { KdsClient } from "../../../relayer/evidence/kdsClient.ts";
import { MAX_ANSWER_BYTES } from "../../../relayer/evidence/vendorHttp.ts";
import { parseSnpReport } from "../../../protocol/evidence/snp/parseReport.ts";
import { toPem } from "../../../worker/tee/simulator/certificate.ts";
import { guest, pkiOf, REPORT_DATA } from "../../protocol/evidence/snp/simulatedSnp.ts";
import { dstackSnpVector, goSevGuestVector, VECTOR_AT } from "../../protocol/evidence/snp/snpVectors.ts";
import { itOnVectors } from "../../support/vectors.ts";
import { refusal, refusalOf } from "../../support/refusal.ts";

const DER = Uint8Array.from(fromHex("0x3003020105"));
const PEM = toPem(fromHex("0x300102")) + toPem(fromHex("0x300103"));

/** A client whose every request is answered by `answer`, and the paths that it asked for. */
function recorded(answer: (path: string) => Response) {
  const paths: string[] = [];
  const client = new KdsClient({
    url: "https://kds.test/",
    fetch: (input) => {
      const path = (input as string).replace("https://kds.test", "");
      paths.push(path);
      return Promise.resolve(answer(path));
    },
  });
  return { client, paths };
}

const good = (path: string): Response => new Response(path.endsWith("/cert_chain") ? PEM : DER);
const tcb = { fmc: 1, bootloader: 4, tee: 0, snp: 24, microcode: 219 };
const milan = { product: "Milan", hwid: "ab".repeat(64), tcb: { ...tcb, fmc: 0 } } as const;

describe("KdsClient", function () {
  this.timeout(60_000);

  it("asks for a VCEK by chip and firmware, and of Turin for the FMC too", async () => {
    const { client, paths } = recorded(good);
    expect(toHex(await client.vcek(milan))).to.equal(toHex(DER));
    await client.vcek({ product: "Turin", hwid: "6bb1229b7692b710", tcb });
    expect(paths).to.deep.equal([
      `/vcek/v1/Milan/${"ab".repeat(64)}?blSPL=4&teeSPL=0&snpSPL=24&ucodeSPL=219`,
      "/vcek/v1/Turin/6bb1229b7692b710?blSPL=4&teeSPL=0&snpSPL=24&ucodeSPL=219&fmcSPL=1",
    ]);
  });

  it("asks for CAs and revocation list by product and kind of key", async () => {
    const { client, paths } = recorded(good);
    const { ask, ark, crl } = await client.issuers({ signer: "VCEK", product: "Genoa" });
    expect([ask, ark, crl].map(toHex)).to.deep.equal(["0x300102", "0x300103", toHex(DER)]);
    await client.issuers({ signer: "VLEK", product: "Turin" });
    expect(paths).to.deep.equal([
      "/vcek/v1/Genoa/cert_chain",
      "/vcek/v1/Genoa/crl",
      "/vlek/v1/Turin/cert_chain",
      "/vlek/v1/Turin/crl",
    ]);
  });

  const malformed: Record<string, string | Uint8Array<ArrayBuffer>> = {
    "a page": "<html>",
    nothing: "",
    "bytes behind it": Uint8Array.from([...DER, 0]),
    "a length that is cut": DER.slice(0, 4),
  };
  for (const [what, body] of Object.entries(malformed)) {
    it(`refuses ${what} in place of a certificate or a list`, async () => {
      const { client } = recorded((path) => (path.endsWith("/cert_chain") ? good(path) : new Response(body)));
      expect(await refusal(client.vcek(milan))).to.equal("collateral/malformed");
      expect(await refusal(client.issuers({ signer: "VCEK", product: "Milan" }))).to.equal(
        "collateral/malformed",
      );
    });
  }

  const chains: Record<string, string | Uint8Array<ArrayBuffer>> = {
    DER: DER,
    "one certificate": toPem(DER),
    "three certificates": PEM + toPem(DER),
    "text between": PEM.replace("-----\n-----", "-----\ncomment\n-----"),
  };
  for (const [what, body] of Object.entries(chains)) {
    it(`refuses ${what} in place of two certificates in PEM`, async () => {
      const { client } = recorded((path) => (path.endsWith("/cert_chain") ? new Response(body) : good(path)));
      expect(await refusal(client.issuers({ signer: "VCEK", product: "Milan" }))).to.equal(
        "collateral/malformed",
      );
    });
  }

  it("refuses by name: an unknown chip, too many requests, too much, no answer", async () => {
    const ask = (answer: () => Response) => refusal(recorded(answer).client.vcek(milan));
    expect(await ask(() => new Response("", { status: 404 }))).to.equal("collateral/refused");
    expect(await ask(() => new Response("", { status: 429 }))).to.equal("collateral/rate-limited");
    expect(await ask(() => new Response(new Uint8Array(MAX_ANSWER_BYTES + 1)))).to.equal(
      "collateral/too-large",
    );
    const gone = new KdsClient({
      url: "https://kds.test",
      fetch: () => Promise.reject(new TypeError("fetch failed")),
    });
    expect(await refusal(gone.vcek(milan))).to.equal("collateral/unreachable");
  });

  describe("what it asks for", () => {
    const report = (...[defects, options, product = "Milan"]: ReportArguments) =>
      parseSnpReport(guest(options, pkiOf(product)).attest(REPORT_DATA, defects).report);
    type ReportArguments = [
      defects?: Parameters<ReturnType<typeof guest>["attest"]>[1],
      options?: Parameters<typeof guest>[0],
      product?: Parameters<typeof pkiOf>[0],
    ];

    it("stands in the report: product, chip, and the version that the key follows from", () => {
      const older = { ...tcb, fmc: 0, snp: 3 };
      const one = report({ tcbs: { reported: older } });
      expect(amdIssuerFamily(one)).to.deep.equal({ signer: "VCEK", product: "Milan" });
      expect(amdChip(one, "Milan")).to.deep.equal({
        product: "Milan",
        hwid: toHex(guest().platform.chipId).slice(2),
        tcb: older,
      });
      expect(amdIssuerFamily(report({}, { signer: "VLEK" }, "Genoa"))).to.deep.equal({
        signer: "VLEK",
        product: "Genoa",
      });
      const turin = amdChip(report({}, {}, "Turin"), "Turin");
      expect(turin.hwid).to.have.length(16);
      expect(turin.tcb.fmc).to.equal(1);
    });

    it("is not known where the report names no processor, one that we do not know, or no chip", () => {
      expect(refusalOf(() => amdIssuerFamily(report({ version: 2 })))).to.equal("evidence/snp-product");
      expect(refusalOf(() => amdIssuerFamily(report({ cpuId: [0x17, 1, 1] })))).to.equal(
        "evidence/snp-product",
      );
      expect(refusalOf(() => amdChip(report({ maskedChipId: true }), "Milan"))).to.equal(
        "evidence/snp-chip-id",
      );
      // 64 bytes of chip id are no Turin's; its versions stand elsewhere too.
      expect(refusalOf(() => amdChip(report({ patches: { 0x180: Array(8).fill(0) } }), "Turin"))).to.equal(
        "evidence/snp-chip-id",
      );
      expect(refusalOf(() => amdChip(report(), "Turin"))).to.equal("evidence/snp-tcb-format");
    });

    it("is taken from the leaf where a report of version 2 came with it", () => {
      const one = guest();
      const { leaf } = one.platform.certificates;
      expect(amdIssuerFamily(report({ version: 2 }), leaf).product).to.equal("Milan");
    });

    for (const [whose, vectorOf] of Object.entries({ dstack: dstackSnpVector, Google: goSevGuestVector })) {
      itOnVectors(`is the certificate that AMD published for a real machine of ${whose}'s`, async () => {
        const { report, certificates } = vectorOf();
        const parsed = parseSnpReport(report);
        const { product } = amdIssuerFamily(parsed, certificates.leaf);
        const chip = amdChip(parsed, product);
        const judge = (asked: AmdChip) =>
          genuineVcek(certificates.leaf, asked, { ...certificates, crl: DER }, AMD_ROOTS);
        expect((await judge(chip)).validUntil).to.be.greaterThan(VECTOR_AT);
        const hwid = chip.hwid.replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
        expect(await refusal(judge({ ...chip, hwid }))).to.equal("collateral/not-genuine");
      });
    }
  });
});
