import { expect } from "chai";
import { id, ZeroAddress, ZeroHash, type Wallet } from "ethers";

import { SettingKind } from "../../../../protocol/policy/settingKind.ts";
import { packFacts } from "../../../../protocol/state/instanceWord.ts";
import { ProofSystem, TcbStatus, TeeKind } from "../../../../protocol/words/enums.ts";
import type { CommitteeVerifier, VerifierDouble } from "../../../../types/typechain/index.ts";
import { leafHash, signBatch, type Leaf } from "../../support/batches.ts";
import { signLeaf } from "../../support/batchFlows.ts";
import { useCharter } from "../../support/chains.ts";
import {
  ascending,
  COMMITTEE_EXPIRES_AT,
  COMMITTEE_NOTICE,
  walletOf,
  type Charter,
} from "../../support/charter.ts";
import { attestVerdict, createApp, POLICY, word } from "../../support/flows.ts";
import {
  askCommittee,
  COMMITTEE,
  doubleProof,
  encodeProof,
  instanceVerdict,
  MEASUREMENT,
  nodeVerdict,
  OS_IMAGE,
  prove,
  signaturesOf,
  signNode,
} from "../../support/verdicts.ts";

const DIRECT = BigInt(ProofSystem.Direct);
const FAR = 3_000_000_000n;
const FOREVER = 2n ** 40n - 1n;
const DIRECT_REQUIRED = { kind: SettingKind.ProofSystem, key: word(ProofSystem.Direct), value: 1n };
const COMMITTEE_DROPPED = { kind: SettingKind.ProofSystem, key: word(ProofSystem.Committee), value: 0n };
const SETTINGS = [
  ...POLICY.filter(({ kind }) => kind !== SettingKind.ProofSystem && kind !== SettingKind.Node),
  DIRECT_REQUIRED,
  { kind: SettingKind.AnyNode, key: ZeroHash, value: 1n },
];

/** An app whose instances the committee proves. */
const COMMITTEES = [
  ...SETTINGS.filter(({ kind }) => kind !== SettingKind.ProofSystem),
  { kind: SettingKind.ProofSystem, key: word(ProofSystem.Committee), value: 1n },
];

/** Enters a node of this operator, on a platform of its own or of another's. */
async function enterNode(
  charter: Charter,
  operator: Wallet,
  platform = operator,
  by: readonly Wallet[] = charter.members.slice(0, 2),
): Promise<bigint> {
  const key = walletOf(`node of ${operator.address}`);
  const verdict = await nodeVerdict(charter, key, {
    subject: operator.address,
    platformId: id(`platform of ${platform.address}`),
    evidenceDigest: id(`node evidence of ${operator.address}`),
    validUntil: FAR,
  });
  await charter.nodeRegistry.register(
    COMMITTEE,
    encodeProof(verdict, await signaturesOf(charter, verdict, by)),
    await signNode(charter, operator, verdict),
    await signNode(charter, key, verdict),
  );
  return charter.nodeRegistry.nodeCount();
}

