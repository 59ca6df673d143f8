import { expect } from "chai";

import {
  encodeFirstQuote,
  encodeKnownQuote,
} from "../../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { advisoriesDigest } from "../../../../protocol/session/verdict.ts";
import { TcbStatus } from "../../../../protocol/words/enums.ts";
import type { DcapVerifier } from "../../../../types/typechain/index.ts";
import type { IssuedCollateral } from "../../../../worker/tee/simulator/collateral.ts";
import { REAL_TDX } from "../../../protocol/evidence/dcap/realTdx.ts";
import { clock, itOnVectors, vector, vectorJson } from "../../../support/vectors.ts";
import { deployCollateral, putAll } from "./support/collateral.ts";
import { fieldsOf, openChainAt } from "./support/verifier.ts";

/** Real quotes with Intel's collateral of their time, and what is known of each. */
const VECTORS = {
  ...REAL_TDX,
  "sgx/dcap-qvl": () => ({
    quote: vector("sgx/dcap-qvl/quote.bin"),
    collateral: vectorJson("sgx/dcap-qvl/collateral.json"),
    at: clock("2025-06-21T10:56:11Z"),
  }),
};
const KNOWN: Readonly<
  Record<keyof typeof VECTORS, readonly [status: number, advisories: readonly string[]]>
> = {
  "dcap-qvl-2025-06": [TcbStatus.UpToDate, []],
  "dstack-2026-02": [TcbStatus.UpToDate, []],
  "automata-v4": [TcbStatus.OutOfDate, ["INTEL-SA-00960", "INTEL-SA-00982", "INTEL-SA-00986"]],
  "sgx/dcap-qvl": [TcbStatus.ConfigurationAndSWHardeningNeeded, ["INTEL-SA-00289", "INTEL-SA-00615"]],
};

/** On chain id 1, under Intel's own root: nothing here is a double. */
describe("real quotes on chain, by Intel's collateral kept there", function () {
  this.timeout(60_000);
  for (const [name, load] of Object.entries(VECTORS)) {
    itOnVectors(`verifyQuote_${name}_firstAndKnown_isWhatIsKnownOfIt`, async () => {
      const { quote, collateral: message, at } = load();
      const connection = await openChainAt(at, 1);
      try {
        const [owner] = await connection.ethers.getSigners();
        const collateral = await deployCollateral(connection, owner?.address ?? "");
        const puts = await putAll(collateral, message as IssuedCollateral);
        const deployed = await connection.ethers.deployContract("DcapVerifier", [
          await collateral.getAddress(),
        ]);
        const verifier = deployed as unknown as DcapVerifier;
        const first = fieldsOf(await verifier.verifyQuote.staticCall(encodeFirstQuote(quote)));
        await verifier.verifyQuote(encodeFirstQuote(quote));
        const known = fieldsOf(await verifier.verifyQuote.staticCall(encodeKnownQuote(quote, 1)));
        expect(known).to.deep.equal(first);
        const [status, advisories] = KNOWN[name as keyof typeof VECTORS];
        expect(first).to.include({ status: BigInt(status), simulated: false });
        expect(first["advisoriesDigest"]).to.equal(advisoriesDigest(advisories));
        console.log(`      ${puts.map(({ name: call, gas }) => `${call} ${gas}`).join(", ")}`);
      } finally {
        await connection.close();
      }
    });
  }
});
