import { expect } from "chai";
import { id, ZeroAddress } from "ethers";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import {
  encodeFirstQuote,
  encodeKnownQuote,
} from "../../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { factsOf } from "../../../../protocol/evidence/dcap/onchain/facts.ts";
import { parseQuote } from "../../../../protocol/evidence/dcap/parseQuote.ts";
import { parseCollateral, verifyQuote } from "../../../../protocol/evidence/index.ts";
import { concatBytes } from "../../../../protocol/words/bytes.ts";
import { TcbStatus } from "../../../../protocol/words/enums.ts";
import { toHex, type Hex } from "../../../../protocol/words/hex.ts";
import type { IssuedCollateral } from "../../../../worker/tee/simulator/collateral.ts";
import { PCK_SECONDS, simulatedPlatform } from "../../../../worker/tee/simulator/platform.ts";
import { SimulatedSgx } from "../../../../worker/tee/simulator/SimulatedSgx.ts";
import { chained, firstOf, keyOf, pckCertificate } from "../../../protocol/evidence/dcap/forgery.ts";
import {
  AT,
  issued,
  patchedBody,
  patchedQeReport,
  pki,
  platform,
  quoteOf,
} from "../../../protocol/evidence/simulated.ts";
import { version5 } from "../../../protocol/evidence/dcap/defects/quoteDefects.ts";
import { REAL_TDX } from "../../../protocol/evidence/dcap/realTdx.ts";
import { clock, itOnVectors, vector, vectorJson } from "../../../support/vectors.ts";
import { describedBy } from "./support/describedBy.ts";
import {
  caKeyOf,
  deployOnDouble,
  EPOCH,
  FAMILY,
  openChainAt,
  useDocuments,
  ZERO,
  type VerifierOnDouble,
  fieldsOf,
  withVerifier,
} from "./support/verifier.ts";

const DAY = 86_400;
const DATA = new Uint8Array(64).fill(5);
const sgxQuote = (): Uint8Array => new SimulatedSgx(platform).quote(DATA);

/** Evidence of real hardware that the TypeScript verifier accepts, and when. */
const REAL = {
  ...REAL_TDX,
  "SGX, version 3": () => ({
    quote: vector("sgx/dcap-qvl/quote.bin"),
    collateral: vectorJson("sgx/dcap-qvl/collateral.json"),
    at: clock("2025-06-21T10:56:11Z"),
  }),
};

/** A verifier under Intel's root, with the documents of that time. */
async function onReal(
  { quote, collateral, at }: ReturnType<(typeof REAL)["SGX, version 3"]>,
  test: (on: VerifierOnDouble) => Promise<void>,
): Promise<void> {
  const connection = await openChainAt(at);
  try {
    const on = await deployOnDouble(connection, { at, caKey: caKeyOf(quote), simulated: false });
    await useDocuments(on, parseQuote(quote).report.kind, collateral as IssuedCollateral);
    await test(on);
  } finally {
    await connection.close();
  }
}

