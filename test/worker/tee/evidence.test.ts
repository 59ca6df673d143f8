import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import {
  parseCollateral,
  testRootFromPem,
  verifyEvidence,
  type Evidence,
  type VerifyOptions,
} from "../../../protocol/evidence/index.ts";
import { TcbStatus } from "../../../protocol/words/enums.ts";
import { toHex, type Address, type ComposeHash } from "../../../protocol/words/hex.ts";
import { measureBoot } from "../../../worker/tee/measureBoot.ts";
import { openSource } from "../../../worker/tee/openSource.ts";
import { issueCollateral, type CollateralOptions } from "../../../worker/tee/simulator/collateral.ts";
import { SIMULATED_IMAGE } from "../../../worker/tee/simulator/measurements.ts";
import { createTestPki, serialOf, type TestPki } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform, type PlatformOptions } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx, type SimulatedTdxOptions } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { refusal } from "../../support/refusal.ts";

const at = 1_800_000_000;
const app = `0x${"ab".repeat(20)}` as Address;
const composeHash = `0x${"cd".repeat(32)}` as ComposeHash;
const reportData = Uint8Array.from({ length: 64 }, (_, i) => i);

/** Before the real verifier: whatever the simulator makes has to stand there. */
describe("simulated evidence before the verifier", () => {
  const pki = createTestPki({ notBefore: at - 86_400, validitySeconds: 400 * 86_400 });

  const evidence = async (
    platform: Partial<PlatformOptions> = {},
    options: SimulatedTdxOptions = {},
    under: TestPki = pki,
  ): Promise<Evidence> => {
    const machine = simulatedPlatform(under, { name: "one", ...platform });
    const source = new SimulatedTdx(machine, { composeHash, ...options });
    await measureBoot(source, { app, composeHash, instanceId: "0x" });
    return { kind: source.kind, ...(await source.quote(reportData)) };
  };
  const options = (
    collateral: Partial<CollateralOptions> = {},
    more: Partial<VerifyOptions> = {},
  ): VerifyOptions => ({
    collateral: parseCollateral(issueCollateral(pki, { at, ...collateral })),
    at: at + 60,
    crypto: nodeCrypto,
    roots: [testRootFromPem(pki.file.root)],
    ...more,
  });

  it("is accepted under its own root, and marked as simulated", async () => {
    const verified = await verifyEvidence(await evidence(), options());
    expect(verified.status).to.equal(TcbStatus.UpToDate);
    expect(verified.simulated).to.equal(true);
    expect(verified.appId).to.equal(app);
    expect(verified.composeHash).to.equal(composeHash);
    expect(verified.reportData).to.equal(toHex(reportData));
    expect(verified.platformId).to.equal(simulatedPlatform(pki, { name: "one" }).platformId);
  });

  it("shows the image that policies are told of", async () => {
    const { osImageHash, measurementDigest, pinnedMeasurementDigest } = await verifyEvidence(
      await evidence(),
      options(),
    );
    expect({ osImageHash, measurementDigest, pinnedMeasurementDigest }).to.deep.equal(SIMULATED_IMAGE);
  });

  it("is OutOfDate where the microcode lags behind", async () => {
    const verified = await verifyEvidence(await evidence({ outOfDate: true }), options());
    expect(verified.status).to.equal(TcbStatus.OutOfDate);
    expect(verified.advisoryIds).to.include("INTEL-SA-01036");
  });

  const serial = simulatedPlatform(pki, { name: "one" }).pckSerial;
  const other = createTestPki({ notBefore: at - 86_400 });
  const forger = simulatedPlatform(other, { name: "forger" }).attestationKey;
  const refused: Record<
    string,
    readonly [code: string, make: () => Promise<Evidence>, under: () => VerifyOptions]
  > = {
    "under Intel's root alone": [
      "evidence/root-pinned",
      () => evidence(),
      () => {
        const { collateral, crypto } = options();
        return { collateral, crypto, at: at + 60 };
      },
    ],
    "under another test root": [
      "evidence/root-pinned",
      () => evidence(),
      () => options({}, { roots: [testRootFromPem(other.file.root)] }),
    ],
    "of another PKI": ["evidence/root-pinned", () => evidence({}, {}, other), () => options()],
    "with collateral that has ended": [
      "evidence/validity",
      () => evidence(),
      () => options({ at: at - 31 * 86_400 }),
    ],
    "with certificates that have ended": [
      "evidence/validity",
      () => evidence(),
      () => options({ at: at + 400 * 86_400 }, { at: at + 400 * 86_400 + 1 }),
    ],
    "of a revoked platform": [
      "evidence/pck-revoked",
      () => evidence(),
      () => options({ revokedPcks: [serial] }),
    ],
    "of a platform whose CA was revoked": [
      "evidence/ca-revoked",
      () => evidence(),
      () => options({ revokedCas: [serialOf(pki.secret, pki.platformCa.name)] }),
    ],
    "of a debuggable TD": ["evidence/td-debug", () => evidence({}, { debug: true }), () => options()],
    "signed by a key that nobody vouched for": [
      "evidence/quote-signature",
      () => evidence({}, { signingKey: forger }),
      () => options(),
    ],
    "with a compose hash that was not measured": [
      "evidence/mr-config-id",
      () => evidence({}, { composeHash: `0x${"ce".repeat(32)}` as ComposeHash }),
      () => options(),
    ],
    "with one bit of the TD report flipped": [
      "evidence/quote-signature",
      async () => flipped(await evidence(), 48 + 200),
      () => options(),
    ],
    "with one bit of the QE report flipped": [
      "evidence/qe-report-signature",
      async () => flipped(await evidence(), 636 + 64 + 64 + 6 + 100),
      () => options(),
    ],
    "with an event left out of the log": [
      "evidence/rtmr-replay",
      async () => {
        const whole = await evidence();
        return { ...whole, eventLog: JSON.stringify((JSON.parse(whole.eventLog) as unknown[]).slice(0, -1)) };
      },
      () => options(),
    ],
  };
  for (const [what, [code, make, under]] of Object.entries(refused)) {
    it(`is refused ${what}`, async () => {
      expect(await refusal(verifyEvidence(await make(), under()))).to.equal(code);
    });
  }

  it("is made on development chains only", () => {
    const source = { simulatorDir: "unused", platform: "one" };
    expect(() => openSource(source, 1))
      .to.throw()
      .with.property("code", "tee/simulator-refused");
  });
});

function flipped(evidence: Evidence, byte: number): Evidence {
  const quote = Buffer.from(evidence.quote.slice(2), "hex");
  quote[byte] = (quote[byte] as number) ^ 1;
  return { ...evidence, quote: toHex(quote) };
}
