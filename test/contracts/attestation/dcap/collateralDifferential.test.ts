import { expect } from "chai";
import hre from "hardhat";

import { isCharterError } from "../../../../protocol/errors/CharterError.ts";
import {
  collateralCalls,
  type CollateralCall,
} from "../../../../protocol/evidence/dcap/onchain/collateralCalls.ts";
import { encodeFirstQuote } from "../../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import type { DcapCollateral, DcapVerifier } from "../../../../types/typechain/index.ts";
import { COLLATERAL_DEFECTS } from "../../../protocol/evidence/dcap/defects/collateralDefects.ts";
import { goodCases, type Case } from "../../../protocol/evidence/dcap/defects/defect.ts";
import type { QuoteKind } from "../../../protocol/evidence/dcap/layout.ts";
import { AT, pki } from "../../../protocol/evidence/simulated.ts";
import { random } from "../../../support/random.ts";
import type { Connection } from "../../support/charter.ts";
import { deployCollateral, put } from "./support/collateral.ts";
import { factsDigest, REFUSED, statusOf, verdictOffChain, verdictText } from "./support/offChain.ts";
import { fieldsOf } from "./support/verifier.ts";

const isLong = process.env["CHARTER_FUZZ"] === "long";
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
const ROUNDS = isLong ? 12 : 1;
const KINDS: readonly QuoteKind[] = ["tdx4", "sgx3"];

/** Collateral that one verifier refuses and the other takes, and why that is right. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  "root revoked by itself":
    "the chain trusts a key and keeps no certificate of the root; a root that revokes itself proves nothing",
  "document signed by a chain without root": "the chain is brought certificates one by one, not their list",
  "document signed by a chain with its root twice": "as above",
  "document with white space": "the chain's grammar is Intel's to the byte; Intel writes none",
};

/** The same collateral brought to the chain piece by piece, as far as each is taken, and the quote judged by it. */
describe("collateral on the chain beside the verifier off it", function () {
  this.timeout(isLong ? 3_600_000 : 240_000);
  let connection: Connection;
  let collateral: DcapCollateral;
  let verifier: DcapVerifier;
  const known = new Set<string>();
  before(async () => {
    // Every block of a question comes at its second.
    connection = await hre.network.create({
      network: "default",
      override: {
        chainId: 31_337,
        initialDate: new Date((AT - 2_000) * 1000).toISOString(),
        allowBlocksWithSameTimestamp: true,
      },
    });
    const [owner] = await connection.ethers.getSigners();
    collateral = await deployCollateral(connection, owner?.address ?? "", pki.file.root);
    const deployed = await connection.ethers.deployContract("DcapVerifier", [await collateral.getAddress()]);
    verifier = deployed as unknown as DcapVerifier;
    for (const { interface: one } of [collateral, verifier])
      one.forEachError((each) => known.add(each.selector));
  });
  after(() => connection.close());

  /** The calls that there are: of what is no certificate in PEM nobody can make any. */
  function callsOf(message: Case["collateral"]): readonly CollateralCall[] {
    try {
      return collateralCalls(message);
    } catch (error) {
      if (isCharterError(error)) return [];
      throw error;
    }
  }

  async function onChain({ quote, at, collateral: message }: Case): Promise<string> {
    const { time } = connection.networkHelpers;
    for (const call of callsOf(message)) {
      await time.setNextBlockTimestamp(at);
      try {
        await put(collateral, call);
      } catch (error) {
        requireTyped(error);
      }
    }
    await time.setNextBlockTimestamp(at);
    await connection.networkHelpers.mine();
    try {
      const result = fieldsOf(await verifier.verifyQuote.staticCall(encodeFirstQuote(quote)));
      return verdictText(Number(result["status"]), factsDigest(result as Parameters<typeof factsDigest>[0]));
    } catch (error) {
      requireTyped(error);
      return REFUSED;
    }
  }
  function requireTyped(error: unknown): void {
    const data = (error as { data?: unknown }).data;
    expect(known, `a typed error: ${String(error)}, SEED=${seed}`).to.include(String(data).slice(0, 10));
  }

  it(`says the same of ${ROUNDS} × ${COLLATERAL_DEFECTS.length} kinds of collateral`, async () => {
    console.log(`      seed: SEED=${seed}`);
    const good = await goodCases();
    const source = random(seed);
    const differing = new Map<string, string>();
    const verdicts = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, defect] of COLLATERAL_DEFECTS.entries()) {
        const kinds = KINDS.filter((kind) => defect.kinds?.includes(kind) ?? true);
        const start = good.get(kinds[(round + i) % kinds.length] as QuoteKind) as Case;
        const asking = { ...start, ...(await defect.make(start, source)) };
        const snapshot = await connection.networkHelpers.takeSnapshot();
        const theirs = await onChain(asking);
        await snapshot.restore();
        const ours = await verdictOffChain(asking.quote, asking.collateral, asking.at);
        verdicts.set(statusOf(ours), (verdicts.get(statusOf(ours)) ?? 0) + 1);
        if (ours !== theirs) differing.set(defect.name, `off chain ${ours}, on chain ${theirs}`);
      }
    }
    console.log(`      ${[...verdicts].map(([says, count]) => `${count} ${says}`).join(", ")}`);
    expect([...verdicts.values()].reduce((a, b) => a + b, 0)).to.equal(ROUNDS * COLLATERAL_DEFECTS.length);
    expect(verdicts.size).to.be.greaterThan(2);
    const unlisted = [...differing].filter(([defect]) => !(defect in DIFFERENCES));
    expect(Object.fromEntries(unlisted), `SEED=${seed}`).to.deep.equal({});
    if (isLong) expect(Object.keys(DIFFERENCES).filter((name) => !differing.has(name))).to.deep.equal([]);
  });
});
