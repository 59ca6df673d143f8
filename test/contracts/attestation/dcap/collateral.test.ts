import { expect } from "chai";

import {
  encodeFirstQuote,
  encodeKnownQuote,
} from "../../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { collateralCalls } from "../../../../protocol/evidence/dcap/onchain/collateralCalls.ts";
import { TcbStatus } from "../../../../protocol/words/enums.ts";
import type { DcapVerifier } from "../../../../types/typechain/index.ts";
import { issueCollateral, type IssuedCollateral } from "../../../../worker/tee/simulator/collateral.ts";
import { AT, pki, quoteOf } from "../../../protocol/evidence/simulated.ts";
import { clock, hasVectors, vector, vectorJson } from "../../../support/vectors.ts";
import type { Connection } from "../../support/charter.ts";
import { deployCollateral, put, putAll } from "./support/collateral.ts";
import { fieldsOf, openChainAt } from "./support/verifier.ts";

describe("DcapCollateral", () => {
  let connection: Connection;
  beforeEach(async () => {
    connection = await openChainAt(AT);
  });
  afterEach(() => connection.close());

  async function scene(at = AT, options: Partial<Parameters<typeof issueCollateral>[1]> = {}) {
    const [owner] = await connection.ethers.getSigners();
    const collateral = await deployCollateral(connection, owner?.address ?? "", pki.file.root);
    const issued = issueCollateral(pki, { at: at - 60, ...options });
    await putAll(collateral, issued);
    const verifier = (await connection.ethers.deployContract("DcapVerifier", [
      await collateral.getAddress(),
    ])) as unknown as DcapVerifier;
    return { collateral, verifier, issued };
  }

  it("simulatedCollateral_firstAndKnownQuote_verify", async () => {
    const { verifier } = await scene();
    const quote = await quoteOf();
    const first = encodeFirstQuote(quote);
    const result = fieldsOf(await verifier.verifyQuote.staticCall(first));
    expect(result).to.include({ status: BigInt(TcbStatus.UpToDate), simulated: true });
    const a = await (await verifier.verifyQuote(first)).wait();
    const b = await (await verifier.verifyQuote(encodeKnownQuote(quote, 1))).wait();
    console.log(a?.gasUsed, b?.gasUsed);
  });

  it("realCollateral_ofIntel_isKept", async function () {
    if (!hasVectors) this.skip();
    for (const [folder, at] of [
      ["tdx/dstack-2026-02", "2026-02-18T11:58:51Z"],
      ["tdx/dcap-qvl-2025-06", "2025-07-01T00:00:00Z"],
      ["sgx/dcap-qvl", "2025-06-21T10:56:11Z"],
    ] as const) {
      const real = await openChainAt(clock(at));
      try {
        const [owner] = await real.ethers.getSigners();
        const collateral = await deployCollateral(real, owner?.address ?? "");
        const sent = await putAll(collateral, vectorJson(`${folder}/collateral.json`) as IssuedCollateral);
        console.log(folder, sent);
      } finally {
        await real.close();
      }
    }
  });
});
