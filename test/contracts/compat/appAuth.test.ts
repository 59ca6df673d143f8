import { expect } from "chai";
import { id, ZeroHash } from "ethers";

import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { Level } from "../../../protocol/words/enums.ts";
import type { AppAuth } from "../../../types/typechain/index.ts";
import type { Charter } from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import { createApp, POLICY } from "../support/flows.ts";
import { COMPOSE_HASH, OS_IMAGE, PLATFORM } from "../support/verdicts.ts";

const NOTICE = 3600;
const [V2, DEVICE] = [id("v2"), id("device")];
const ACCEPT = { kind: SettingKind.AcceptBootInfo, key: ZeroHash, value: 1n };

describe("AppAuth: an app as dstack sees it", () => {
  const load = useCharter(async (charter) => {
    const settings = [...POLICY, ACCEPT];
    const guardian = charter.guardian.address;
    const noticed = await createApp(charter, { settings, guardian, noticeSeconds: NOTICE });
    const open = await createApp(charter, { settings, guardian, noticeSeconds: 0, salt: id("open") });
    return { noticed, open, auth: await authOf(charter, noticed), openAuth: await authOf(charter, open) };
  });
  async function authOf(charter: Charter, app: { getAddress(): Promise<string> }): Promise<AppAuth> {
    const auth = await charter.connection.ethers.getContractAt("AppAuth", await app.getAddress());
    return auth.connect(charter.owner) as unknown as AppAuth;
  }
  const bootInfo = (appId: string, over: object = {}) => ({
    appId,
    composeHash: COMPOSE_HASH,
    instanceId: `0x${"11".repeat(20)}`,
    deviceId: PLATFORM,
    mrAggregated: ZeroHash,
    mrSystem: ZeroHash,
    osImageHash: OS_IMAGE,
    tcbStatus: "UpToDate",
    advisoryIds: [],
    ...over,
  });

  it("supportsInterface_dstacksTwoAndErc165_andNoOther", async () => {
    const { noticed } = await load();
    for (const known of ["0x01ffc9a7", "0x1e079198", "0x8fd37527"]) {
      expect(await noticed.supportsInterface(known)).to.equal(true);
    }
    expect(await noticed.supportsInterface("0xffffffff")).to.equal(false);
  });

  it("isAppAllowed_eachReason_isByteExact", async () => {
    const { charter, auth } = await load();
    const app = await auth.getAddress();
    const ask = async (over: object) => [...(await auth.isAppAllowed(bootInfo(app, over)))];
    expect(await ask({})).to.deep.equal([true, ""]);
    const table: [object, string][] = [
      [{ appId: charter.stranger.address }, "App not deployed or invalid address"],
      [{ composeHash: V2 }, "Compose hash not allowed"],
      [{ tcbStatus: "OutOfDate" }, "TCB status is not up to date"],
      [{ tcbStatus: "" }, "TCB status is not up to date"],
      [{ tcbStatus: "UpToDate " }, "TCB status is not up to date"],
      [{ osImageHash: id("other") }, "OS image is not allowed"],
      [{ deviceId: id("other") }, "Device not allowed"],
      [{ deviceId: ZeroHash }, "Device not allowed"],
    ];
    for (const [over, reason] of table) expect(await ask(over), reason).to.deep.equal([false, reason]);
    expect(await ask({ advisoryIds: ["INTEL-SA-00614"] })).to.deep.equal([true, ""]);
  });

  it("isAppAllowed_withoutAcceptBootInfo_deniesWithAReasonOfItsOwn", async () => {
    const { noticed, auth } = await load();
    await noticed.tighten([{ ...ACCEPT, value: 0n }]);
    expect([...(await auth.isAppAllowed(bootInfo(await auth.getAddress())))]).to.deep.equal([
      false,
      "Boot info not accepted by this app",
    ]);
  });

  it("addComposeHash_withNotice_proposes_andIsAllowedAfterIt", async () => {
    const { charter, noticed, auth } = await load();
    await expect(auth.addComposeHash(V2))
      .to.emit(auth, "ComposeHashAdded")
      .withArgs(V2)
      .and.to.emit(noticed, "ReleaseProposed");
    expect(await auth.allowedComposeHashes(V2)).to.equal(false);
    await charter.connection.networkHelpers.time.increase(NOTICE);
    expect(await auth.allowedComposeHashes(V2)).to.equal(true);
    // The app's grace setting keeps what was allowed for a while, as dstack's owners expect of an added hash.
    expect(await auth.allowedComposeHashes(COMPOSE_HASH)).to.equal(true);
  });

  it("addComposeHash_withoutNotice_isAllowedAtOnce", async () => {
    const { openAuth } = await load();
    await openAuth.addComposeHash(V2);
    expect(await openAuth.allowedComposeHashes(V2)).to.equal(true);
  });

  it("removeComposeHash_byOwnerOrGuardian_revokesInTheSameBlock", async () => {
    const { charter, noticed, auth } = await load();
    await expect(
      auth.connect(charter.stranger).removeComposeHash(COMPOSE_HASH),
    ).to.be.revertedWithCustomError(noticed, "NotOwnerOrGuardian");
    await expect(auth.connect(charter.guardian).removeComposeHash(COMPOSE_HASH))
      .to.emit(auth, "ComposeHashRemoved")
      .withArgs(COMPOSE_HASH)
      .and.to.emit(noticed, "ReleaseRevoked");
    expect(await auth.allowedComposeHashes(COMPOSE_HASH)).to.equal(false);
    expect((await auth.isAppAllowed(bootInfo(await auth.getAddress()))).reason).to.equal(
      "Compose hash not allowed",
    );
  });

  it("addDevice_waitsTheNotice_andRemoveDeviceTakesItBackOrAway", async () => {
    const { charter, noticed, auth } = await load();
    const { time } = charter.connection.networkHelpers;
    await expect(auth.addDevice(DEVICE)).to.emit(auth, "DeviceAdded").withArgs(DEVICE);
    expect(await auth.allowedDeviceIds(DEVICE)).to.equal(false);
    await expect(auth.removeDevice(DEVICE)).to.emit(noticed, "LooseningCancelled");
    await time.increase(NOTICE);
    expect(await auth.allowedDeviceIds(DEVICE)).to.equal(false);
    await auth.addDevice(DEVICE);
    await time.increase(NOTICE);
    expect(await auth.allowedDeviceIds(DEVICE)).to.equal(true);
    await expect(auth.removeDevice(DEVICE)).to.emit(auth, "DeviceRemoved").withArgs(DEVICE);
    expect(await auth.allowedDeviceIds(DEVICE)).to.equal(false);
  });

  it("setAllowAnyDevice_trueWaits_falseIsImmediate", async () => {
    const { charter, auth } = await load();
    await auth.setAllowAnyDevice(true);
    expect(await auth.allowAnyDevice()).to.equal(false);
    await charter.connection.networkHelpers.time.increase(NOTICE);
    expect(await auth.allowAnyDevice()).to.equal(true);
    expect(await auth.allowedDeviceIds(DEVICE)).to.equal(false);
    await auth.setAllowAnyDevice(false);
    expect(await auth.allowAnyDevice()).to.equal(false);
  });

  it("management_byAStranger_reverts", async () => {
    const { charter, noticed, auth } = await load();
    const stranger = auth.connect(charter.stranger);
    for (const call of [
      () => stranger.addComposeHash(V2),
      () => stranger.addDevice(DEVICE),
      () => stranger.removeDevice(PLATFORM),
      () => stranger.setAllowAnyDevice(true),
    ]) {
      await expect(call()).to.be.revertedWithCustomError(noticed, "NotOwner");
    }
  });

  it("management_atSealedAndFrozen_obeysTheLevels", async () => {
    const { noticed, auth } = await load();
    await noticed.raiseLevel(Level.Sealed);
    for (const call of [() => auth.addDevice(DEVICE), () => auth.setAllowAnyDevice(true)]) {
      await expect(call()).to.be.revertedWithCustomError(noticed, "LevelForbids");
    }
    await noticed.raiseLevel(Level.RevokeOnly);
    await expect(auth.addComposeHash(V2)).to.be.revertedWithCustomError(noticed, "LevelForbids");
    await noticed.raiseLevel(Level.Frozen);
    for (const call of [() => auth.removeComposeHash(COMPOSE_HASH), () => auth.removeDevice(PLATFORM)]) {
      await expect(call()).to.be.revertedWithCustomError(noticed, "LevelForbids");
    }
  });

  it("fallback_unknownCallOrEther_reverts", async () => {
    const { charter, noticed } = await load();
    const to = await noticed.getAddress();
    await expect(charter.owner.sendTransaction({ to, data: "0x12345678" })).to.be.revert(
      charter.connection.ethers,
    );
    await expect(charter.owner.sendTransaction({ to, value: 1n })).to.be.revert(charter.connection.ethers);
  });

  it("logicOfAppAuth_calledDirectly_obeysNobody", async () => {
    const { charter, noticed } = await load();
    const [sets, endorsements] = [charter.advisorySets, charter.endorsements];
    const bare = await charter.connection.ethers.deployContract("AppAuth", [
      await sets.getAddress(),
      await endorsements.getAddress(),
    ]);
    await expect(bare.getFunction("addComposeHash")(V2)).to.be.revertedWithCustomError(noticed, "NotOwner");
  });
});
