import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { webCrypto } from "../../../../protocol/crypto/web.ts";
import { parseCollateral, parseQuote, verifyQuote, verifyTdx } from "../../../../protocol/evidence/index.ts";
import { nameOf, TcbStatus } from "../../../../protocol/words/enums.ts";
import { toHex } from "../../../../protocol/words/hex.ts";
import { deriveKey } from "../../../../worker/tee/simulator/keys.ts";
import { simulatedPlatform } from "../../../../worker/tee/simulator/platform.ts";
import {
  ENCLAVE,
  SimulatedSgx,
  type SimulatedSgxOptions,
} from "../../../../worker/tee/simulator/SimulatedSgx.ts";
import { clock, itOnVectors, vector, vectorJson } from "../../../support/vectors.ts";
import { AT, failedCheck, issued, pki, platform, quoteOf, root } from "../simulated.ts";

const data = new Uint8Array(64).fill(9);
const quote = (options: SimulatedSgxOptions = {}, on = platform) => new SimulatedSgx(on, options).quote(data);
const judge = (bytes: Uint8Array, collateral: unknown = issued({ tee: "sgx" })) =>
  verifyQuote(bytes, {
    collateral: parseCollateral(collateral),
    at: AT + 1,
    crypto: nodeCrypto,
    roots: [root],
  });

describe("verifyQuote of an enclave", () => {
  for (const version of [3, 4] as const) {
    it(`accepts version ${version}, with the enclave's measurements`, async () => {
      const verified = await judge(quote({ version }));
      if (verified.kind !== "sgx") throw new Error("the quote must be an enclave's");
      expect(verified.status).to.equal(TcbStatus.UpToDate);
      expect(verified.platformId).to.equal(platform.platformId);
      expect(verified.simulated).to.equal(true);
      const { mrEnclave, mrSigner, isvProdId, isvSvn, reportData } = verified.report;
      expect([toHex(mrEnclave), toHex(mrSigner)]).to.deep.equal([
        toHex(ENCLAVE.mrEnclave),
        toHex(ENCLAVE.mrSigner),
      ]);
      expect([isvProdId, isvSvn, toHex(reportData)]).to.deep.equal([7, 3, toHex(data)]);
    });
  }

  it("judges the platform by its SGX components", async () => {
    const old = simulatedPlatform(pki, { name: "old", outOfDate: true });
    const verified = await judge(quote({}, old));
    expect(verified.status).to.equal(TcbStatus.OutOfDate);
    expect(verified.advisoryIds).to.deep.equal(["INTEL-SA-01036", "INTEL-SA-01079", "INTEL-SA-01099"]);
  });

  it("refuses a debug enclave, and one without INIT or 64-bit mode or with a launch key", async () => {
    expect(await failedCheck(judge(quote({ flags: 0x07 })))).to.equal("enclave-debug");
    for (const flags of [0x04, 0x01, 0x25, 0x0d]) {
      expect(await failedCheck(judge(quote({ flags }))), `flags ${flags}`).to.equal("enclave-attributes");
    }
    expect(await failedCheck(judge(quote({ flags: 0x95 })))).to.equal("none");
  });

  it("refuses another signer, and any change of header or report", async () => {
    const signingKey = deriveKey(pki.secret, "a stranger");
    expect(await failedCheck(judge(quote({ signingKey })))).to.equal("quote-signature");
    const good = quote();
    for (let offset = 28; offset < 48 + 384; offset++) {
      const changed = Uint8Array.from(good);
      changed[offset] = (changed[offset] as number) ^ 1;
      expect(await failedCheck(judge(changed)), `byte ${offset}`).to.equal("quote-signature");
    }
  });

  it("refuses a TD's documents for an enclave, an enclave's for a TD, and mixtures", async () => {
    const [tdx, sgx] = [issued(), issued({ tee: "sgx" })];
    expect(await failedCheck(judge(quote(), tdx))).to.equal("qe-identity-kind");
    expect(await failedCheck(judge(await quoteOf(), sgx))).to.equal("qe-identity-kind");
    const mixed = { ...sgx, tcb_info: tdx.tcb_info, tcb_info_signature: tdx.tcb_info_signature };
    expect(await failedCheck(judge(quote(), mixed))).to.equal("tcb-info-kind");
  });

  it("is no TD, even where all else holds", async () => {
    const options = { collateral: parseCollateral(issued({ tee: "sgx" })), at: AT + 1, crypto: nodeCrypto };
    expect(await failedCheck(verifyTdx(quote(), { ...options, roots: [root] }))).to.equal("quote-kind");
  });

  it("refuses an evaluation data number below what was seen before", async () => {
    const options = {
      collateral: parseCollateral(issued({ tee: "sgx" })),
      at: AT + 1,
      crypto: nodeCrypto,
      roots: [root],
    };
    const { evaluationDataNumber } = await verifyQuote(quote(), options);
    const seen = (minEvaluationDataNumber: number) =>
      failedCheck(verifyQuote(quote(), { ...options, minEvaluationDataNumber }));
    expect(await seen(evaluationDataNumber)).to.equal("none");
    expect(await seen(evaluationDataNumber + 1)).to.equal("evaluation-data-number");
  });

  it("refuses an SGX quote that says it is TDX's, and a version 3 that is", async () => {
    const tdx = Uint8Array.from(quote());
    tdx[4] = 0x81;
    expect(() => parseQuote(tdx)).to.throw("expected a TEE type that this version has");
  });

  itOnVectors(
    "reads the real quote: software hardening and configuration needed, two advisories",
    async () => {
      const collateral = parseCollateral(vectorJson("sgx/dcap-qvl/collateral.json"));
      const at = clock("2025-06-21T10:56:11Z");
      for (const crypto of [nodeCrypto, webCrypto]) {
        const verified = await verifyQuote(vector("sgx/dcap-qvl/quote.bin"), { collateral, at, crypto });
        expect(verified.kind).to.equal("sgx");
        expect(nameOf(TcbStatus, verified.status)).to.equal("ConfigurationAndSWHardeningNeeded");
        expect(verified.advisoryIds).to.deep.equal(["INTEL-SA-00289", "INTEL-SA-00615"]);
        expect(verified.simulated).to.equal(false);
      }
    },
  );
});
