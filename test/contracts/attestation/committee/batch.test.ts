import { expect } from "chai";
import { id, Signature, toBeHex, ZeroAddress, type Wallet } from "ethers";

import { useCharter } from "../../support/chains.ts";
import { signBatch, type BatchStatement } from "../../support/batches.ts";
import {
  ascending,
  COMMITTEE_EXPIRES_AT,
  COMMITTEE_NOTICE,
  walletOf,
  type Charter,
} from "../../support/charter.ts";

/** What a batch may cost per verdict when 1,000 are in it: DESIGN.md section 11. */
const MOST_GAS_PER_VERDICT = 150n;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe("CommitteeVerifier: batches", () => {
  const seven = ascending(Array.from({ length: 7 }, (_, i) => walletOf(`seat ${i}`)));
  const scene = useCharter(async (charter) => {
    const { time } = charter.connection.networkHelpers;
    const addresses = seven.map(({ address }) => address);
    await charter.committeeVerifier.proposeCommittee(
      addresses,
      5,
      COMMITTEE_EXPIRES_AT,
      ZeroAddress,
      ZeroAddress,
    );
    await time.increase(COMMITTEE_NOTICE);
    const block = await charter.connection.ethers.provider.getBlock("latest");
    const statement: BatchStatement = {
      ledger: await charter.attestationLedger.getAddress(),
      root: id("root"),
      count: 1_000,
      validUntil: BigInt(block?.timestamp ?? 0) + 86_400n,
      minBlock: BigInt(block?.number ?? 0),
      blockHash: block?.hash ?? "",
    };
    return { verifier: charter.committeeVerifier, statement, time };
  });

  /** The verifier's answer to the ledger that the statement names. */
  const ask = (charter: Charter, said: BatchStatement, signatures: string[]) =>
    charter.committeeVerifier
      .connect(charter.connection.ethers.provider)
      .verifyBatch.staticCall(
        said.root,
        said.count,
        said.validUntil,
        said.minBlock,
        said.blockHash,
        signatures,
        { from: said.ledger },
      );

  it("verifyBatch_fiveOfSeven_accepts", async () => {
    const { charter, statement } = await scene();
    await ask(charter, statement, await signBatch(charter, statement, seven.slice(0, 5)));
    await ask(charter, statement, await signBatch(charter, statement, seven.slice(2)));
    await ask(charter, statement, await signBatch(charter, statement, seven));
  });

  it("verifyBatch_tooFewTwiceDescendingOrAStranger_reverts", async () => {
    const { charter, statement, verifier } = await scene();
    const [a, b, c, d, e] = seven as [Wallet, Wallet, Wallet, Wallet, Wallet];
    const cases: readonly [Wallet[], string][] = [
      [[], "NotEnoughSignatures"],
      [[a, b, c, d], "NotEnoughSignatures"],
      [[a, b, c, d, d], "SeatsNotAscending"],
      [[a, b, c, e, d], "SeatsNotAscending"],
      [ascending([a, b, c, d, walletOf("stranger")]), "NotAMember"],
    ];
    for (const [signers, error] of cases) {
      const signatures = await signBatch(charter, statement, signers);
      await expect(ask(charter, statement, signatures)).to.be.revertedWithCustomError(verifier, error);
    }
  });

  it("verifyBatch_oneChangedField_reverts", async () => {
    const { charter, statement, verifier } = await scene();
    const signatures = await signBatch(charter, statement, seven.slice(0, 5));
    await ask(charter, statement, signatures);
    const changes: Partial<BatchStatement>[] = [
      { ledger: walletOf("another ledger").address },
      { root: id("another root") },
      { count: 999 },
      { validUntil: statement.validUntil + 1n },
      { minBlock: statement.minBlock - 1n },
      { blockHash: id("another fork") },
    ];
    for (const change of changes) {
      await expect(
        ask(charter, { ...statement, ...change }, signatures),
        Object.keys(change)[0],
      ).to.be.revertedWithCustomError(verifier, "NotAMember");
    }
  });

  it("verifyBatch_signedForAnotherChain_reverts", async () => {
    const { charter, statement, verifier } = await scene();
    const signatures = await signBatch(charter, statement, seven.slice(0, 5), 1);
    await expect(ask(charter, statement, signatures)).to.be.revertedWithCustomError(verifier, "NotAMember");
  });

  it("verifyBatch_malleatedSignature_reverts", async () => {
    const { charter, statement, verifier } = await scene();
    const [first, ...rest] = await signBatch(charter, statement, seven.slice(0, 5));
    const { r, s, v } = Signature.from(first);
    const highS = toBeHex(ORDER - BigInt(s), 32);
    const flipped = `${r}${highS.slice(2)}${v === 27 ? "1c" : "1b"}`;
    await expect(ask(charter, statement, [flipped, ...rest]))
      .to.be.revertedWithCustomError(verifier, "ECDSAInvalidSignatureS")
      .withArgs(highS);
  });

  it("verifyBatch_committeeExpired_reverts", async () => {
    const { charter, statement, verifier, time } = await scene();
    const signatures = await signBatch(charter, statement, seven.slice(0, 5));
    await time.increaseTo(COMMITTEE_EXPIRES_AT);
    await expect(ask(charter, statement, signatures)).to.be.revertedWithCustomError(
      verifier,
      "CommitteeExpired",
    );
  });

  it("batchDigest_sameBatch_isWhatMembersSign", async () => {
    const { charter, statement, verifier } = await scene();
    const { ledger, root, count, validUntil, minBlock, blockHash } = statement;
    const digest = await verifier.batchDigest(ledger, root, count, validUntil, minBlock, blockHash);
    const [signature] = await signBatch(charter, statement, seven.slice(0, 1));
    expect(seven[0]?.signingKey.sign(digest).serialized).to.equal(signature);
  });

  it("postBatch_ofAThousandByFiveOfSeven_costsNoMoreThanItMay", async () => {
    const { charter, statement } = await scene();
    const { root, count, validUntil, minBlock, blockHash } = statement;
    const signatures = await signBatch(charter, statement, seven.slice(0, 5));
    const sent = await charter.attestationLedger.postBatch(
      root,
      count,
      validUntil,
      minBlock,
      blockHash,
      signatures,
    );
    const receipt = await sent.wait();
    expect(receipt?.gasUsed).to.be.at.most(1_000n * MOST_GAS_PER_VERDICT);
  });
});
