/**
 * Boot authorization on loopback, with the client on the same cores: a real relayer over a real chain, beside the least
 * server that asks the contract at every request, in the same run.
 */
import { parseEventLogs } from "viem";

import { appRegistryAbi } from "../protocol/abi/appRegistry.ts";
import { numberKey, ZERO_KEY } from "../protocol/policy/settings.ts";
import { SettingKind } from "../protocol/policy/settingKind.ts";
import { ProofSystem, TcbStatus } from "../protocol/words/enums.ts";
import type { Address, Bytes32 } from "../protocol/words/hex.ts";
import { deployKms } from "../test/relayer/support/kms.ts";
import { startProgram } from "../test/relayer/support/program.ts";
import type { Program } from "../test/relayer/support/program.ts";
import { addressOf, startStack } from "../test/relayer/support/stack.ts";
import type { Stack } from "../test/relayer/support/stack.ts";
import { stopDatabases } from "../test/support/postgres.ts";
import { load } from "./support/httpLoad.ts";
import type { Loaded } from "./support/httpLoad.ts";
import { writeReport, type Figure } from "./support/report.ts";

const SECONDS = 5;
const word = (digits: string): Bytes32 => `0x${digits.repeat(32)}` as Bytes32;
const HASH = word("c1");
const IMAGE = word("a1");
const DEVICE = word("d1");

/** An app that answers boot info and allows one device, one image and one release. */
async function createApp({ wallet, client, deployment }: Stack): Promise<Address> {
  const entry = (kind: number, key: Bytes32, value: bigint) => ({ kind, key, value });
  const settings = [
    entry(SettingKind.AcceptBootInfo, ZERO_KEY, 1n),
    entry(SettingKind.TcbStatus, numberKey(TcbStatus.UpToDate), 1n),
    entry(SettingKind.ProofSystem, numberKey(ProofSystem.Committee), 1n),
    entry(SettingKind.OsImage, IMAGE, 1n),
    entry(SettingKind.Node, DEVICE, 1n),
  ];
  const hash = await wallet.writeContract({
    address: deployment.appRegistry,
    abi: appRegistryAbi,
    functionName: "createApp",
    args: [
      addressOf(0),
      `0x${"00".repeat(20)}`,
      { noticeSeconds: 0, graceSeconds: 60, composeHash: HASH, noteDigest: word("e1"), settings },
      word("00"),
    ],
    chain: null,
    account: wallet.account ?? null,
  });
  const { logs } = await client.waitForTransactionReceipt({ hash, pollingInterval: 100 });
  const [created] = parseEventLogs({ abi: appRegistryAbi, eventName: "AppCreated", logs });
  if (!created) throw new Error("no app was created");
  return created.args.app.toLowerCase() as Address;
}

/** Loads `url` once to warm it up, then measures. */
async function measure(url: string, body: string, connections: number): Promise<Loaded> {
  const of = { url, path: "/bootAuth/app", body, connections, mustContain: '"isAllowed":true' };
  await load({ ...of, seconds: 2 });
  return load({ ...of, seconds: SECONDS });
}

async function untilAllowed(url: string, body: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await fetch(`${url}/bootAuth/app`, { method: "POST", body });
    if ((await answer.text()).includes('"isAllowed":true')) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the boot was never allowed");
}

const stack = await startStack();
let oneCall: Program<{ url: string }> | undefined;
try {
  const app = await createApp(stack);
  const kms = await deployKms(stack, IMAGE, app);
  const body = JSON.stringify({
    mrAggregated: word("01"),
    osImageHash: IMAGE,
    appId: app,
    composeHash: HASH,
    instanceId: `0x${"11".repeat(20)}`,
    deviceId: DEVICE,
    mrSystem: word("02"),
    tcbStatus: "UpToDate",
    advisoryIds: [],
  });
  const relayer = await stack.startRelayer(await stack.relayerEnvironment());
  await untilAllowed(relayer.ready.bootAuthUrl, body);
  for (const signer of stack.signers) await signer.stop(); // They decide nothing here.

  const ours = new Map<number, Loaded>();
  for (const connections of [1, 4, 10, 50]) {
    ours.set(connections, await measure(relayer.ready.bootAuthUrl, body, connections));
  }
  await relayer.stop();
  oneCall = await startProgram<{ url: string }>("bench/support/oneCallServer.ts", {
    ETH_RPC_URL: stack.anvil.url,
    KMS_CONTRACT_ADDR: kms,
  });
  const theirs = await measure(oneCall.ready.url, body, 4);

  const figures: Figure[] = [];
  for (const [connections, { p50, p99, perSecond }] of ours) {
    const isTarget = connections === 4;
    const name = isTarget ? "" : `${connections}.`;
    figures.push(
      { name: `${name}p50`, value: p50, unit: "ms", ...(isTarget ? { target: "<= 0.3" as const } : {}) },
      { name: `${name}p99`, value: p99, unit: "ms" },
      {
        name: `${name}perSecond`,
        value: perSecond,
        unit: "1/s",
        ...(isTarget ? { target: ">= 10000" as const } : {}),
      },
    );
  }
  const reference = ours.get(4)?.p50 ?? NaN;
  figures.push(
    { name: "oneCall.p50", value: theirs.p50, unit: "ms" },
    { name: "oneCall.perSecond", value: theirs.perSecond, unit: "1/s" },
    { name: "ratio", value: theirs.p50 / reference, unit: "times" },
  );
  writeReport("bootauth", figures);
} finally {
  await oneCall?.stop();
  await stack.stop();
  await stopDatabases();
}