describe("DcapVerifier", () => {
  for (const [name, load] of Object.entries(REAL)) {
    itOnVectors(`says of real evidence what the TypeScript verifier says: ${name}`, async () => {
      const real = { ...load(), quote: Uint8Array.from(load().quote) };
      const { quote, at } = real;
      const collateral = parseCollateral(real.collateral);
      const verified = await verifyQuote(quote, { collateral, at, crypto: nodeCrypto });
      await onReal({ ...real, quote: Buffer.from(quote) }, async ({ verifier }) => {
        const result = await verifier.verifyQuote.staticCall(encodeFirstQuote(quote));
        expect(fieldsOf(result)).to.include(describedBy(quote));
        expect(result.status).to.equal(BigInt(verified.status));
        const advisories = verified.advisoryIds;
        expect(result.advisoriesDigest).to.equal(advisories.length === 0 ? ZERO : id(advisories.join(",")));
        expect(result.platformId).to.equal(verified.platformId);
        expect(result.simulated).to.equal(false);
      });
    });
  }

  itOnVectors(
    "refuses the real TD 1.5 quote by its platform's TCB, as the TypeScript verifier does",
    async () => {
      const quote = vector("tdx/dcap-qvl-out-of-date/quote.bin");
      const collateral = vectorJson("tdx/dcap-qvl-out-of-date/collateral.json");
      await onReal({ quote, collateral, at: clock("2026-02-25T00:00:00Z") }, async ({ verifier, errors }) => {
        await expect(verifier.verifyQuote(encodeFirstQuote(quote))).to.be.revertedWithCustomError(
          errors,
          "PlatformTcbNotCovered",
        );
      });
    },
  );

  for (const [kind, make] of [
    ["TDX", () => quoteOf()],
    ["SGX", () => Promise.resolve(sgxQuote())],
  ] as const) {
    it(`verifies a ${kind} quote whole, keeps one record, and knows the platform again by its facts`, () =>
      withVerifier(async ({ verifier, validUntil }) => {
        const quote = await make();
        const facts = factsOf(parseQuote(quote));
        await expect(verifier.verifyQuote(encodeFirstQuote(quote)))
          .to.emit(verifier, "PlatformRecorded")
          .withArgs(1, platform.platformId, toHex(facts), () => true);
        expect(await verifier.recordCount()).to.equal(1n);
        const result = await verifier.verifyQuote.staticCall(encodeKnownQuote(quote, 1));
        expect(fieldsOf(result)).to.include({
          ...describedBy(quote),
          status: BigInt(TcbStatus.UpToDate),
          advisoriesDigest: ZERO,
          platformId: platform.platformId,
          validUntil: BigInt(validUntil),
          pckNotAfter: BigInt(pki.file.notBefore + PCK_SECONDS),
          simulated: true,
          record: 1n,
        });
      }));
  }

  it("takes a quote with padding as the same evidence", () =>
    withVerifier(async () => {
      const quote = await quoteOf();
      expect(encodeFirstQuote(concatBytes(quote, new Uint8Array(3000)))).to.equal(encodeFirstQuote(quote));
    }));

  it("never writes over a record: the same platform gets another one, and the first stays what it was", () =>
    withVerifier(async ({ verifier, collateral, validUntil }) => {
      const first = encodeFirstQuote(await quoteOf());
      await verifier.verifyQuote(first);
      await collateral.setJudgement(TcbStatus.OutOfDate, id("advisories"), validUntil, FAMILY, EPOCH);
      await verifier.verifyQuote(first);
      expect(await verifier.recordCount()).to.equal(2n);
      expect((await verifier.standing(1)).status).to.equal(BigInt(TcbStatus.UpToDate));
      expect(fieldsOf(await verifier.standing(2))).to.include({
        status: BigInt(TcbStatus.OutOfDate),
        advisoriesDigest: id("advisories"),
      });
    }));

  describe("refuses", () => {
    const refusals: Readonly<
      Record<string, { readonly error: string; readonly packed: () => Promise<Hex> | Hex }>
    > = {
      "an empty quote": { error: "BadQuote", packed: () => "0x" },
      "an unknown form": {
        error: "BadQuote",
        packed: async () => `0x04${encodeFirstQuote(await quoteOf()).slice(4)}`,
      },
      "a quote that is cut off": {
        error: "BadQuote",
        packed: async () => encodeFirstQuote(await quoteOf()).slice(0, 1600) as Hex,
      },
      "bytes behind the certificate": {
        error: "BadCertificate",
        packed: async () => `${encodeFirstQuote(await quoteOf())}00`,
      },
      "an enclave's quote of version 4": {
        error: "UnsupportedQuote",
        packed: () => encodeFirstQuote(new SimulatedSgx(platform, { version: 4 }).quote(DATA)),
      },
      "a quote signed by another key": {
        error: "QuoteSignatureInvalid",
        packed: async () => encodeFirstQuote(await quoteOf({ signingKey: keyOf("stranger") })),
      },
      "a QE report signed by another key": {
        error: "QeSignatureInvalid",
        packed: async () => encodeFirstQuote(await quoteOf({}, { ...platform, pckKey: keyOf("stranger") })),
      },
      "a PCK certificate signed by another key": {
        error: "PckSignatureInvalid",
        packed: async () =>
          encodeFirstQuote(
            await quoteOf(
              {},
              chained(
                pckCertificate({ issuer: { ...pki.platformCa, key: keyOf("stranger") } }),
                firstOf(pki.file.platformCa),
                firstOf(pki.file.root),
              ),
            ),
          ),
      },
      "a PCK certificate of tomorrow": {
        error: "PckNotValid",
        packed: async () =>
          encodeFirstQuote(await quoteOf({}, chained(pckCertificate({ notBefore: AT + DAY })))),
      },
      "a PCK certificate of yesterday": {
        error: "PckNotValid",
        packed: async () =>
          encodeFirstQuote(
            await quoteOf({}, chained(pckCertificate({ notBefore: AT - 2 * DAY, notAfter: AT - DAY }))),
          ),
      },
      "a QE report that binds another attestation key": {
        error: "QeReportDataMismatch",
        packed: async () => encodeFirstQuote(patchedQeReport(await quoteOf(), 320, [1, 2, 3])),
      },
      "a QE report with a second half of report data": {
        error: "QeReportDataMismatch",
        packed: async () => encodeFirstQuote(patchedQeReport(await quoteOf(), 383, [1])),
      },
      "a QE that can be debugged": {
        error: "Debuggable",
        packed: async () => encodeFirstQuote(patchedQeReport(await quoteOf(), 48, [0x17])),
      },
      "a TD that can be debugged": {
        error: "Debuggable",
        packed: async () => encodeFirstQuote(await quoteOf({ debug: true })),
      },
      "a migratable TD": {
        error: "AttributesNotAllowed",
        packed: async () => encodeFirstQuote(patchedBody(await quoteOf(), 48 + 123, [0x30])),
      },
      "a TD without SSE": {
        error: "XfamNotAllowed",
        packed: async () => encodeFirstQuote(patchedBody(await quoteOf(), 48 + 128, [0xe5])),
      },
      "an enclave that can be debugged": {
        error: "Debuggable",
        packed: () => encodeFirstQuote(new SimulatedSgx(platform, { flags: 0x07 }).quote(DATA)),
      },
      "an enclave that is not initialized": {
        error: "AttributesNotAllowed",
        packed: () => encodeFirstQuote(new SimulatedSgx(platform, { flags: 0x04 }).quote(DATA)),
      },
      "a record that does not exist": {
        error: "UnknownRecord",
        packed: async () => encodeKnownQuote(await quoteOf(), 9),
      },
      "a record of zero": {
        error: "UnknownRecord",
        packed: async () => encodeKnownQuote(await quoteOf(), 0),
      },
      "another platform's record": {
        error: "RecordMismatch",
        packed: async () => encodeKnownQuote(await quoteOf({}, simulatedPlatform(pki, { name: "two" })), 1),
      },
      "another platform's quote with this one's facts": {
        error: "QuoteSignatureInvalid",
        packed: async () =>
          encodeKnownQuote(
            await quoteOf({}, simulatedPlatform(pki, { name: "two" })),
            1,
            factsOf(parseQuote(await quoteOf())),
          ),
      },
      "an enclave's quote with a TD's record": {
        error: "RecordMismatch",
        packed: async () => encodeKnownQuote(sgxQuote(), 1, factsOf(parseQuote(await quoteOf()))),
      },
      "a known platform's quote of another TEE_TCB_SVN": {
        error: "RecordMismatch",
        packed: async () =>
          encodeKnownQuote(patchedBody(await quoteOf(), 48, [7]), 1, factsOf(parseQuote(await quoteOf()))),
      },
      "a known platform's quote of another module signer": {
        error: "RecordMismatch",
        packed: async () =>
          encodeKnownQuote(
            patchedBody(await quoteOf(), 48 + 111, [1]),
            1,
            factsOf(parseQuote(await quoteOf())),
          ),
      },
      "a known platform's quote of other SEAM attributes": {
        error: "RecordMismatch",
        packed: async () =>
          encodeKnownQuote(
            patchedBody(await quoteOf(), 48 + 119, [1]),
            1,
            factsOf(parseQuote(await quoteOf())),
          ),
      },
      "a known platform's TD that can be debugged": {
        error: "Debuggable",
        packed: async () => encodeKnownQuote(await quoteOf({ debug: true }), 1),
      },
      "bytes behind a known platform's quote": {
        error: "BadQuote",
        packed: async () => `${encodeKnownQuote(await quoteOf(), 1)}00`,
      },
    };
    for (const [title, { error, packed }] of Object.entries(refusals)) {
      it(title, () =>
        withVerifier(async ({ verifier }) => {
          await verifier.verifyQuote(encodeFirstQuote(await quoteOf()));
          await expect(verifier.verifyQuote(await packed())).to.be.revertedWithCustomError(verifier, error);
          expect(await verifier.recordCount(), "nothing is kept").to.equal(1n);
        }),
      );
    }

    it("a TD 1.5 with a service TD, at every byte of it", () =>
      withVerifier(async ({ verifier }) => {
        const good = { kind: "tdx4", quote: await quoteOf(), collateral: issued(), at: AT } as const;
        const quiet = await verifier.verifyQuote.staticCall(
          encodeFirstQuote(version5(good, 3, new Uint8Array(64))),
        );
        expect(quiet.status).to.equal(BigInt(TcbStatus.UpToDate));
        for (let byte = 16; byte < 64; byte++) {
          const more = new Uint8Array(64);
          more[byte] = 1;
          await expect(
            verifier.verifyQuote.staticCall(encodeFirstQuote(version5(good, 3, more))),
          ).to.be.revertedWithCustomError(verifier, "ServiceTdBound");
        }
      }));

    it("everything under a test root where the chain is no development chain", async () => {
      const connection = await openChainAt(AT, 1);
      try {
        const errors = await connection.ethers.getContractAt("IDcapCollateral", ZeroAddress);
        await expect(
          deployOnDouble(connection, { at: AT, caKey: caKeyOf(await quoteOf()), simulated: true }),
        ).to.be.revertedWithCustomError(errors, "TestRootOnProductionChain");
      } finally {
        await connection.close();
      }
    });
  });
});
