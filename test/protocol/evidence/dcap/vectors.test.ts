import { QuoteVerifier } from "@phala/dcap-qvl";
import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../../protocol/crypto/web.ts";
import { parseCollateral, verifyTdx } from "../../../../protocol/evidence/index.ts";
import { nameOf, TcbStatus } from "../../../../protocol/words/enums.ts";
import { fromHex, toHex } from "../../../../protocol/words/hex.ts";
import { clock, itOnVectors, vector, vectorJson } from "../../../support/vectors.ts";
import { dstackVector } from "../dstackVector.ts";
import { failedCheck } from "../simulated.ts";

type OracleCollateral = Parameters<QuoteVerifier["verify"]>[1];

/** The automata vector keeps its collateral as separate files: put together as the vendor's library has it. */
function automataCollateral(): Record<string, string> {
  const file = (name: string) => vector(`tdx/automata-v4/${name}`);
  const pem = (name: string) =>
    `-----BEGIN CERTIFICATE-----\n${file(name).toString("base64")}\n-----END CERTIFICATE-----\n`;
  /** `{"<key>":<document>,"signature":"<hex>"}`: the document's exact text is what was signed. */
  const signed = (name: string, key: string) => {
    const text = file(name).toString("utf8").trim();
    const end = text.lastIndexOf(',"signature":"');
    return { text: text.slice(key.length + 4, end), signature: text.slice(end + 14, end + 142) };
  };
  const tcb = signed("tcb_info_v3_with_tdx_module.json", "tcbInfo");
  const qe = signed("qe_identity.json", "enclaveIdentity");
  return {
    pck_crl_issuer_chain: pem("platform.der") + pem("root.der"),
    root_ca_crl: file("intel_root_ca_crl.der").toString("hex"),
    pck_crl: file("pck_platform_crl.der").toString("hex"),
    tcb_info_issuer_chain: pem("signing.der") + pem("root.der"),
    tcb_info: tcb.text,
    tcb_info_signature: tcb.signature,
    qe_identity_issuer_chain: pem("signing.der") + pem("root.der"),
    qe_identity: qe.text,
    qe_identity_signature: qe.signature,
  };
}

const VECTORS = {
  "dcap-qvl-2025-06": () => ({
    quote: vector("tdx/dcap-qvl-2025-06/quote.bin"),
    collateral: vectorJson("tdx/dcap-qvl-2025-06/collateral.json"),
    at: clock("2025-07-01T00:00:00Z"),
  }),
  "dstack-2026-02": () => {
    const { evidence, collateral, at } = dstackVector();
    return { quote: fromHex(`0x${evidence.quote}`), collateral, at };
  },
  "automata-v4": () => ({
    quote: vector("tdx/automata-v4/quote_tdx.bin"),
    collateral: automataCollateral(),
    at: clock("2025-07-20T00:00:00Z"),
  }),
};

describe("real TDX quotes", () => {
  // Both files are 5,006 bytes; 70 of them are padding.
  const expected = {
    "dcap-qvl-2025-06": { fmspc: "0xb0c06f000000", size: 4936 },
    "dstack-2026-02": { fmspc: "0x90c06f000000", size: 4936 },
  };
  for (const [name, { fmspc, size }] of Object.entries(expected)) {
    itOnVectors(`${name} is UpToDate without advisories, on both crypto seams`, async () => {
      const { quote, collateral, at } = VECTORS[name as keyof typeof expected]();
      for (const crypto of [nodeCrypto, webCrypto]) {
        const verified = await verifyTdx(quote, { collateral: parseCollateral(collateral), at, crypto });
        expect(verified.status).to.equal(TcbStatus.UpToDate);
        expect(verified.advisoryIds).to.deep.equal([]);
        expect(verified.fmspc).to.equal(fmspc);
        expect(verified.simulated).to.equal(false);
        expect(verified.root).to.equal("Intel SGX Root CA");
        expect(verified.quote.length).to.equal(size);
      }
    });
  }

  itOnVectors("automata-v4 is judged with its padding trimmed, and not beyond its window", async () => {
    const { quote, collateral, at } = VECTORS["automata-v4"]();
    const judge = (time: number) =>
      verifyTdx(quote, { collateral: parseCollateral(collateral), at: time, crypto: nodeCrypto });
    const verified = await judge(at);
    expect(quote.length).to.equal(8000);
    expect(verified.quote.length).to.equal(4935);
    expect(verified.fmspc).to.equal("0x00806f050000");
    expect(await failedCheck(judge(clock("2025-08-06T09:06:43Z")))).to.equal("validity");
    expect(await failedCheck(judge(clock("2025-07-07T09:00:00Z")))).to.equal("validity");
  });

  itOnVectors(
    "the out-of-date TD 1.5 quote is read as version 5 and refused by its platform's TCB",
    async () => {
      const collateral = parseCollateral(vectorJson("tdx/dcap-qvl-out-of-date/collateral.json"));
      const quote = vector("tdx/dcap-qvl-out-of-date/quote.bin");
      const at = clock("2026-02-25T00:00:00Z");
      // Component 7 (microcode) is 3 where the lowest published level wants 5: no level fits.
      expect(await failedCheck(verifyTdx(quote, { collateral, at, crypto: nodeCrypto }))).to.equal(
        "platform-tcb",
      );
    },
  );

  for (const name of Object.keys(VECTORS) as (keyof typeof VECTORS)[]) {
    itOnVectors(`${name}: @phala/dcap-qvl sees the same status, advisories and measurements`, async () => {
      const { quote, collateral, at } = VECTORS[name]();
      const ours = await verifyTdx(quote, {
        collateral: parseCollateral(collateral),
        at,
        crypto: nodeCrypto,
      });
      const verifier = QuoteVerifier.newProd();
      const theirs = verifier.verify(Buffer.from(ours.quote), collateral as OracleCollateral, at);
      expect(nameOf(TcbStatus, ours.status)).to.equal(theirs.status);
      expect(ours.advisoryIds).to.deep.equal([...theirs.advisory_ids].sort());
      const report = theirs.report.asTd10();
      if (!report) throw new Error("the oracle must see a TD 1.0 report");
      expect(toHex(ours.report.mrTd)).to.equal(toHex(report.mrTd));
      expect(toHex(ours.report.reportData)).to.equal(toHex(report.reportData));
    });
  }
});
