import { expect } from "chai";
import { id, ZeroAddress, ZeroHash, type Result } from "ethers";

import { Level } from "../../../protocol/words/enums.ts";
import type { DstackKms } from "../../../types/typechain/index.ts";
import { useCharter } from "../support/chains.ts";
import { appAt } from "../support/flows.ts";

const [IMAGE, DEVICE, HASH, MR] = [id("image"), id("device"), id("compose"), id("aggregated")];
const SIX = "deployAndRegisterApp(address,bool,bool,bool,bytes32,bytes32)";
const FIVE = "deployAndRegisterApp(address,bool,bool,bytes32,bytes32)";

describe("DstackKms", () => {
  const load = useCharter(async (charter) => {
    const deployed = await charter.connection.ethers.deployContract("DstackKms", [
      charter.governance.address,
      await charter.appRegistry.getAddress(),
    ]);
    const kms = deployed as unknown as DstackKms;
    await kms.addOsImageHash(IMAGE);
    return { kms };
  });
  const bootInfo = (appId: string, over: object = {}) => ({
    appId,
    composeHash: HASH,
    instanceId: `0x${"11".repeat(20)}`,
    deviceId: DEVICE,
    mrAggregated: MR,
    mrSystem: ZeroHash,
    osImageHash: IMAGE,
    tcbStatus: "UpToDate",
    advisoryIds: [],
    ...over,
  });
  async function deploy({ charter, kms }: Awaited<ReturnType<typeof load>>, tcb = true, anyDevice = false) {
    const args = [charter.owner.address, false, tcb, anyDevice, DEVICE, HASH] as const;
    const app = await kms[SIX].staticCall(...args);
    await kms.connect(charter.stranger)[SIX](...args);
    return app;
  }

  it("deployAndRegisterApp_makesACharterAppThatAnswersBootInfo", async () => {
    const scene = await load();
    const { charter, kms } = scene;
    const args = [charter.owner.address, true, true, false, DEVICE, HASH] as const;
    const expected = await kms[SIX].staticCall(...args);
    await expect(kms.connect(charter.stranger)[SIX](...args))
      .to.emit(kms, "AppDeployedViaFactory")
      .withArgs(expected, charter.stranger)
      .and.to.emit(kms, "AppRegistered")
      .withArgs(expected);
    expect(await charter.appRegistry.isApp(expected)).to.equal(true);
    expect(await kms.registeredApps(expected)).to.equal(true);
    expect(await kms.appImplementation()).to.equal(await charter.appRegistry.implementation());
    const control = await (await appAt(charter, expected)).control();
    expect([control.owner, control.level, control.noticeSeconds]).to.deep.equal([
      charter.owner.address,
      BigInt(Level.Open),
      0n,
    ]);
    expect([...(await kms.isAppAllowed(bootInfo(expected)))]).to.deep.equal([true, ""]);
  });

  it("deployAndRegisterApp_fiveArguments_acceptsEveryStatusButRevoked", async () => {
    const { charter, kms } = await load();
    const args = [charter.owner.address, false, true, ZeroHash, HASH] as const;
    const app = await kms[FIVE].staticCall(...args);
    await kms[FIVE](...args);
    const ask = async (tcbStatus: string) =>
      (await kms.isAppAllowed(bootInfo(app, { tcbStatus, deviceId: id("any") }))).isAllowed;
    for (const status of ["UpToDate", "OutOfDate", "SWHardeningNeeded", "OutOfDateConfigurationNeeded"]) {
      expect(await ask(status), status).to.equal(true);
    }
    for (const status of ["Revoked", "Unknown", ""]) expect(await ask(status), status).to.equal(false);
  });

  it("deployAndRegisterApp_twiceTheSame_makesTwoApps", async () => {
    const scene = await load();
    expect(await deploy(scene)).to.not.equal(await deploy(scene));
  });

  it("deployAndRegisterApp_whereAStrangerTookTheAddress_takesTheNext", async () => {
    const scene = await load();
    const { charter, kms } = scene;
    const { networkHelpers } = charter.connection;
    // The stranger sees what would be made, and makes it first.
    const snapshot = await networkHelpers.takeSnapshot();
    const taken = await deploy(scene);
    const logs = await charter.appRegistry.queryFilter(charter.appRegistry.filters.AppCreated());
    const made = await appAt(charter, taken);
    const [initialized] = await made.queryFilter(made.filters.AppInitialized());
    const settings = (initialized?.args.settings as unknown as Result).toObject(true);
    const salt = logs.at(-1)?.args.salt ?? ZeroHash;
    await snapshot.restore();
    await charter.appRegistry
      .connect(charter.stranger)
      .createApp(charter.owner, ZeroAddress, settings as never, salt);
    expect(await charter.appRegistry.isApp(taken)).to.equal(true);
    const app = await deploy(scene);
    expect(app).to.not.equal(taken);
    expect(await kms.registeredApps(app)).to.equal(true);
  });

  it("isAppAllowed_eachReason_isByteExact", async () => {
    const scene = await load();
    const { charter, kms } = scene;
    const app = await deploy(scene);
    const ask = async (over: object) => [...(await kms.isAppAllowed(bootInfo(app, over)))];
    const table: [object, string][] = [
      [{ appId: charter.stranger.address }, "App not registered"],
      [{ osImageHash: id("other") }, "OS image is not allowed"],
      [{ composeHash: id("other") }, "Compose hash not allowed"],
      [{ deviceId: id("other") }, "Device not allowed"],
      [{ tcbStatus: "OutOfDate" }, "TCB status is not up to date"],
    ];
    for (const [over, reason] of table) expect(await ask(over)).to.deep.equal([false, reason]);
    await kms.registerApp(charter.stranger);
    expect(await ask({ appId: charter.stranger.address })).to.deep.equal([
      false,
      "App not deployed or invalid address",
    ]);
    await kms.removeOsImageHash(IMAGE);
    expect(await ask({})).to.deep.equal([false, "OS image is not allowed"]);
  });

  it("isKmsAllowed_eachReason_isByteExact", async () => {
    const { kms } = await load();
    const ask = async (over: object = {}) => [...(await kms.isKmsAllowed(bootInfo(ZeroAddress, over)))];
    expect(await ask({ tcbStatus: "OutOfDate" })).to.deep.equal([false, "TCB status is not up to date"]);
    expect(await ask({ osImageHash: ZeroHash })).to.deep.equal([false, "OS image is not allowed"]);
    expect(await ask()).to.deep.equal([false, "Aggregated MR not allowed"]);
    await kms.addKmsAggregatedMr(MR);
    expect(await ask()).to.deep.equal([false, "KMS is not allowed to boot on this device"]);
    await kms.addKmsDevice(DEVICE);
    expect(await ask()).to.deep.equal([true, ""]);
    await kms.removeKmsAggregatedMr(MR);
    expect(await ask()).to.deep.equal([false, "Aggregated MR not allowed"]);
    await kms.addKmsAggregatedMr(MR);
    await kms.removeKmsDevice(DEVICE);
    expect(await ask()).to.deep.equal([false, "KMS is not allowed to boot on this device"]);
  });

  it("owner_alone_saysWhatIsTrusted", async () => {
    const { charter, kms } = await load();
    const stranger = kms.connect(charter.stranger);
    const info = { k256Pubkey: "0x01", caPubkey: "0x02", quote: "0x03", eventlog: "0x04" };
    for (const call of [
      () => stranger.addOsImageHash(HASH),
      () => stranger.removeOsImageHash(IMAGE),
      () => stranger.addKmsAggregatedMr(MR),
      () => stranger.removeKmsAggregatedMr(MR),
      () => stranger.addKmsDevice(DEVICE),
      () => stranger.removeKmsDevice(DEVICE),
      () => stranger.setGatewayAppId("x"),
      () => stranger.setKmsInfo(info),
    ]) {
      await expect(call()).to.be.revertedWithCustomError(kms, "OwnableUnauthorizedAccount");
    }
    await kms.setKmsInfo(info);
    expect([...(await kms.kmsInfo())]).to.deep.equal(Object.values(info));
    await kms.setGatewayAppId("0xabc");
    expect(await kms.gatewayAppId()).to.equal("0xabc");
  });

  it("registerApp_zero_reverts_andRegisteringAllowsNothing", async () => {
    const { charter, kms } = await load();
    await expect(kms.registerApp(ZeroAddress)).to.be.revertedWithCustomError(kms, "InvalidAppId");
    await kms.connect(charter.stranger).registerApp(await charter.appRegistry.getAddress());
    await expect(kms.isAppAllowed(bootInfo(await charter.appRegistry.getAddress()))).to.be.revert(
      charter.connection.ethers,
    );
  });

  it("addOsImageHash_seventeenth_reverts_andARemovedOneMakesRoom", async () => {
    const { kms } = await load();
    for (let index = 1; index < 16; index++) await kms.addOsImageHash(id(`image ${index}`));
    await kms.addOsImageHash(IMAGE);
    await expect(kms.addOsImageHash(id("one more")))
      .to.be.revertedWithCustomError(kms, "TooManyOsImages")
      .withArgs(16);
    await kms.removeOsImageHash(id("image 3"));
    await kms.addOsImageHash(id("one more"));
  });
});
