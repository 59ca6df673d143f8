import {
  addComposeHash,
  addDevice,
  checkComposeHashAllowed,
  checkDeviceAllowed,
  checkOnChainPrerequisites,
  deployAppAuth,
  getAllowedDevices,
  removeDevice,
  setAllowAnyDevice,
} from "@phala/cloud";
import { expect } from "chai";
import hre from "hardhat";
import { createPublicClient, createWalletClient, defineChain, http } from "viem";
import type { Address, Chain, Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";

import { appAbi } from "../../protocol/abi/app.ts";
import { dstackKmsAbi } from "../../protocol/abi/dstackKms.ts";
import { devnetAccounts } from "../../scripts/devnet/accounts.ts";
import { startAnvil, type Anvil } from "../support/anvil.ts";

const { owner } = devnetAccounts;
const [FIRST, SECOND, DEVICE, OTHER] = ["a1", "a2", "d1", "d2"].map((byte) => byte.repeat(32)) as [
  string,
  string,
  string,
  string,
];

/** npm's client of a dstack cloud, as its users have it, beside Charter's contracts. */
describe("@phala/cloud with a Charter app", function () {
  this.timeout(120_000);
  let anvil: Anvil;
  let chain: Chain;
  let kms: Address;
  let app: Address;

  before(async () => {
    anvil = await startAnvil();
    const connection = await hre.network.create({
      network: "target",
      override: { url: anvil.url, accounts: [owner.key] },
    });
    try {
      const { ethers } = connection;
      const deploy = async (name: string, args: unknown[] = []): Promise<Address> =>
        (await (await ethers.deployContract(name, args)).getAddress()) as Address;
      const registry = await deploy("AppRegistry", [
        await deploy("AdvisorySets"),
        await deploy("Endorsements"),
      ]);
      kms = await deploy("DstackKms", [owner.address, registry]);
      chain = defineChain({
        id: 31_337,
        name: "anvil",
        nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
        rpcUrls: { default: { http: [anvil.url] } },
      });
    } finally {
      await connection.close();
    }
  });
  after(() => anvil.stop());

  const signer = () => ({ chain, rpcUrl: anvil.url, privateKey: owner.key, timeout: 20_000 });
  /** The client batches its reads by Multicall3, which public chains have; here the batch carries its own code. */
  const reader = () => ({
    chain,
    appAddress: app,
    publicClient: createPublicClient({
      chain,
      transport: http(anvil.url),
      batch: { multicall: { deployless: true } },
    }),
  });

  it("deploys an app by the registry, with its first hash and device", async () => {
    const deployed = (await deployAppAuth({
      ...signer(),
      kmsContractAddress: kms,
      deviceId: DEVICE,
      composeHash: FIRST,
    })) as { appAuthAddress: Address; appId: string };
    app = deployed.appAuthAddress;
    const client = reader().publicClient;
    expect(
      await client.readContract({
        address: kms,
        abi: dstackKmsAbi,
        functionName: "registeredApps",
        args: [app],
      }),
    ).to.equal(true);
    expect(
      (await client.readContract({ address: app, abi: appAbi, functionName: "owner" })).toLowerCase(),
    ).to.equal(owner.address);
    expect(await checkComposeHashAllowed({ ...reader(), composeHash: FIRST })).to.equal(true);
    expect(await checkDeviceAllowed({ ...reader(), deviceId: DEVICE })).to.equal(true);
  });

  it("adds a compose hash, and then finds it allowed", async () => {
    expect(await checkComposeHashAllowed({ ...reader(), composeHash: SECOND })).to.equal(false);
    const added = (await addComposeHash({ ...signer(), appId: app, composeHash: SECOND })) as {
      transactionHash: Hex;
    };
    expect(added.transactionHash).to.match(/^0x[0-9a-f]{64}$/);
    expect(await checkComposeHashAllowed({ ...reader(), composeHash: SECOND })).to.equal(true);
  });

  it("adds and removes devices", async () => {
    await addDevice({ ...signer(), appAddress: app, deviceId: OTHER });
    const listed = (await getAllowedDevices({ ...reader(), deviceIds: [DEVICE, OTHER, FIRST] })) as {
      devices: string[];
    };
    expect(listed.devices).to.have.length(2);
    await removeDevice({ ...signer(), appAddress: app, deviceId: OTHER });
    expect(await checkDeviceAllowed({ ...reader(), deviceId: OTHER })).to.equal(false);
  });

  it("allows any device, and no longer", async () => {
    await setAllowAnyDevice({ ...signer(), appAddress: app, allow: true });
    expect(await checkDeviceAllowed({ ...reader(), deviceId: OTHER })).to.equal(true);
    await setAllowAnyDevice({ ...signer(), appAddress: app, allow: false });
    expect(await checkDeviceAllowed({ ...reader(), deviceId: OTHER })).to.equal(false);
  });

  it("asks all that an update needs in one call", async () => {
    expect(
      await checkOnChainPrerequisites({ ...reader(), deviceId: DEVICE, composeHash: SECOND }),
    ).to.deep.equal({
      allowAnyDevice: false,
      deviceAllowed: true,
      composeHashAllowed: true,
    });
  });

  it("waits where the owner gave the app a notice, and says that nothing is allowed yet", async () => {
    const third = "a3".repeat(32);
    const wallet = createWalletClient({
      account: privateKeyToAccount(owner.key),
      chain,
      transport: http(anvil.url),
    });
    const notice = { kind: 1, key: `0x${"00".repeat(32)}`, value: 3600n } as const;
    await wallet.writeContract({ address: app, abi: appAbi, functionName: "tighten", args: [[notice]] });
    await addComposeHash({ ...signer(), appId: app, composeHash: third });
    expect(await checkComposeHashAllowed({ ...reader(), composeHash: third })).to.equal(false);
    await anvil.rpc("evm_increaseTime", 3600);
    await anvil.rpc("evm_mine");
    expect(await checkComposeHashAllowed({ ...reader(), composeHash: third })).to.equal(true);
  });
});
