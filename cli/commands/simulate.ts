import type { Command } from "commander";
import { BaseError, ContractFunctionRevertedError } from "viem";

import { appAbi } from "../../protocol/abi/app.ts";
import type { Change } from "../../protocol/policy/change.ts";
import type { SettingKind } from "../../protocol/policy/settingKind.ts";
import { ZERO_KEY } from "../../protocol/policy/settings.ts";
import type { Address, ComposeHash } from "../../protocol/words/hex.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, type Context } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { changeOf } from "../support/governance/changeOf.ts";
import { governorOf } from "../support/governance/governorOf.ts";
import { requireProposal, type Proposal } from "../support/governance/proposals.ts";
import { manifestBytes, type ManifestOptions } from "../support/manifest.ts";
import { sha256 } from "../support/publish.ts";
import { requireAccepted, startOf, told, type Start } from "../support/simulation.ts";
import {
  addressOption,
  proposalOption,
  settingOption,
  wholeNumber,
  type SettingTuple,
} from "../support/values.ts";
import { addManifestOptions } from "./releasePropose.ts";

interface PolicyOptions {
  readonly tighten?: boolean;
  readonly loosen?: boolean;
  readonly at?: number;
}
interface ReleaseOptions extends ManifestOptions {
  readonly revoke?: number;
  readonly grace: number;
  readonly at?: number;
}
const AT = [
  "--at <time>",
  "unix seconds at which it is made (default: the newest block's)",
  wholeNumber,
] as const;

/** `charter simulate policy|release|proposal`: what a change would stop, before anybody decides. Sends nothing. */
export function addSimulateCommands(program: Command): void {
  const parent = program
    .command("simulate")
    .description("which live instances a change would stop, and which nodes it would shut out");
  parent
    .command("policy")
    .description("a change of policy entries")
    .argument("<app>", "address", addressOption)
    .argument("<entries...>", "Kind=value or Kind:key=value, as for settings")
    .option("--tighten", "in force at once")
    .option("--loosen", "in force after the notice (default: whichever of both the contract accepts)")
    .option(...AT)
    .action(async (app: Address, entries: string[], options: PolicyOptions, command: Command) => {
      const context = contextOf(command);
      const start = await startOf(context, options.at);
      const change = await policyChange(context, start, app, entries.map(settingOption), options);
      const { json, text } = told(context, start, app, [change]);
      context.out.result(json, `${change.action}: ${entries.join(" ")}\n${text}`);
    });
  addManifestOptions(
    parent
      .command("release")
      .description("a release proposed (from a manifest or a Compose file), or revoked")
      .argument("<app>", "address", addressOption)
      .option("--revoke <number>", "end this release", wholeNumber)
      .option("--grace <seconds>", "how long the predecessor stays allowed after activation", wholeNumber, 0)
      .option(...AT),
  ).action(async (app: Address, options: ReleaseOptions, command: Command) => {
    const context = contextOf(command);
    const start = await startOf(context, options.at);
    const change = await releaseChange(context, start, app, options);
    const { json, text } = told(context, start, app, [change]);
    context.out.result(json, text);
  });
  parent
    .command("proposal")
    .description("a Governor's proposal, as if it were executed")
    .argument("<proposal>", "id", proposalOption)
    .option(...AT)
    .action(async (id: bigint, options: { at?: number }, command: Command) => {
      const context = contextOf(command);
      const proposal = await requireProposal(context, governorOf(context), id);
      const start = await startOf(context, options.at);
      const apps = [...changesOf(proposal, start)].map(([app, changes]) =>
        told(context, start, app, changes),
      );
      context.out.result(
        { proposal: id, apps: apps.map(({ json }) => json) },
        apps.map(({ text }) => text).join("\n\n"),
      );
    });
}

/** The contract, not a copy of its rules, says whether entries tighten or loosen. */
async function policyChange(
  context: Context,
  start: Start,
  app: Address,
  entries: readonly SettingTuple[],
  { tighten, loosen }: PolicyOptions,
): Promise<Change> {
  if (tighten && loosen) {
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --tighten or --loosen, not both");
  }
  const changes = entries.map((entry) => ({ ...entry, kind: entry.kind as SettingKind }));
  if (!loosen) {
    try {
      await requireAccepted(context, start, app, "tighten", [entries]);
      return { action: "tighten", entries: changes };
    } catch (error) {
      if (tighten || !isNotATightening(error)) throw error;
    }
  }
  await requireAccepted(context, start, app, "loosen", [entries]);
  return { action: "loosen", entries: changes };
}

async function releaseChange(
  context: Context,
  start: Start,
  app: Address,
  options: ReleaseOptions,
): Promise<Change> {
  const { revoke, grace } = options;
  if (revoke !== undefined) {
    if (options.compose !== undefined || options.manifest !== undefined) {
      throw new CliError(ExitCode.Usage, "cli/usage", "expected --revoke or a manifest, not both");
    }
    await requireAccepted(context, start, app, "revoke", [revoke]);
    return { action: "revoke", release: revoke };
  }
  const composeHash = sha256(manifestBytes(options).bytes);
  const client = await context.client();
  const head = await client.readContract({ address: app, abi: appAbi, functionName: "head" });
  await requireAccepted(context, start, app, "propose", [composeHash, ZERO_KEY, head, grace]);
  return { action: "propose", composeHash: composeHash as string as ComposeHash, graceSeconds: grace };
}

/** @throws CliError `simulate/not-a-change` for a call that changes no app's policy or releases. */
function changesOf({ calls }: Proposal, { state }: Start): Map<Address, Change[]> {
  const byApp = new Map<Address, Change[]>();
  for (const call of calls) {
    const change = state.apps.has(call.to) ? changeOf(call) : null;
    if (change === null) {
      throw new CliError(
        ExitCode.Refused,
        "simulate/not-a-change",
        "expected calls that change an app's policy or its releases",
        { ...call, value: call.value.toString() },
      );
    }
    byApp.set(call.to, [...(byApp.get(call.to) ?? []), change]);
  }
  return byApp;
}

function isNotATightening(error: unknown): boolean {
  const reverted =
    error instanceof BaseError ? error.walk((cause) => cause instanceof ContractFunctionRevertedError) : null;
  return reverted instanceof ContractFunctionRevertedError && reverted.data?.errorName === "NotATightening";
}
