import { QuoteVerifier } from "@phala/dcap-qvl";
import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../../protocol/crypto/web.ts";
import { parseCollateral, verifyTdx } from "../../../../protocol/evidence/index.ts";
import { nameOf, TcbStatus } from "../../../../protocol/words/enums.ts";
import { toHex } from "../../../../protocol/words/hex.ts";
import { clock, itOnVectors, vector, vectorJson } from "../../../support/vectors.ts";
import { failedCheck } from "../simulated.ts";
import { REAL_TDX } from "./realTdx.ts";

type OracleCollateral = Parameters<QuoteVerifier["verify"]>[1];

describe("real TDX quotes", () => {
  // Both files are 5,006 bytes; 70 of them are padding.
  const expected = {
    "dcap-qvl-2025-06": { fmspc: "0xb0c06f000000", size: 4936 },
    "dstack-2026-02": { fmspc: "0x90c06f000000", size: 4936 },
  };
  for (const [name, { fmspc, size }] of Object.entries(expected)) {
    itOnVectors(`${name} is UpToDate without advisories, on both crypto seams`, async () => {
      const { quote, collateral, at } = REAL_TDX[name as keyof typeof expected]();
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
    const { quote, collateral, at } = REAL_TDX["automata-v4"]();
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

  for (const name of Object.keys(REAL_TDX) as (keyof typeof REAL_TDX)[]) {
    itOnVectors(`${name}: @phala/dcap-qvl sees the same status, advisories and measurements`, async () => {
      const { quote, collateral, at } = REAL_TDX[name]();
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
