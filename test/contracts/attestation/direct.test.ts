import { expect } from "chai";

import { Reason } from "../../../protocol/policy/reason.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { fromHex } from "../../../protocol/words/hex.ts";
import { AT } from "../../protocol/evidence/simulated.ts";
import { factsOf } from "../../../protocol/evidence/dcap/onchain/facts.ts";
import { parseQuote } from "../../../protocol/evidence/dcap/parseQuote.ts";
import { quoteOf } from "../../protocol/evidence/simulated.ts";
import { walletOf } from "../support/charter.ts";
import {
  attestDirect,
  bring,
  deployDirect,
  directPolicy,
  registerDirect,
  type DirectCharter,
} from "../support/direct.ts";
import { createApp, word } from "../support/flows.ts";
import { openChainAt } from "./dcap/support/verifier.ts";

const DAY = 86_400;

describe("direct proofs", () => {
  const [nodeKey, key] = [walletOf("node key"), walletOf("instance key")];
  let charter: DirectCharter;
  beforeEach(async () => {
    charter = await deployDirect(await openChainAt(AT), AT);
  });
  afterEach(() => charter.connection.close());

  /** A registered node and a live instance on it. */
  async function live(settings: Parameters<typeof createApp>[1] = {}) {
    const app = await createApp(charter, {
      settings: directPolicy(charter.platform.platformId),
      ...settings,
    });
    const at = await app.getAddress();
    await registerDirect(charter, nodeKey);
    await attestDirect(charter, at, key);
    expect(await charter.attestationLedger.liveReason(at, key.address)).to.equal(Reason.Allowed);
    return { app, at, ledger: charter.attestationLedger, registry: charter.nodeRegistry };
  }
  const facts = async () => factsOf(parseQuote(await quoteOf({}, charter.platform)));
  const now = () => charter.connection.networkHelpers.time.latest();
  const goTo = (time: number) => charter.connection.networkHelpers.time.increaseTo(time);

  it("registerAndAttest_byQuotesAlone_isLive", async () => {
    const { at, ledger, registry } = await live();
    const node = await registry.node(1);
    expect([node.platformId, node.record, node.simulated]).to.deep.equal([
      charter.platform.platformId,
      1n,
      true,
    ]);
    const entry = await ledger.instance(at, key.address);
    expect([entry.record, entry.node, entry.release]).to.deep.equal([1n, 1n, 1n]);
  });

  it("register_byTheOperatorItself_needsNoSignatureOfItsOwn", async () => {
    await registerDirect(charter, nodeKey, { byOperator: true });
    expect(await charter.nodeRegistry.isActive(1)).to.equal(true);
  });

  it("isLive_collateralEnded_isSuspendedAndHealsByItself", async () => {
    const { at, ledger, registry } = await live();
    // Within the week that an instance's proof lasts: shorter collateral replaces the longer.
    const start = await now();
    await bring(charter, { at: start, validitySeconds: 2 * DAY });
    expect(await ledger.isLive(at, key.address)).to.equal(true);
    await goTo(start + 2 * DAY);
    expect(await ledger.isLive(at, key.address)).to.equal(false);
    expect(await registry.isActive(1)).to.equal(false);
    // Mere expiry invalidates nothing.
    await expect(registry.invalidate(1)).to.be.revertedWithCustomError(registry, "CollateralNotCurrent");
    await bring(charter, { at: await now() });
    expect(await ledger.isLive(at, key.address)).to.equal(true);
    expect(await registry.isActive(1)).to.equal(true);
    await expect(registry.invalidate(1)).to.be.revertedWithCustomError(registry, "NodeStillValid");
  });

  it("isLive_certificateRevoked_deniesInTheSameBlock", async () => {
    const settings = [
      ...directPolicy(charter.platform.platformId),
      { kind: SettingKind.ReviewSeconds, key: word(0), value: BigInt(DAY) },
    ];
    const { at, ledger, registry } = await live({ settings });
    const { pckSerial } = charter.platform;
    await bring(charter, { at: await now(), revokedPcks: [pckSerial] });
    // The node stands on the same platform, and is asked first.
    expect(await ledger.liveReason(at, key.address)).to.equal(Reason.NodeNotAllowed);
    expect(await registry.isActive(1)).to.equal(false);
    await charter.dcapVerifier.rejudge(1, await facts());
    await expect(registry.connect(charter.stranger).invalidate(1)).to.emit(registry, "NodeInvalidated");
    expect((await registry.node(1)).invalidated).to.equal(true);
    await expect(attestDirect(charter, at, walletOf("another"))).to.be.revertedWithCustomError(
      charter.collateral,
      "CertificateRevoked",
    );
  });

  it("isLive_anotherCertificateRevoked_isStaleForTheReviewAndCurrentAfterRejudging", async () => {
    const settings = [
      ...directPolicy(charter.platform.platformId),
      { kind: SettingKind.ReviewSeconds, key: word(0), value: BigInt(DAY) },
    ];
    const { at, ledger, registry } = await live({ settings });
    const other = fromHex(`0x${"42".repeat(20)}`);
    const changed = await now();
    await bring(charter, { at: changed, revokedPcks: [other] });
    expect(await ledger.isLive(at, key.address), "within the review").to.equal(true);
    await goTo(changed + DAY + 60);
    expect(await ledger.liveReason(at, key.address)).to.equal(Reason.EvidenceTooOld);
    expect(await registry.isActive(1), "nodes have a week").to.equal(true);
    await charter.dcapVerifier.connect(charter.stranger).rejudge(1, await facts());
    expect(await ledger.isLive(at, key.address)).to.equal(true);
  });

  it("isLive_withoutAReview_endsWithTheCollateralThatJudgedIt", async () => {
    const { at, ledger } = await live();
    await bring(charter, { at: await now(), revokedPcks: [fromHex(`0x${"42".repeat(20)}`)] });
    expect(await ledger.liveReason(at, key.address)).to.equal(Reason.EvidenceTooOld);
  });

  it("isLive_resignedEqualCollateral_changesNothing", async () => {
    const { at, ledger } = await live();
    await goTo((await now()) + DAY);
    await bring(charter, { at: await now() });
    expect(await ledger.isLive(at, key.address)).to.equal(true);
    const standing = await charter.dcapVerifier.standing(1);
    expect(standing.staleSince).to.equal(0n);
  });

  it("isLive_verifierReplaced_countsItsRecordsNoMore", async () => {
    const { at, ledger, registry } = await live();
    const address = await charter.dcapVerifier.getAddress();
    await ledger.setVerifier(1, address);
    expect(await ledger.liveReason(at, key.address)).to.equal(Reason.ProofMissing);
    await registry.setVerifier(1, address);
    expect(await registry.isActive(1)).to.equal(false);
  });

  it("attest_quoteBoundToTheRegistryOrAnotherApp_reverts", async () => {
    const { at } = await live();
    const other = await createApp(charter, { salt: word(7) });
    const ledger = charter.attestationLedger;
    const sent = await attestDirect(charter, at, walletOf("second"));
    const { data } = sent;
    const [, , , proof, consent] = ledger.interface.decodeFunctionData("attest", data);
    const forged = String(proof).replace(
      at.slice(2).toLowerCase(),
      (await other.getAddress()).slice(2).toLowerCase(),
    );
    await expect(ledger.attest(1, 1, false, forged, String(consent))).to.be.revertedWithCustomError(
      charter.dcapVerifier,
      "ReportDataMismatch",
    );
  });
});