describe("CommitteeVerifier: operators whose live instances sign", () => {
  const operators = ascending(["one", "two", "three"].map((name) => walletOf(`operator ${name}`)));
  const outsider = walletOf("operator without a seat");
  const seats = operators.map(({ address }) => address);
  const signers = new Map([...operators, outsider].map((one) => [one, walletOf(`signer of ${one.address}`)]));
  const signerOf = (operator: Wallet | undefined): Wallet => {
    const signer = operator && signers.get(operator);
    if (!signer) throw new Error("no signer");
    return signer;
  };
  const [first, second, third] = operators as [Wallet, Wallet, Wallet];
  const proposeOf = async (
    charter: Charter,
    verifier: CommitteeVerifier,
    app: string,
    members = seats,
    threshold = 2,
  ) =>
    verifier.proposeCommittee(members, threshold, FOREVER, await charter.attestationLedger.getAddress(), app);

  /** An instance of the relayer's app on this operator's node, with this key. */
  async function enterSigner(
    charter: Charter,
    app: string,
    operator: Wallet,
    node: bigint,
    key: Wallet,
    record = 0n,
  ) {
    const verdict = await instanceVerdict(charter, app, key, {
      platformId: id(`platform of ${operator.address}`),
      evidenceDigest: id(
        `evidence of ${key.address} ${await charter.connection.networkHelpers.time.latestBlock()}`,
      ),
      validUntil: FAR,
    });
    await attestVerdict(charter, verdict, key, { node, system: DIRECT, proof: doubleProof(verdict, record) });
  }

  const scene = useCharter(async (charter) => {
    const { networkHelpers, ethers } = charter.connection;
    const verifier = charter.committeeVerifier;
    const direct = (await ethers.deployContract("VerifierDouble", [DIRECT])) as unknown as VerifierDouble;
    await charter.attestationLedger.setVerifier(DIRECT, await direct.getAddress());
    const app = await createApp(charter, { settings: SETTINGS });
    const at = await app.getAddress();
    const nodes = new Map<Wallet, bigint>();
    for (const operator of [...operators, outsider]) nodes.set(operator, await enterNode(charter, operator));
    const genesis = await prove(charter, await nodeVerdict(charter, walletOf("node")));
    await proposeOf(charter, verifier, at);
    await networkHelpers.time.increase(COMMITTEE_NOTICE);
    for (const operator of [...operators, outsider])
      await enterSigner(charter, at, operator, nodes.get(operator) ?? 0n, signerOf(operator));
    const verdict = await nodeVerdict(charter, walletOf("node"));
    return { verifier, app, at, nodes, direct, verdict, genesis, time: networkHelpers.time };
  });
  type Scene = Awaited<ReturnType<typeof scene>>;

  const proofBy = async ({ charter, verdict }: Scene, keys: readonly Wallet[]) =>
    encodeProof(verdict, await signaturesOf(charter, verdict, keys));
  const ask = async (here: Scene, ...keys: readonly Wallet[]) =>
    askCommittee(here.charter, here.verdict, await proofBy(here, keys));

  it("verify_byLiveInstancesOfOperatorsThatSit_accepts", async () => {
    const here = await scene();
    await ask(here, signerOf(first), signerOf(second));
    await ask(here, signerOf(first), signerOf(second), signerOf(third));
    expect(await here.verifier.seatOf(signerOf(first).address)).to.equal(first.address);
    const committee = await here.verifier.committee();
    expect(committee.members).to.deep.equal(seats);
    expect(committee.app).to.equal(here.at);
    expect(committee.ledger).to.equal(await here.charter.attestationLedger.getAddress());
    expect(committee.expiresAt).to.equal(FOREVER);
  });

  it("verify_byTheGenesisKeysOrTheOperatorsThemselves_reverts", async () => {
    const here = await scene();
    const { charter, at, verifier } = here;
    const [a, b] = charter.members as [Wallet, Wallet];
    for (const [one, other] of [
      [a, b],
      [first, second],
    ] as const) {
      await expect(ask(here, one, other))
        .to.be.revertedWithCustomError(verifier, "SignerNotLive")
        .withArgs(at, one.address);
    }
  });

  it("verify_twoInstancesOfOneOperator_countOnce", async () => {
    const here = await scene();
    const { charter, at, nodes, verifier } = here;
    const twin = walletOf("twin signer");
    await enterSigner(charter, at, first, nodes.get(first) ?? 0n, twin);
    for (const pair of [
      [signerOf(first), twin],
      [twin, signerOf(first)],
    ] as const) {
      await expect(ask(here, ...pair))
        .to.be.revertedWithCustomError(verifier, "SeatsNotAscending")
        .withArgs(first.address, first.address);
    }
    await ask(here, twin, signerOf(second));
  });

  it("verify_byAnInstanceOfAnOperatorWithoutASeat_reverts", async () => {
    const here = await scene();
    await expect(ask(here, signerOf(first), signerOf(outsider)))
      .to.be.revertedWithCustomError(here.verifier, "NotAMember")
      .withArgs(signerOf(outsider).address);
  });

  it("verify_onAPlatformThatOperatorsShare_revertsUntilOneLeaves", async () => {
    const here = await scene();
    const { charter, at, verifier, nodes } = here;
    const tenant = walletOf("tenant of the first operator's machine");
    const node = await enterNode(charter, tenant, first, [signerOf(second), signerOf(third)]);
    // The tenant starts the same code there, and enters it under the operator who sits.
    const theirs = walletOf("signer that the tenant runs");
    await enterSigner(charter, at, first, nodes.get(first) ?? 0n, theirs);
    for (const key of [theirs, signerOf(first)]) {
      await expect(ask(here, key, signerOf(second)))
        .to.be.revertedWithCustomError(verifier, "PlatformShared")
        .withArgs(id(`platform of ${first.address}`), first.address, tenant.address);
    }
    await ask(here, signerOf(second), signerOf(third));
    await charter.owner.sendTransaction({ to: tenant.address, value: 10n ** 18n });
    await charter.nodeRegistry.connect(tenant.connect(charter.connection.ethers.provider)).retire(node);
    await ask(here, signerOf(first), signerOf(second));
  });

  it("verify_byAnInstanceOfAnotherApp_reverts", async () => {
    const here = await scene();
    const { charter, nodes, verifier, at } = here;
    const other = await (await createApp(charter, { settings: SETTINGS, salt: id("other") })).getAddress();
    const foreign = walletOf("foreign signer");
    await enterSigner(charter, other, first, nodes.get(first) ?? 0n, foreign);
    await expect(ask(here, foreign, signerOf(second)))
      .to.be.revertedWithCustomError(verifier, "SignerNotLive")
      .withArgs(at, foreign.address);
  });

  const endings: Record<string, (here: Scene) => Promise<unknown>> = {
    itsReleaseIsRevoked: async ({ app }) => app.revoke(1),
    itsProofExpires: async ({ time }) => time.increase(8 * 86_400),
    itsNodeIsRetired: async ({ charter, nodes }) => {
      await charter.owner.sendTransaction({ to: first.address, value: 10n ** 18n });
      const operator = first.connect(charter.connection.ethers.provider);
      await charter.nodeRegistry.connect(operator).retire(nodes.get(first) ?? 0n);
    },
    thePolicyTightens: async ({ app }) =>
      app.tighten([{ kind: SettingKind.TcbStatus, key: word(TcbStatus.UpToDate), value: 0n }]),
  };
  for (const [name, end] of Object.entries(endings)) {
    it(`verify_${name}_theSignerCountsNoMore`, async () => {
      const here = await scene();
      await ask(here, signerOf(first), signerOf(second));
      await end(here);
      await expect(ask(here, signerOf(first), signerOf(second)))
        .to.be.revertedWithCustomError(here.verifier, "SignerNotLive")
        .withArgs(here.at, signerOf(first).address);
    });
  }

  it("postBatch_signedByWhoLivesNoMore_reverts_andWhatWasPostedBeforeIsClaimed", async () => {
    const here = await scene();
    const { charter, app, verifier, nodes } = here;
    const ledger = charter.attestationLedger;
    const guests = await (
      await createApp(charter, { settings: COMMITTEES, salt: id("guests") })
    ).getAddress();
    await ledger.keepImage({
      osImageHash: OS_IMAGE,
      measurementDigest: MEASUREMENT,
      pinnedMeasurementDigest: id("pinned measurement"),
      advisoriesDigest: ZeroHash,
    });
    const block = await charter.connection.ethers.provider.getBlock("latest");
    const image = await ledger.imageNumber({
      osImageHash: OS_IMAGE,
      measurementDigest: MEASUREMENT,
      pinnedMeasurementDigest: id("pinned measurement"),
      advisoriesDigest: ZeroHash,
    });
    const leafOf = (key: Wallet): Leaf => ({
      app: guests,
      key: key.address,
      facts: packFacts({
        release: 1,
        node: Number(nodes.get(third)),
        image: Number(image),
        kind: TeeKind.Tdx,
        status: TcbStatus.UpToDate,
        simulated: false,
        gpu: false,
        combines: false,
        evidenceBlock: BigInt(block?.number ?? 0),
        expiresAt: Number(FAR),
      }),
      evidenceDigest: id(`evidence of ${key.address}`),
    });
    const [guest, late] = [walletOf("guest"), walletOf("late guest")];
    const post = async (key: Wallet) => {
      const statement = {
        ledger: await ledger.getAddress(),
        root: leafHash(leafOf(key)),
        count: 1,
        validUntil: FAR,
        minBlock: BigInt(block?.number ?? 0),
        blockHash: block?.hash ?? "",
      };
      const signatures = await signBatch(charter, statement, [signerOf(first), signerOf(second)]);
      const { root, count, validUntil, minBlock, blockHash } = statement;
      return ledger.postBatch(root, count, validUntil, minBlock, blockHash, signatures);
    };
    await post(guest);
    await app.revoke(1);
    await expect(post(late))
      .to.be.revertedWithCustomError(verifier, "SignerNotLive")
      .withArgs(here.at, signerOf(first).address);
    await ledger.claim(leafOf(guest), [], await signLeaf(charter, guest, leafOf(guest)));
    expect(await ledger.isLive(guests, guest.address)).to.equal(true);
  });

  it("verify_itsPlatformIsRevoked_onlyThatSignerCountsNoMore", async () => {
    const here = await scene();
    const { charter, at, nodes, direct, verifier, time } = here;
    const standing = {
      status: TcbStatus.UpToDate,
      advisoriesDigest: ZeroHash,
      validUntil: FAR,
      staleSince: 0,
      revoked: false,
    };
    await direct.tell(7, standing);
    await time.increase(1);
    const fresh = walletOf("signer with a record");
    await enterSigner(charter, at, first, nodes.get(first) ?? 0n, fresh, 7n);
    await ask(here, fresh, signerOf(second));
    await direct.tell(7, { ...standing, revoked: true });
    await expect(ask(here, fresh, signerOf(second))).to.be.revertedWithCustomError(verifier, "SignerNotLive");
    await ask(here, signerOf(second), signerOf(third));
  });

  it("verify_theAppNoLongerRequiresDirect_reverts", async () => {
    const here = await scene();
    const { charter, app, at, verifier, time } = here;
    // The app takes up the committee's own word, and later that alone.
    await app.tighten([{ ...COMMITTEE_DROPPED, value: 1n }]);
    await app.loosen([{ ...DIRECT_REQUIRED, value: 0n }]);
    await time.increase(3_600);
    await expect(ask(here, signerOf(first), signerOf(second)))
      .to.be.revertedWithCustomError(verifier, "DirectNotRequired")
      .withArgs(at);
    await expect(verifier.seatOf(signerOf(first).address)).to.be.revertedWithCustomError(
      verifier,
      "DirectNotRequired",
    );
    expect(await charter.attestationLedger.isLive(at, signerOf(first).address)).to.equal(false);
  });

  it("proposeCommittee_ofAnAppThatDoesNotRequireDirect_reverts", async () => {
    const { charter, verifier } = await scene();
    const lax = await (await createApp(charter, { salt: id("lax") })).getAddress();
    await expect(proposeOf(charter, verifier, lax))
      .to.be.revertedWithCustomError(verifier, "DirectNotRequired")
      .withArgs(lax);
  });

  it("proposeCommittee_ledgerOrAppWithoutCode_reverts", async () => {
    const { charter, verifier, at } = await scene();
    const ledger = await charter.attestationLedger.getAddress();
    for (const [where, app] of [
      [ledger, ZeroAddress],
      [ZeroAddress, at],
      [ledger, walletOf("nobody").address],
      [walletOf("nobody").address, at],
    ] as const) {
      await expect(verifier.proposeCommittee(seats, 2, FOREVER, where, app))
        .to.be.revertedWithCustomError(verifier, "NoRelayerApp")
        .withArgs(where, app);
    }
  });

  it("proposeCommittee_ledgerThatKnowsNoInstances_reverts", async () => {
    const { charter, verifier, at } = await scene();
    const registry = await charter.nodeRegistry.getAddress();
    await expect(verifier.proposeCommittee(seats, 2, FOREVER, registry, at)).to.revert(
      charter.connection.ethers,
    );
  });

  it("proposeCommittee_ofKeysAgain_reverts", async () => {
    const { verifier } = await scene();
    await expect(
      verifier.proposeCommittee(seats, 2, COMMITTEE_EXPIRES_AT, ZeroAddress, ZeroAddress),
    ).to.be.revertedWithCustomError(verifier, "OperatorsRequired");
  });

  it("proposeCommittee_seatsChange_afterNoticeTheNewOperatorSits", async () => {
    const here = await scene();
    const { charter, verifier, at, time } = here;
    const members = ascending([second, third, outsider]).map(({ address }) => address);
    await proposeOf(charter, verifier, at, members);
    await time.increase(COMMITTEE_NOTICE);
    const byNew = ascending([second, outsider]).map(signerOf);
    await ask(here, ...byNew);
    await expect(ask(here, ...ascending([first, second]).map(signerOf)))
      .to.be.revertedWithCustomError(verifier, "NotAMember")
      .withArgs(signerOf(first).address);
  });

  describe("marks", () => {
    it("mark_aSigner_marksItsOperatorWhateverItsNextKey", async () => {
      const here = await scene();
      const { charter, verifier, at, nodes } = here;
      const { governance } = charter;
      await verifier.setDisputes(governance.address);
      await expect(verifier.mark([signerOf(first).address]))
        .to.emit(verifier, "SignerMarked")
        .withArgs(signerOf(first).address, first.address, governance.address);
      await expect(ask(here, signerOf(first), signerOf(second)))
        .to.be.revertedWithCustomError(verifier, "SignerIsMarked")
        .withArgs(signerOf(first).address, first.address);
      const next = walletOf("next key of the first operator");
      await enterSigner(charter, at, first, nodes.get(first) ?? 0n, next);
      await expect(ask(here, next, signerOf(second)))
        .to.be.revertedWithCustomError(verifier, "SignerIsMarked")
        .withArgs(next.address, first.address);
      await ask(here, signerOf(second), signerOf(third));
    });

    it("mark_afterTheRelayersAppChanged_stillMarksTheOperatorOfThen", async () => {
      const here = await scene();
      const { charter, verifier, nodes, time } = here;
      await verifier.setDisputes(charter.governance.address);
      const app = await createApp(charter, { settings: SETTINGS, salt: id("another relayer's app") });
      const at = await app.getAddress();
      await proposeOf(charter, verifier, at);
      await time.increase(COMMITTEE_NOTICE);
      const fresh = new Map(operators.map((operator) => [operator, walletOf(`later ${operator.address}`)]));
      for (const [operator, key] of fresh)
        await enterSigner(charter, at, operator, nodes.get(operator) ?? 0n, key);
      const by = (...of: readonly Wallet[]) => ask(here, ...of.map((one) => fresh.get(one) as Wallet));
      await by(first, second);
      // What its signer of the former app signed comes to light only now.
      await expect(verifier.mark([signerOf(first).address]))
        .to.emit(verifier, "SignerMarked")
        .withArgs(signerOf(first).address, first.address, charter.governance.address);
      await expect(by(first, second)).to.be.revertedWithCustomError(verifier, "SignerIsMarked");
      await by(second, third);
    });

    it("mark_aKeyThatSatBeforeOperators_marksIt", async () => {
      const { charter, verifier } = await scene();
      await verifier.setDisputes(charter.governance.address);
      const [member] = charter.members as [Wallet];
      await expect(verifier.mark([member.address]))
        .to.emit(verifier, "SignerMarked")
        .withArgs(member.address, member.address, charter.governance.address);
    });

    it("mark_anInstanceOfAnAppThatWasCancelled_marksNoOperator", async () => {
      const here = await scene();
      const { charter, verifier, nodes } = here;
      await verifier.setDisputes(charter.governance.address);
      const app = await createApp(charter, { settings: SETTINGS, salt: id("cancelled") });
      const at = await app.getAddress();
      await proposeOf(charter, verifier, at);
      await verifier.cancelCommittee();
      const key = walletOf("instance of the cancelled app");
      await enterSigner(charter, at, first, nodes.get(first) ?? 0n, key);
      await verifier.mark([key.address]);
      expect(await verifier.isMarked(first.address)).to.equal(false);
    });

    it("mark_aKeyThatTheLedgerNeverKnew_marksNobodyElse", async () => {
      const here = await scene();
      const { charter, verifier } = here;
      await verifier.setDisputes(charter.governance.address);
      const nobody = walletOf("never an instance").address;
      await expect(verifier.mark([nobody]))
        .to.emit(verifier, "SignerMarked")
        .withArgs(nobody, nobody, charter.governance.address);
      expect(await verifier.isMarked(ZeroAddress)).to.equal(false);
      await ask(here, signerOf(first), signerOf(second));
    });
  });
});
