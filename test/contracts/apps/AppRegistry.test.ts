import { expect } from "chai";
import { AbiCoder, id, Interface, keccak256, ZeroAddress, ZeroHash } from "ethers";
import type { ParamType } from "ethers";

import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import type { Charter } from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import { appAt, createApp, POLICY, word, type Entry } from "../support/flows.ts";
import { COMPOSE_HASH, OS_IMAGE } from "../support/verdicts.ts";

const DAY = 86_400;

describe("AppRegistry", () => {
  const load = useCharter(() => Promise.resolve({}));

  const settingsOf = (over: object = {}) => ({
    noticeSeconds: 3600,
    graceSeconds: 600,
    composeHash: COMPOSE_HASH,
    noteDigest: id("note"),
    settings: [...POLICY] as Entry[],
    ...over,
  });
  type Settings = ReturnType<typeof settingsOf>;
  const create = (charter: Charter, settings: Settings = settingsOf(), salt = ZeroHash) =>
    charter.appRegistry.connect(charter.stranger).createApp(charter.owner, charter.guardian, settings, salt);
  const digestOf = (charter: Charter, settings: Settings) => {
    const type = charter.appRegistry.interface.getFunction("createApp").inputs[2] as ParamType;
    return keccak256(AbiCoder.defaultAbiCoder().encode([type], [settings]));
  };
  const predict = (charter: Charter, owner: string, guardian: string, settings: Settings, salt: string) =>
    charter.appRegistry.predictApp(owner, guardian, digestOf(charter, settings), salt);

  it("createApp_anybodyForTheOwner_makesThePredictedAppAndEmitsEverything", async () => {
    const { charter } = await load();
    const { appRegistry, owner, guardian, stranger } = charter;
    const settings = settingsOf();
    const app = await predict(charter, owner.address, guardian.address, settings, ZeroHash);
    await expect(create(charter))
      .to.emit(appRegistry, "AppCreated")
      .withArgs(app, owner, guardian, digestOf(charter, settings), ZeroHash, stranger);
    const made = await appAt(charter, app);
    const [initialized] = await made.queryFilter(made.filters.AppInitialized());
    expect(initialized?.args.settings.composeHash).to.equal(COMPOSE_HASH);
    expect(initialized?.args.settings.settings.length).to.equal(POLICY.length);
    expect(await made.owner()).to.equal(owner.address);
    expect((await made.control()).guardian).to.equal(guardian.address);
    expect(await made.registry()).to.equal(await appRegistry.getAddress());
    expect(await made.head()).to.equal(1n);
    expect(await made.isReleaseAllowed(COMPOSE_HASH)).to.equal(true);
    expect((await made.setting(SettingKind.OsImage, OS_IMAGE)).value).to.not.equal(0n);
    expect(await appRegistry.isApp(app)).to.equal(true);
  });

  it("predictApp_anythingChanged_isAnotherAddress", async () => {
    const { charter } = await load();
    const { owner, guardian, stranger } = charter;
    const settings = settingsOf();
    const addresses = await Promise.all([
      predict(charter, owner.address, guardian.address, settings, ZeroHash),
      predict(charter, stranger.address, guardian.address, settings, ZeroHash),
      predict(charter, owner.address, stranger.address, settings, ZeroHash),
      predict(charter, owner.address, guardian.address, settingsOf({ noticeSeconds: 0 }), ZeroHash),
      predict(charter, owner.address, guardian.address, settings, word(1)),
    ]);
    expect(new Set(addresses).size).to.equal(addresses.length);
  });

  it("createApp_twice_reverts", async () => {
    const { charter } = await load();
    await create(charter);
    await expect(create(charter)).to.be.revertedWithCustomError(
      { interface: new Interface(["error FailedDeployment()"]) },
      "FailedDeployment",
    );
  });

  it("createApp_withoutOwner_reverts", async () => {
    const { charter } = await load();
    await expect(
      charter.appRegistry.createApp(ZeroAddress, ZeroAddress, settingsOf(), ZeroHash),
    ).to.be.revertedWithCustomError(charter.appRegistry, "ZeroOwner");
  });

  it("initialize_again_orOfTheLogicItself_reverts", async () => {
    const { charter } = await load();
    const { appRegistry, owner } = charter;
    const registry = await appRegistry.getAddress();
    const app = await createApp(charter);
    const logic = await appAt(charter, await appRegistry.implementation());
    for (const target of [app, logic]) {
      await expect(target.connect(owner).initialize(settingsOf()))
        .to.be.revertedWithCustomError(target, "NotRegistry")
        .withArgs(registry, owner);
    }
  });

  it("logic_asAnApp_obeysNobodyAndAllowsNothing", async () => {
    const { charter } = await load();
    const address = await charter.appRegistry.implementation();
    const logic = await appAt(charter, address);
    await expect(
      logic.connect(charter.owner).propose(COMPOSE_HASH, ZeroHash, 0, 0),
    ).to.be.revertedWithCustomError(logic, "NotOwner");
    expect(await logic.isReleaseAllowed(COMPOSE_HASH)).to.equal(false);
    expect(await charter.appRegistry.isApp(address)).to.equal(false);
  });

  it("isApp_ofOtherCode_isFalse", async () => {
    const { charter } = await load();
    const other = await charter.connection.ethers.deployContract("AppRegistry", [ZeroAddress, ZeroAddress]);
    const args = [charter.owner.address, ZeroAddress, settingsOf(), ZeroHash] as const;
    const foreign = (await other.getFunction("createApp").staticCall(...args)) as string;
    await other.getFunction("createApp")(...args);
    expect(await charter.appRegistry.isApp(foreign)).to.equal(false);
    expect(await charter.appRegistry.isApp(charter.owner)).to.equal(false);
    expect(await charter.appRegistry.isApp(await charter.nodeRegistry.getAddress())).to.equal(false);
  });

  it("createApp_noticeOrGraceBeyondTheBound_reverts", async () => {
    const { charter } = await load();
    const app = await createApp(charter, { salt: word(9) });
    await create(charter, settingsOf({ noticeSeconds: 365 * DAY, graceSeconds: 30 * DAY }));
    await expect(create(charter, settingsOf({ noticeSeconds: 365 * DAY + 1 })))
      .to.be.revertedWithCustomError(app, "NoticeTooLong")
      .withArgs(365 * DAY, 365 * DAY + 1);
    await expect(create(charter, settingsOf({ graceSeconds: 30 * DAY + 1 })))
      .to.be.revertedWithCustomError(app, "GraceTooLong")
      .withArgs(30 * DAY, 30 * DAY + 1);
  });

  it("createApp_withoutAProofSystem_reverts", async () => {
    const { charter } = await load();
    const app = await createApp(charter, { salt: word(9) });
    const settings = POLICY.filter(({ kind }) => kind !== SettingKind.ProofSystem);
    await expect(create(charter, settingsOf({ settings }))).to.be.revertedWithCustomError(
      app,
      "NoProofSystemLeft",
    );
  });

  it("createApp_settingOfNoKind_reverts", async () => {
    const { charter } = await load();
    const app = await createApp(charter, { salt: word(9) });
    for (const wrong of [
      { kind: SettingKind.None, key: ZeroHash, value: 1n },
      { kind: SettingKind.TeeKind, key: ZeroHash, value: 1n },
      { kind: SettingKind.TeeKind, key: word(5), value: 1n },
      { kind: SettingKind.TcbStatus, key: word(7), value: 1n },
      { kind: SettingKind.ProofSystem, key: word(2), value: 2n },
      { kind: SettingKind.Node, key: ZeroHash, value: 1n },
      { kind: SettingKind.AnyNode, key: word(1), value: 1n },
      { kind: SettingKind.MaxEvidenceAge, key: ZeroHash, value: 8192n },
      { kind: SettingKind.TcbStatusUntil, key: word(7), value: 1n },
      { kind: SettingKind.Rebuilder, key: id("more than an address"), value: 1n },
      { kind: SettingKind.RebuildsRequired, key: ZeroHash, value: 33n },
      { kind: SettingKind.ReviewSeconds, key: ZeroHash, value: 30n * 86_400n + 1n },
    ]) {
      await expect(create(charter, settingsOf({ settings: [...POLICY, wrong] })))
        .to.be.revertedWithCustomError(app, "UnknownSetting")
        .withArgs(wrong.kind, wrong.key, wrong.value);
    }
  });

  it("createApp_noReleaseAndNoGuardian_isAnAppThatAllowsNothing", async () => {
    const { charter } = await load();
    const args = [
      charter.owner.address,
      ZeroAddress,
      settingsOf({ composeHash: ZeroHash }),
      ZeroHash,
    ] as const;
    const address = await charter.appRegistry.createApp.staticCall(...args);
    await charter.appRegistry.createApp(...args);
    const app = await appAt(charter, address);
    expect(await app.head()).to.equal(0n);
    expect(await app.lastRelease()).to.equal(0n);
    expect(await app.isReleaseAllowed(ZeroHash)).to.equal(false);
    expect((await app.control()).guardian).to.equal(ZeroAddress);
  });
});
