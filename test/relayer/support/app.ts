import { parseEventLogs } from "viem";

import { appRegistryAbi } from "../../../protocol/abi/appRegistry.ts";
import { numberKey, ZERO_KEY } from "../../../protocol/policy/settings.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { TcbStatus, TeeKind } from "../../../protocol/words/enums.ts";
import type { ProofSystem } from "../../../protocol/words/enums.ts";
import type { Address, Bytes32, ComposeHash, PlatformId } from "../../../protocol/words/hex.ts";
import { SIMULATED_IMAGE } from "../../../worker/tee/simulator/measurements.ts";
import { addressOf, type Stack } from "./stack.ts";

interface Options {
  readonly composeHash: ComposeHash;
  readonly noteDigest: Bytes32;
  /** One platform, or several. */
  readonly platformId: PlatformId | readonly PlatformId[];
  readonly proofSystems: readonly ProofSystem[];
  readonly salt?: number;
  /** Default: TDX, and the simulated TD's image. */
  readonly kind?: TeeKind;
  readonly image?: { readonly osImageHash: Bytes32; readonly measurementDigest: Bytes32 };
  readonly needsGpu?: boolean;
  readonly maxEvidenceAgeBlocks?: bigint;
}

/** Creates an app for simulated guests of one platform, with release 1 active; its address and the block of its creation. */
export async function createApp(
  { wallet, client, deployment }: Pick<Stack, "wallet" | "client" | "deployment">,
  options: Options,
): Promise<{ readonly app: Address; readonly blockNumber: bigint }> {
  const { composeHash, noteDigest, platformId, proofSystems, salt = 1 } = options;
  const { kind: tee = TeeKind.Tdx, image = SIMULATED_IMAGE, needsGpu = false } = options;
  const entry = (kind: number, key: Bytes32, value: bigint) => ({ kind, key, value });
  const settings = [
    entry(SettingKind.TeeKind, numberKey(tee), 1n),
    entry(SettingKind.TcbStatus, numberKey(TcbStatus.UpToDate), 1n),
    ...proofSystems.map((system) => entry(SettingKind.ProofSystem, numberKey(system), 1n)),
    entry(SettingKind.OsImage, image.osImageHash, BigInt(image.measurementDigest)),
    ...(needsGpu ? [entry(SettingKind.GpuRequired, ZERO_KEY, 1n)] : []),
    ...[platformId].flat().map((each) => entry(SettingKind.Node, each, 1n)),
    entry(SettingKind.MaxEvidenceAge, ZERO_KEY, options.maxEvidenceAgeBlocks ?? 200n),
    entry(SettingKind.AcceptBootInfo, ZERO_KEY, 1n),
  ];
  const hash = await wallet.writeContract({
    address: deployment.appRegistry,
    abi: appRegistryAbi,
    functionName: "createApp",
    args: [
      addressOf(0),
      `0x${"00".repeat(20)}`,
      { noticeSeconds: 0, graceSeconds: 60, composeHash, noteDigest, settings },
      numberKey(salt),
    ],
    chain: null,
    account: wallet.account!,
  });
  const { logs, blockNumber } = await client.waitForTransactionReceipt({ hash, pollingInterval: 100 });
  const [created] = parseEventLogs({ abi: appRegistryAbi, logs, eventName: "AppCreated" });
  return { app: created!.args.app.toLowerCase() as Address, blockNumber };
}
