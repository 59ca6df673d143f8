import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { expect } from "chai";
import { getAddress } from "viem";

import { nodeCrypto } from "../../protocol/crypto/node.ts";
import { bootInfoOf, parseCollateral, verifyEvidence } from "../../protocol/evidence/index.ts";
import type { BootInfo } from "../../protocol/policy/bootInfo.ts";
import type { Address, Hex } from "../../protocol/words/hex.ts";
import { dstackKmsAbi } from "../../protocol/abi/dstackKms.ts";
import { deployKms } from "../relayer/support/kms.ts";
import { keyOf, startStack, type RelayerReady, type Stack } from "../relayer/support/stack.ts";
import { startProgram } from "../relayer/support/program.ts";
import type { Program } from "../relayer/support/program.ts";
import { until } from "../relayer/support/until.ts";
import { clock, hasVectors, vectorJson } from "../support/vectors.ts";

const GATEWAY = "0xgateway";
const CLI = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));

interface Answer {
  readonly isAllowed: boolean;
  readonly reason: string;
  readonly gatewayAppId: string;
}

describe("boot authorization for a real machine's boot info", function () {
  this.timeout(120_000);
  let stack: Stack;
  let relayer: Program<RelayerReady>;
  let dir: string;
  let bootInfo: BootInfo;
  let measurementDigest: string;
  let app: string;
  let kms: Address;

  before(async function () {
    if (!hasVectors) {
      console.log("skipped: boot authorization for a real machine's boot info: ../shared/vectors is absent");
      this.skip();
    }
    const report = vectorJson("tdx/dstack-2026-02/quote-report.json") as Record<string, string>;
    const verified = await verifyEvidence(
      {
        kind: "tdx",
        quote: report.quote as string,
        eventLog: report.event_log as string,
        vmConfig: report.vm_config as string,
      },
      {
        collateral: parseCollateral(vectorJson("tdx/dstack-2026-02/collateral.json")),
        at: clock("2026-02-18T11:58:51Z"),
        crypto: nodeCrypto,
      },
    );
    bootInfo = await bootInfoOf(verified, nodeCrypto);
    measurementDigest = verified.measurementDigest;
    dir = mkdtempSync(join(tmpdir(), "charter-e2e-boot-"));
    stack = await startStack();
    // A KMS contract of this operator's own, whose owner need not vote.
    kms = await deployKms(stack, bootInfo.osImageHash, `0x${"22".repeat(20)}` as Address);
    const deployment = JSON.stringify({ ...stack.deployment, dstackKms: kms });
    writeFileSync(join(dir, "deployment.json"), deployment);
    const environment = await stack.relayerEnvironment();
    relayer = await stack.startRelayer({ ...environment, CHARTER_DEPLOYMENT: join(dir, "deployment.json") });
    const created = charter([
      ...["app", "create", "--compose-hash", bootInfo.composeHash, "--accept-boot-info"],
      ...["--os-image", `${bootInfo.osImageHash}:${measurementDigest}`, "--node", bootInfo.deviceId],
    ]);
    app = String(created.app);
  });

  after(async () => {
    await stack?.stop();
    if (dir) rmSync(dir, { recursive: true, force: true });
  });

  function charter(args: readonly string[]): Record<string, unknown> {
    const text = execFileSync(process.execPath, [CLI, "--json", ...args], {
      encoding: "utf8",
      env: {
        ...process.env,
        CHARTER_RPC_URL: stack.anvil.url,
        CHARTER_RELAYER_URL: relayer.ready.url,
        CHARTER_DEPLOYMENT: join(dir, "deployment.json"),
        CHARTER_KEY: keyOf(0),
      },
    });
    return JSON.parse(text) as Record<string, unknown>;
  }

  async function ask(
    change: Partial<Record<keyof BootInfo, unknown>> = {},
    url = `${relayer.ready.bootAuthUrl}/bootAuth/app`,
  ): Promise<Answer> {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      // dstack's KMS knows the app by its contract: the app id is the only field that is not the machine's own.
      body: JSON.stringify({ ...bootInfo, appId: app, ...change }),
    });
    expect(response.status).to.equal(200);
    return (await response.json()) as Answer;
  }

  /** Asks until the answer's reason is the expected one: the relayer follows the chain, it is not told. */
  async function eventually(
    reason: string,
    change: Partial<Record<keyof BootInfo, unknown>> = {},
  ): Promise<Answer> {
    for (let i = 0; i < 120; i++) {
      const answer = await ask(change);
      if (answer.reason === reason) return answer;
      await delay(250);
    }
    return ask(change);
  }

  it("is allowed once the app's release is final", async () => {
    expect(await eventually("")).to.deep.equal({ isAllowed: true, reason: "", gatewayAppId: "" });
  });

  it("is denied for another device, OS image, TCB status or app, each by its own reason", async () => {
    const other = `0x${"11".repeat(32)}`;
    expect((await ask({ deviceId: other })).reason).to.equal("Device not allowed");
    expect((await ask({ osImageHash: other })).reason).to.equal("OS image is not allowed");
    expect((await ask({ tcbStatus: "OutOfDate" })).reason).to.equal("TCB status is not up to date");
    expect((await ask({ appId: `0x${"22".repeat(20)}` })).reason).to.equal("App not registered");
  });

  it("of a KMS is allowed once its measurements and its device are final, and denied from the newest block on", async () => {
    const { wallet, client } = stack;
    const [account, chain] = [wallet.account ?? null, null];
    const contract = { address: kms, abi: dstackKmsAbi, account, chain } as const;
    const mined = async (sent: Promise<Hex>): Promise<bigint> =>
      (await client.waitForTransactionReceipt({ hash: await sent, pollingInterval: 100 })).blockNumber;
    const asked = () => ask({}, `${relayer.ready.bootAuthUrl}/bootAuth/kms`);
    const eventually = async (wanted: Answer) =>
      until(JSON.stringify(wanted), async () => JSON.stringify(await asked()) === JSON.stringify(wanted));
    const { mrAggregated, deviceId } = bootInfo;

    const unmeasured = { isAllowed: false, reason: "Aggregated MR not allowed", gatewayAppId: "" };
    expect(await asked()).to.deep.equal(unmeasured);
    await mined(wallet.writeContract({ ...contract, functionName: "setGatewayAppId", args: [GATEWAY] }));
    await mined(
      wallet.writeContract({ ...contract, functionName: "addKmsAggregatedMr", args: [mrAggregated] }),
    );
    const onDevice = "KMS is not allowed to boot on this device";
    await eventually({ isAllowed: false, reason: onDevice, gatewayAppId: GATEWAY });
    await mined(wallet.writeContract({ ...contract, functionName: "addKmsDevice", args: [deviceId] }));
    await eventually({ isAllowed: true, reason: "", gatewayAppId: GATEWAY });
    const told = (await (await fetch(relayer.ready.bootAuthUrl)).json()) as Record<string, unknown>;
    expect(told).to.deep.include({ gatewayAppId: GATEWAY, kmsContractAddr: getAddress(kms) });
    expect((await ask()).gatewayAppId).to.equal(GATEWAY);

    await mined(wallet.writeContract({ ...contract, functionName: "removeKmsDevice", args: [deviceId] }));
    await eventually({ isAllowed: false, reason: onDevice, gatewayAppId: GATEWAY });
  });

  it("is answered alike by direct mode, over a KMS contract alone", async () => {
    const own = await deployKms(stack, bootInfo.osImageHash, app as Address);
    const webhook = await startProgram<{ url: string }>("relayer/api/bootAuth/direct/main.ts", {
      ETH_RPC_URL: stack.anvil.url,
      KMS_CONTRACT_ADDR: own,
      ETH_CHAIN_ID: "31337",
      PORT: "0",
    });
    try {
      const url = `${webhook.ready.url}/bootAuth/app`;
      expect(await ask({}, url)).to.deep.equal({ isAllowed: true, reason: "", gatewayAppId: "" });
      const other = `0x${"11".repeat(32)}`;
      expect((await ask({ deviceId: other }, url)).reason).to.equal("Device not allowed");
      expect((await ask({ osImageHash: other }, url)).reason).to.equal("OS image is not allowed");
      expect((await ask({ appId: `0x${"22".repeat(20)}` }, url)).reason).to.equal("App not registered");
      const told = (await (await fetch(webhook.ready.url)).json()) as Record<string, unknown>;
      expect(told).to.include({ status: "ok", ethRpcUrl: stack.anvil.url, chainId: 31_337 });
    } finally {
      expect(await webhook.stop()).to.equal(0);
    }
  });

  it("is denied after the release is revoked", async () => {
    charter(["release", "revoke", app, "1"]);
    const answer = await eventually("Compose hash not allowed");
    expect(answer).to.deep.equal({
      isAllowed: false,
      reason: "Compose hash not allowed",
      gatewayAppId: GATEWAY,
    });
  });

  it("is denied while the chain cannot be reached", async () => {
    await stack.anvil.stop();
    const answer = await eventually("authorization backend unavailable");
    expect(answer).to.deep.equal({
      isAllowed: false,
      reason: "authorization backend unavailable",
      gatewayAppId: "",
    });
  });
});
