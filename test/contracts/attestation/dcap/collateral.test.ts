import { expect } from "chai";

import { collateralCalls } from "../../../../protocol/evidence/dcap/onchain/collateralCalls.ts";
import {
  encodeFirstQuote,
  encodeKnownQuote,
} from "../../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { TcbStatus } from "../../../../protocol/words/enums.ts";
import { fromHex, toHex } from "../../../../protocol/words/hex.ts";
import type { DcapCollateral, DcapVerifier } from "../../../../types/typechain/index.ts";
import {
  issueCollateral,
  type CollateralOptions,
  type IssuedCollateral,
} from "../../../../worker/tee/simulator/collateral.ts";
import { createTestPki } from "../../../../worker/tee/simulator/pki.ts";
import { AT, pki, platform, quoteOf } from "../../../protocol/evidence/simulated.ts";
import { clock, itOnVectors, vector, vectorJson } from "../../../support/vectors.ts";
import type { Connection } from "../../support/charter.ts";
import { deployCollateral, put, putAll } from "./support/collateral.ts";
import { fieldsOf, openChainAt } from "./support/verifier.ts";

const CA_PLATFORM = 1;
const SIGNER_SERIAL = 0;

describe("DcapCollateral", () => {
  let connection: Connection;
  beforeEach(async () => {
    connection = await openChainAt(AT);
  });
  afterEach(() => connection.close());

  const issue = (options: Partial<CollateralOptions> = {}): IssuedCollateral =>
    issueCollateral(pki, { at: AT - 60, ...options });
  const ownerOf = async (on: Connection): Promise<string> => (await on.ethers.getSigners())[0]?.address ?? "";
  async function scene(options: Partial<CollateralOptions> = {}) {
    const collateral = await deployCollateral(connection, await ownerOf(connection), pki.file.root);
    await putAll(collateral, issue(options));
    const deployed = await connection.ethers.deployContract("DcapVerifier", [await collateral.getAddress()]);
    return { collateral, verifier: deployed as unknown as DcapVerifier };
  }
  /** The call of this kind that brings `issued`; of two, the first unless told. */
  const callOf = (issued: IssuedCollateral, name: string, index = 0) => {
    const call = collateralCalls(issued).filter(({ functionName }) => functionName === name)[index];
    if (!call) throw new Error("no such call");
    return call;
  };
  const refuses = async (
    collateral: DcapCollateral,
    issued: IssuedCollateral,
    name: string,
    error: string,
    index = 0,
  ) =>
    expect(put(collateral, callOf(issued, name, index)), `${name}: ${error}`).to.be.revertedWithCustomError(
      collateral,
      error,
    );
  const epochOf = async (collateral: DcapCollateral): Promise<bigint> =>
    (await collateral.familyStanding((1 << 2) | CA_PLATFORM)).epoch;

  it("judge_simulatedCollateral_verifiesFirstAndKnownQuotes", async () => {
    const { verifier } = await scene();
    const quote = await quoteOf();
    const first = fieldsOf(await verifier.verifyQuote.staticCall(encodeFirstQuote(quote)));
    expect(first).to.include({ status: BigInt(TcbStatus.UpToDate), simulated: true, record: 1n });
    await verifier.verifyQuote(encodeFirstQuote(quote));
    const known = fieldsOf(await verifier.verifyQuote.staticCall(encodeKnownQuote(quote, 1)));
    expect(known).to.deep.equal(first);
  });

  it("judge_revokedPck_reverts", async () => {
    const { verifier, collateral } = await scene({ revokedPcks: [platform.pckSerial] });
    await expect(verifier.verifyQuote(encodeFirstQuote(await quoteOf()))).to.be.revertedWithCustomError(
      collateral,
      "CertificateRevoked",
    );
  });

  it("judge_collateralEnded_reverts", async () => {
    const { verifier, collateral } = await scene({ validitySeconds: 3_600 });
    await connection.networkHelpers.time.increaseTo(AT + 3_540);
    await expect(verifier.verifyQuote(encodeFirstQuote(await quoteOf()))).to.be.revertedWithCustomError(
      collateral,
      "CollateralExpired",
    );
  });

  it("put_beforeTheRootsCrlAndTheCertificates_reverts", async () => {
    const collateral = await deployCollateral(connection, await ownerOf(connection), pki.file.root);
    const issued = issue();
    await refuses(collateral, issued, "putCertificate", "CollateralMissing");
    await refuses(collateral, issued, "putCrl", "CollateralMissing", 1);
    await refuses(collateral, issued, "putTcbInfo", "CollateralMissing");
    await refuses(collateral, issued, "putQeIdentity", "CollateralMissing");
  });

  it("put_equalContentUnderNewerDates_raisesNoEpoch", async () => {
    const { collateral } = await scene();
    const before = await collateral.familyStanding((1 << 2) | CA_PLATFORM);
    await connection.networkHelpers.time.increase(3_600);
    await putAll(collateral, issue({ at: AT + 3_000 }));
    const after = await collateral.familyStanding((1 << 2) | CA_PLATFORM);
    expect([after.epoch, after.changedAt]).to.deep.equal([before.epoch, before.changedAt]);
    expect(after.validUntil).to.equal(before.validUntil + 3_060n);
  });

  it("put_otherRevocations_raiseTheEpochOnce", async () => {
    const { collateral } = await scene();
    const before = await epochOf(collateral);
    const other = fromHex(`0x${"42".repeat(20)}`);
    await put(collateral, callOf(issue({ at: AT - 30, revokedPcks: [other] }), "putCrl", 1));
    expect(await epochOf(collateral)).to.equal(before + 1n);
    expect(await collateral.isRevoked(CA_PLATFORM, toHex(other))).to.equal(true);
    await put(collateral, callOf(issue({ at: AT - 20, revokedPcks: [other] }), "putCrl", 1));
    expect(await epochOf(collateral)).to.equal(before + 1n);
  });

  it("put_olderOfAnything_reverts", async () => {
    const { collateral } = await scene();
    const older = issue({ at: AT - 120 });
    await refuses(collateral, older, "putCrl", "CollateralOlder", 0);
    await refuses(collateral, older, "putCrl", "CollateralOlder", 1);
    await refuses(collateral, older, "putTcbInfo", "CollateralOlder");
    await refuses(collateral, older, "putQeIdentity", "CollateralOlder");
  });

  it("put_endedOrOfTheFuture_reverts", async () => {
    const { collateral } = await scene();
    const ended = issue({ at: AT - 30, validitySeconds: 10 });
    const future = issue({ at: AT + 3_600 });
    for (const [name, index] of [
      ["putCrl", 0],
      ["putCrl", 1],
      ["putTcbInfo", 0],
      ["putQeIdentity", 0],
    ] as const) {
      await refuses(collateral, ended, name, "CollateralExpired", index);
      await refuses(collateral, future, name, "NotYetIssued", index);
    }
  });

  it("put_anotherVendorsWord_reverts", async () => {
    const { collateral } = await scene();
    const other = createTestPki({ notBefore: AT - 1_000, secret: new Uint8Array(32).fill(9) });
    const forged = issueCollateral(other, { at: AT - 30 });
    for (const [name, index] of [
      ["putCertificate", 0],
      ["putCertificate", 1],
      ["putCrl", 0],
      ["putCrl", 1],
      ["putTcbInfo", 0],
      ["putQeIdentity", 0],
    ] as const) {
      await refuses(collateral, forged, name, "BadSignature", index);
    }
  });

  it("put_documentSignedByTheCaInsteadOfTheSigner_reverts", async () => {
    const { collateral } = await scene();
    const wrong = issueCollateral({ ...pki, signing: pki.platformCa }, { at: AT - 30 });
    await refuses(collateral, wrong, "putTcbInfo", "BadSignature");
    await refuses(collateral, wrong, "putQeIdentity", "BadSignature");
  });

  it("put_crlUnderTheNameOfAnotherIssuer_reverts", async () => {
    const { collateral } = await scene();
    // The root's name over the CA's key, and the other way round.
    const named = {
      ...pki,
      root: { ...pki.root, key: pki.platformCa.key },
      platformCa: { ...pki.platformCa, key: pki.root.key },
    };
    const wrong = issueCollateral(named, { at: AT - 30 });
    await refuses(collateral, wrong, "putCrl", "BadSignature", 0);
    await refuses(collateral, wrong, "putCrl", "BadSignature", 1);
  });

  it("put_rootRevokesTheCaOrTheSigner_nothingStandsAnyMore", async () => {
    const { collateral } = await scene();
    const [, ca, signer] = collateralCalls(issue());
    expect([ca?.functionName, signer?.functionName]).to.deep.equal(["putCertificate", "putCertificate"]);
    const kept = await collateral.queryFilter(collateral.filters.CertificateKept());
    for (const { args } of kept) {
      const snapshot = await connection.networkHelpers.takeSnapshot();
      const serial = fromHex(`0x${args.serial.toString(16).padStart(40, "0")}`);
      await put(collateral, callOf(issue({ at: AT - 30, revokedCas: [serial] }), "putCrl", 0));
      expect((await collateral.familyStanding((1 << 2) | CA_PLATFORM)).validUntil).to.equal(0n);
      const which = Number(args.ca) === SIGNER_SERIAL ? 1 : 0;
      await refuses(collateral, issue({ at: AT - 20 }), "putCertificate", "CertificateRevoked", which);
      await snapshot.restore();
    }
    expect(kept).to.have.length(2);
  });

  it("setMinEvaluationNumber_higherThanKept_countsFromItsTimeOnAndIsTheOwnersAlone", async () => {
    const { collateral, verifier } = await scene();
    const fmspc = "0xf0ca57000000";
    const [, stranger] = await connection.ethers.getSigners();
    await expect(
      collateral.connect(stranger).setMinEvaluationNumber(fmspc, 19, 0),
    ).to.be.revertedWithCustomError(collateral, "OwnableUnauthorizedAccount");
    await collateral.setMinEvaluationNumber(fmspc, 18, 0);
    await verifier.verifyQuote(encodeFirstQuote(await quoteOf()));
    await collateral.setMinEvaluationNumber(fmspc, 18, 0);
    await expect(collateral.setMinEvaluationNumber(fmspc, 19, AT + 5_000)).to.be.revertedWithCustomError(
      collateral,
      "MinimumInForce",
    );
    await expect(collateral.setMinEvaluationNumber(fmspc, 17, 0)).to.be.revertedWithCustomError(
      collateral,
      "EvaluationNumberTooLow",
    );
    await collateral.setMinEvaluationNumber(fmspc, 19, 0);
    await expect(verifier.verifyQuote(encodeKnownQuote(await quoteOf(), 1))).to.be.revertedWithCustomError(
      collateral,
      "CollateralExpired",
    );
    await expect(verifier.verifyQuote(encodeFirstQuote(await quoteOf()))).to.be.revertedWithCustomError(
      collateral,
      "EvaluationNumberTooLow",
    );
  });

  it("setMinEvaluationNumber_withGrace_keepsThePreviousSetUntilThen", async () => {
    const { collateral } = await scene();
    await collateral.setMinEvaluationNumber("0xf0ca57000000", 19, AT + 5_000);
    const { validUntil } = await collateral.familyStanding((1 << 2) | CA_PLATFORM);
    expect(validUntil).to.equal(BigInt(AT + 5_000));
  });

  it("constructor_testRootOnAProductionChain_reverts", async () => {
    const production = await openChainAt(AT, 1);
    try {
      const code = (await connection.ethers.getContractFactory("DcapCollateral")).interface;
      await expect(
        deployCollateral(production, await ownerOf(production), pki.file.root),
      ).to.be.revertedWithCustomError({ interface: code }, "TestRootOnProductionChain");
      const real = await deployCollateral(production, await ownerOf(production));
      expect(await real.simulated()).to.equal(false);
    } finally {
      await production.close();
    }
  });

  it("familyStanding_unknownFamily_isZero", async () => {
    const { collateral } = await scene();
    for (const family of [0, 3, 7, (1 << 18) | 5, 2 ** 32 - 1]) {
      const { epoch, validUntil } = await collateral.familyStanding(family);
      expect([epoch, validUntil], String(family)).to.deep.equal([0n, 0n]);
    }
  });

  it("put_everyFlippedByteOfCertificatesAndCrls_isRefused", async () => {
    const { collateral } = await scene();
    const calls = collateralCalls(issue({ at: AT - 30, revokedPcks: [platform.pckSerial] }));
    let flips = 0;
    for (const { functionName, args } of calls.slice(0, 4)) {
      const der = fromHex(args[0]);
      for (let i = 0; i < der.length; i += 1) {
        const flipped = Uint8Array.from(der);
        flipped[i] = (flipped[i] ?? 0) ^ (1 << (i % 8));
        const sent = collateral.getFunction(functionName).staticCall(toHex(flipped));
        const outcome = await sent.then(
          () => "kept",
          () => "refused",
        );
        expect(outcome, `${functionName}, byte ${i}`).to.equal("refused");
        flips++;
      }
    }
    expect(flips).to.be.greaterThan(1_000);
  }).timeout(120_000);

  for (const [folder, at] of [
    ["tdx/dstack-2026-02", "2026-02-18T11:58:51Z"],
    ["tdx/dcap-qvl-2025-06", "2025-07-01T00:00:00Z"],
    ["sgx/dcap-qvl", "2025-06-21T10:56:11Z"],
  ] as const) {
    itOnVectors(`put_realCollateralOf_${folder}_isKeptWithinTheTargets`, async () => {
      const real = await openChainAt(clock(at), 1);
      try {
        const collateral = await deployCollateral(real, await ownerOf(real));
        for (const { name, gas } of await putAll(
          collateral,
          vectorJson(`${folder}/collateral.json`) as IssuedCollateral,
        )) {
          const most = {
            putTcbInfo: 4_000_000n,
            putCrl: 1_500_000n,
            putCertificate: 500_000n,
            putQeIdentity: 1_000_000n,
          };
          expect(gas <= most[name], `${name}: ${gas}`).to.equal(true);
        }
        if (folder === "tdx/dstack-2026-02") return; // Its quote comes in hex, in a report.
        const deployed = await real.ethers.deployContract("DcapVerifier", [await collateral.getAddress()]);
        const verifier = deployed as unknown as DcapVerifier;
        const quote = vector(`${folder}/quote.bin`);
        const result = fieldsOf(await verifier.verifyQuote.staticCall(encodeFirstQuote(quote)));
        expect(result.simulated).to.equal(false);
        expect(result.status).to.equal(
          BigInt(folder.startsWith("sgx") ? TcbStatus.ConfigurationAndSWHardeningNeeded : TcbStatus.UpToDate),
        );
        expect(result.advisoriesDigest === `0x${"00".repeat(32)}`).to.equal(!folder.startsWith("sgx"));
      } finally {
        await real.close();
      }
    });
  }
});
