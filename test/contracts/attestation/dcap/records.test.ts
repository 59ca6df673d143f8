import { expect } from "chai";
import { id } from "ethers";

import {
  encodeFirstQuote,
  encodeKnownQuote,
} from "../../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { factsOf } from "../../../../protocol/evidence/dcap/onchain/facts.ts";
import { parseQuote } from "../../../../protocol/evidence/dcap/parseQuote.ts";
import { concatBytes } from "../../../../protocol/words/bytes.ts";
import { TcbStatus } from "../../../../protocol/words/enums.ts";
import { toHex, type Hex } from "../../../../protocol/words/hex.ts";
import { AT, platform, quoteOf } from "../../../protocol/evidence/simulated.ts";
import { EPOCH, FAMILY, fieldsOf, withVerifier, ZERO, type VerifierOnDouble } from "./support/verifier.ts";

const DAY = 86_400;

describe("a platform's record", () => {
  const pass = (on: VerifierOnDouble, to: number): Promise<void> =>
    on.connection.networkHelpers.time.increaseTo(to);
  async function recorded(on: VerifierOnDouble): Promise<{ known: Hex; facts: Uint8Array; first: Hex }> {
    const quote = await quoteOf();
    await on.verifier.verifyQuote(encodeFirstQuote(quote));
    return {
      known: encodeKnownQuote(quote, 1),
      first: encodeFirstQuote(quote),
      facts: factsOf(parseQuote(quote)),
    };
  }

  it("refuses where the collateral has ended, and heals by itself when newer comes", () =>
    withVerifier(async (on) => {
      const { known, first } = await recorded(on);
      await pass(on, on.validUntil);
      for (const quote of [known, first]) {
        await expect(on.verifier.verifyQuote(quote)).to.be.revertedWithCustomError(
          on.errors,
          "CollateralExpired",
        );
      }
      expect((await on.verifier.standing(1)).validUntil).to.equal(BigInt(on.validUntil));
      await on.collateral.setJudgement(TcbStatus.UpToDate, ZERO, on.validUntil + DAY, FAMILY, EPOCH);
      await on.verifier.verifyQuote(known);
      expect((await on.verifier.standing(1)).staleSince).to.equal(0n);
    }));

  it("judges anew, and keeps the answer, where the epoch has moved on", () =>
    withVerifier(async (on) => {
      const { known } = await recorded(on);
      await on.collateral.setJudgement(
        TcbStatus.OutOfDate,
        id("advisories"),
        on.validUntil,
        FAMILY,
        EPOCH + 1,
      );
      const before = await on.verifier.standing(1);
      expect(before.staleSince).to.equal(BigInt(await on.connection.networkHelpers.time.latest()));
      expect(before.status).to.equal(BigInt(TcbStatus.UpToDate));
      expect(before.revoked).to.equal(false);
      expect((await on.verifier.verifyQuote.staticCall(known)).status).to.equal(BigInt(TcbStatus.OutOfDate));
      await expect(on.verifier.verifyQuote(known))
        .to.emit(on.verifier, "RecordJudged")
        .withArgs(1, TcbStatus.UpToDate, TcbStatus.OutOfDate, id("advisories"), EPOCH + 1, () => true);
      expect(fieldsOf(await on.verifier.standing(1))).to.include({
        status: BigInt(TcbStatus.OutOfDate),
        advisoriesDigest: id("advisories"),
        staleSince: 0n,
      });
      // Once kept, the next quote only reads.
      await expect(on.verifier.verifyQuote(known)).not.to.emit(on.verifier, "RecordJudged");
    }));

  it("lets anyone judge a stale record anew without a signature, by its facts alone", () =>
    withVerifier(async (on) => {
      const { facts } = await recorded(on);
      await on.collateral.setJudgement(TcbStatus.SWHardeningNeeded, ZERO, on.validUntil, FAMILY, EPOCH + 1);
      const other = Uint8Array.from(facts);
      other[35] = 0xff;
      for (const wrong of [other, facts.subarray(1), concatBytes(facts, new Uint8Array(1))]) {
        await expect(on.verifier.rejudge(1, wrong)).to.be.revertedWithCustomError(
          on.verifier,
          "RecordMismatch",
        );
      }
      await expect(on.verifier.rejudge(2, facts)).to.be.revertedWithCustomError(on.verifier, "UnknownRecord");
      await on.verifier.rejudge(1, facts);
      expect(fieldsOf(await on.verifier.standing(1))).to.include({
        status: BigInt(TcbStatus.SWHardeningNeeded),
        staleSince: 0n,
        revoked: false,
      });
    }));

  it("denies at once, while stale, where a serial with the record's tag was revoked", () =>
    withVerifier(async (on) => {
      const { known } = await recorded(on);
      const serial = BigInt(toHex(platform.pckSerial));
      const tag = BigInt(serial) >> 128n;
      await on.collateral.listTag(1, tag);
      expect((await on.verifier.standing(1)).revoked, "judged with that list already").to.equal(false);
      const revoked = on.errors.interface.encodeErrorResult("CertificateRevoked", [1, serial]);
      await on.collateral.setRefusal(revoked, EPOCH + 1, on.validUntil);
      expect((await on.verifier.standing(1)).revoked).to.equal(true);
      await expect(on.verifier.verifyQuote(known)).to.be.revertedWithCustomError(
        on.errors,
        "CertificateRevoked",
      );
    }));

  const REFUSALS = [
    "CertificateRevoked",
    "PlatformTcbNotCovered",
    "PceIdMismatch",
    "QeIdentityMismatch",
    "QeTcbNotCovered",
    "ModuleIdentityMismatch",
    "ModuleTcbNotCovered",
  ] as const;
  const ARGUMENTS: Readonly<Record<string, readonly unknown[]>> = {
    CertificateRevoked: [1, 1],
    PceIdMismatch: ["0x0000", "0x0001"],
    QeTcbNotCovered: [1],
    ModuleIdentityMismatch: [1],
    ModuleTcbNotCovered: [1, 1],
    CollateralMissing: [1, "0x000000000000", 1],
    CollateralExpired: [1, 1],
    NotYetIssued: [1, 1],
    EvaluationNumberTooLow: [1, 1],
  };
  const errorOf = (on: VerifierOnDouble, name: string): string => {
    const { interface: errors } = on.errors;
    return errors.encodeErrorResult(name, (ARGUMENTS[name] ?? []) as []);
  };

  for (const name of REFUSALS) {
    it(`keeps that collateral of now refuses the platform, which revokes its record until judged anew: ${name}`, () =>
      withVerifier(async (on) => {
        const { known, facts } = await recorded(on);
        await on.collateral.setRefusal(errorOf(on, name), EPOCH + 1, on.validUntil);
        await expect(on.verifier.verifyQuote(known)).to.be.revertedWithCustomError(on.errors, name);
        await on.verifier.rejudge(1, facts);
        expect(fieldsOf(await on.verifier.standing(1))).to.include({
          status: BigInt(TcbStatus.Unknown),
          staleSince: 0n,
          revoked: true,
        });
        await expect(
          on.verifier.verifyQuote(known),
          "never by the kept answer",
        ).to.be.revertedWithCustomError(on.errors, name);
        await on.collateral.setJudgement(TcbStatus.UpToDate, ZERO, on.validUntil, FAMILY, EPOCH + 1);
        await on.verifier.verifyQuote(known);
        expect(fieldsOf(await on.verifier.standing(1))).to.include({
          status: BigInt(TcbStatus.UpToDate),
          revoked: false,
        });
      }));
  }

  for (const name of ["CollateralMissing", "CollateralExpired", "NotYetIssued", "EvaluationNumberTooLow"]) {
    it(`keeps nothing where collateral itself is wanting: ${name}`, () =>
      withVerifier(async (on) => {
        const { facts } = await recorded(on);
        await on.collateral.setRefusal(errorOf(on, name), EPOCH + 1, on.validUntil);
        await expect(on.verifier.rejudge(1, facts)).to.be.revertedWithCustomError(on.errors, name);
        expect((await on.verifier.standing(1)).status).to.equal(BigInt(TcbStatus.UpToDate));
      }));
  }

  it("keeps no refusal by collateral that has ended, nor one without a reason", () =>
    withVerifier(async (on) => {
      const { facts } = await recorded(on);
      await on.collateral.setRefusal(errorOf(on, "PlatformTcbNotCovered"), EPOCH + 1, AT);
      await expect(on.verifier.rejudge(1, facts)).to.be.revertedWithCustomError(
        on.errors,
        "PlatformTcbNotCovered",
      );
      await on.collateral.setRefusal("0x00", EPOCH + 1, on.validUntil);
      await expect(on.verifier.rejudge(1, facts)).to.be.revert(on.connection.ethers);
    }));

  it("says nothing of records that do not exist", () =>
    withVerifier(async ({ verifier }) => {
      await expect(verifier.standing(1)).to.be.revertedWithCustomError(verifier, "UnknownRecord").withArgs(1);
      await expect(verifier.standing(0)).to.be.revertedWithCustomError(verifier, "UnknownRecord").withArgs(0);
    }));
});
