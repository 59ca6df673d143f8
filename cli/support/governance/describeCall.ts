import type { Abi } from "viem";

import { advisorySetsAbi } from "../../../protocol/abi/advisorySets.ts";
import { appAbi } from "../../../protocol/abi/app.ts";
import { appRegistryAbi } from "../../../protocol/abi/appRegistry.ts";
import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import { committeeDisputesAbi } from "../../../protocol/abi/committeeDisputes.ts";
import { committeeVerifierAbi } from "../../../protocol/abi/committeeVerifier.ts";
import { dcapCollateralAbi } from "../../../protocol/abi/dcapCollateral.ts";
import { dcapVerifierAbi } from "../../../protocol/abi/dcapVerifier.ts";
import { endorsementsAbi } from "../../../protocol/abi/endorsements.ts";
import { governorAbi } from "../../../protocol/abi/governor.ts";
import { nodeRegistryAbi } from "../../../protocol/abi/nodeRegistry.ts";
import { timelockAbi } from "../../../protocol/abi/timelock.ts";
import { votesAbi } from "../../../protocol/abi/votes.ts";
import { zkVerifierAbi } from "../../../protocol/abi/zkVerifier.ts";
import type { Deployment } from "../../../protocol/deployment/deployment.ts";
import { Level, nameOf } from "../../../protocol/words/enums.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import type { Context } from "../context.ts";
import { toJson } from "../output.ts";
import { entryText, settingText, type SettingTuple } from "../values.ts";
import { decodeCall, type DecodedCall, type RawCall } from "./calls.ts";

/** A call in words. `contract` and `decoded` are null for what is none of ours, or no exact call of it. */
export interface DescribedCall extends RawCall {
  readonly contract: string | null;
  readonly decoded: DecodedCall | null;
  readonly text: string;
}

const ABIS = {
  appRegistry: appRegistryAbi,
  nodeRegistry: nodeRegistryAbi,
  attestationLedger: attestationLedgerAbi,
  committeeVerifier: committeeVerifierAbi,
  committeeDisputes: committeeDisputesAbi,
  dcapCollateral: dcapCollateralAbi,
  dcapVerifier: dcapVerifierAbi,
  zkVerifier: zkVerifierAbi,
  advisorySets: advisorySetsAbi,
  endorsements: endorsementsAbi,
  timelock: timelockAbi,
  governor: governorAbi,
  votes: votesAbi,
} as const satisfies Partial<Record<keyof Deployment, Abi>>;

/** What a call would do, by the ABI of the contract that stands at its target: an app of the registry or one of ours. */
export async function describeCall(context: Context, call: RawCall): Promise<DescribedCall> {
  const found = await contractAt(context, call);
  const decoded = found ? decodeCall(found.abi, call.data) : null;
  const contract = found?.name ?? null;
  const value = call.value === 0n ? "" : `, with ${call.value} wei`;
  const lines = decoded
    ? [
        `${contract ?? ""} ${call.to}: ${decoded.functionName}${value}`,
        ...wordsOf(decoded).map((line) => `  ${line}`),
      ]
    : [
        `${contract ?? "an unknown contract,"} ${call.to}: a call that is not understood${value}`,
        `  ${call.data}`,
      ];
  return { ...call, contract, decoded, text: lines.join("\n") };
}

async function contractAt(context: Context, { to }: RawCall): Promise<{ name: string; abi: Abi } | null> {
  const deployment = context.deployment();
  for (const [name, abi] of Object.entries(ABIS) as [keyof typeof ABIS, Abi][]) {
    if (deployment[name] === to) return { name, abi };
  }
  const client = await context.client();
  const isApp = await client.readContract({
    address: deployment.appRegistry,
    abi: appRegistryAbi,
    functionName: "isApp",
    args: [to],
  });
  return isApp ? { name: "app", abi: appAbi } : null;
}

function wordsOf({ args }: DecodedCall): string[] {
  const [first, second] = args;
  if (first?.name === "changes") {
    return (first.value as readonly SettingTuple[]).map(({ kind, key, value }) =>
      settingText(kind, key, value),
    );
  }
  if (first?.name === "kind" && second?.name === "key") {
    return [entryText(first.value as number, second.value as Bytes32)];
  }
  if (first?.name === "newLevel") return [`level ${nameOf(Level, first.value as Level)}`];
  return args.map(({ name, value }) => `${name} ${typeof value === "string" ? value : toJson(value)}`);
}
