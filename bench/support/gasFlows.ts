/**
 * What Charter's transactions cost, exactly: the same calls on a new chain whose every block time is fixed, so that
 * call data, signatures and block hashes repeat byte for byte. `bench/gas.ts` sets them beside their targets, the
 * committed snapshot holds them.
 */
import { id, ZeroHash, type ContractTransactionResponse } from "ethers";

import { SettingKind } from "../../protocol/policy/settingKind.ts";
import {
  deployContracts,
  openChain,
  walletOf,
  type Charter,
  type Connection,
} from "../../test/contracts/support/charter.ts";
import type { IAppAuth } from "../../types/typechain/index.ts";
import { measureBatches } from "./batchGas.ts";
import { measureCollateral } from "./collateralGas.ts";
import { measureQuotes } from "./quoteGas.ts";
import { attest, createApp, POLICY, register, renew } from "../../test/contracts/support/flows.ts";
import { COMPOSE_HASH, OS_IMAGE, PLATFORM } from "../../test/contracts/support/verdicts.ts";

/** Gas by figure name: of the whole transaction, `app.allowed` of the execution alone. */
export type GasFigures = Readonly<Record<string, number>>;

const SECONDS_PER_BLOCK = 12;
const NOTICE_SECONDS = 3600;

/** Runs every flow once and says what each cost. */
export async function measureGas(): Promise<GasFigures> {
  const connection = await openChain();
  try {
    const pass = fixBlockTimes(connection);
    const figures = await measure(await deployContracts(connection), pass);
    return {
      ...figures,
      ...(await measureCollateral()),
      ...(await measureQuotes()),
      ...(await measureBatches()),
    };
  } finally {
    await connection.close();
  }
}

async function measure(charter: Charter, pass: (seconds: number) => void): Promise<GasFigures> {
  const figures: Record<string, number> = {};
  const take = async (name: string, sent: Promise<ContractTransactionResponse>): Promise<void> => {
    const receipt = await (await sent).wait();
    if (receipt?.status !== 1) throw new Error(`${name}: the transaction failed`);
    figures[name] = Number(receipt.gasUsed);
  };
  const newest = async (): Promise<number> => {
    const block = await charter.connection.ethers.provider.getBlock("latest", true);
    return Number(block?.gasUsed ?? 0n);
  };
  const guardian = charter.guardian.address;
  // Owner, guardian, notice, policy, one device, release 1 active: what dstack's registry is compared with. Its OS images
  // stand in another contract; ours are an entry of the app.
  const settings = POLICY.filter(({ kind }) => kind !== SettingKind.OsImage);
  await createApp(charter, { guardian, noticeSeconds: NOTICE_SECONDS, settings });
  figures["app.create"] = await newest();
  const app = await createApp(charter, { guardian, noticeSeconds: NOTICE_SECONDS });
  figures["app.create.withOsImage"] = await newest();
  const address = await app.getAddress();
  const [nodeKey, instanceKey] = [walletOf("node"), walletOf("instance")];
  await take("node.register.committee", register(charter, nodeKey));
  await take("node.renew.committee", renew(charter, 1, nodeKey));
  await take("ledger.attest.committee", attest(charter, address, instanceKey));
  await take("ledger.attest.committee.again", attest(charter, address, instanceKey));
  await take("app.propose", app.propose(id("second"), id("note"), 1, 600));
  await take("app.veto", app.connect(charter.guardian).veto(2));
  await take("app.propose.afterVeto", app.propose(id("third"), id("note"), 1, 600));
  pass(NOTICE_SECONDS);
  await take("app.revoke", app.revoke(3));
  await take("app.revoke.byGuardian", app.connect(charter.guardian).revoke(1));
  await take("app.loosen", app.loosen([{ kind: SettingKind.Node, key: id("other"), value: 1n }]));
  await take("app.tighten", app.tighten([{ kind: SettingKind.Node, key: PLATFORM, value: 0n }]));
  figures["app.allowed"] = await allowedExecution(charter);
  return figures;
}

/** dstack's question, on a clone that answers it: execution gas, without what a transaction pays to begin. */
async function allowedExecution(charter: Charter): Promise<number> {
  const settings = [...POLICY, { kind: SettingKind.AcceptBootInfo, key: ZeroHash, value: 1n }];
  const app = await createApp(charter, { settings, salt: id("boot info") });
  const bootInfo = {
    appId: await app.getAddress(),
    composeHash: COMPOSE_HASH,
    instanceId: `0x${"11".repeat(20)}`,
    deviceId: PLATFORM,
    mrAggregated: id("aggregated"),
    mrSystem: id("system"),
    osImageHash: OS_IMAGE,
    tcbStatus: "UpToDate",
    advisoryIds: [],
  };
  const auth = (await charter.connection.ethers.getContractAt(
    "IAppAuth",
    await app.getAddress(),
  )) as unknown as IAppAuth;
  const [allowed, reason] = await auth.isAppAllowed(bootInfo);
  if (!allowed) throw new Error(`app.allowed: denied, ${reason}`);
  const call = await auth.isAppAllowed.populateTransaction(bootInfo);
  const sent = await (await charter.stranger.sendTransaction(call)).wait();
  const trace = (await charter.connection.provider.request({
    method: "debug_traceTransaction",
    params: [sent?.hash, { disableMemory: true, disableStack: true, disableStorage: true }],
  })) as { structLogs: readonly { gas: number; gasCost: number; depth: number }[] };
  const first = trace.structLogs[0];
  const last = trace.structLogs.at(-1);
  if (!first || last?.depth !== first.depth)
    throw new Error("app.allowed: the trace has no beginning or no end");
  return first.gas - last.gas + last.gasCost;
}

/** Every block comes 12 seconds after the last. The function that it returns lets more time pass before the next. */
function fixBlockTimes({ provider }: Connection): (seconds: number) => void {
  let time = Date.parse("2026-01-01T00:01:00Z") / 1000;
  const request = provider.request.bind(provider);
  provider.request = async (args) => {
    if (args.method === "eth_sendTransaction" || args.method === "eth_sendRawTransaction") {
      time += SECONDS_PER_BLOCK;
      await request({ method: "evm_setNextBlockTimestamp", params: [time] });
    }
    return request(args) as Promise<unknown>;
  };
  return (seconds) => {
    time += seconds;
  };
}
