import type { Command } from "commander";

import { appAbi } from "../../protocol/abi/app.ts";
import { effectiveSetting } from "../../protocol/policy/settings.ts";
import type { SettingKind } from "../../protocol/policy/settingKind.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import type { AppState } from "../../protocol/state/types.ts";
import { act } from "../support/act.ts";
import { requireApp } from "../support/chainState.ts";
import { contextOf } from "../support/context.ts";
import { table, timeText } from "../support/output.ts";
import {
  addressOption,
  entryOption,
  entryText,
  settingOption,
  settingText,
  type EntryName,
  type SettingTuple,
} from "../support/values.ts";

/** `charter settings tighten|loosen|cancel|list`. */
export function addSettingsCommands(program: Command): void {
  const settings = program.command("settings").description("an app's policy, entry by entry");
  for (const [name, description] of [
    ["tighten", "in force at once"],
    ["loosen", "in force after the notice"],
  ] as const) {
    settings
      .command(name)
      .description(`${name} entries, ${description}`)
      .argument("<app>", "address", addressOption)
      .argument("<entries...>", "Kind=value or Kind:key=value, e.g. Notice=3600 TcbStatus:OutOfDate=1")
      .action(async (app: Address, entries: string[], _options: object, command: Command) => {
        const context = contextOf(command);
        const changes: SettingTuple[] = entries.map(settingOption);
        const text = changes.map(({ kind, key, value }) => settingText(kind, key, value)).join("\n");
        const sent = await act(
          context,
          { address: app, abi: appAbi, functionName: name, args: [changes] },
          { title: `${name} the policy of ${app}`, text: `${description}:\n${text}` },
        );
        if (sent === null) return;
        context.out.result({ app, changes, transaction: sent.hash }, `${text}\ntransaction ${sent.hash}`);
      });
  }
  settings
    .command("cancel")
    .description("take a loosening back that is not in force yet (owner or guardian)")
    .argument("<app>", "address", addressOption)
    .argument("<entry>", "Kind or Kind:key, e.g. Notice or TcbStatus:OutOfDate", entryOption)
    .action(async (app: Address, { kind, key }: EntryName, _options: object, command: Command) => {
      const context = contextOf(command);
      const sent = await act(
        context,
        { address: app, abi: appAbi, functionName: "cancelLoosening", args: [kind, key] },
        { title: `Cancel a loosening of ${app}`, text: entryText(kind, key) },
      );
      if (sent === null) return;
      context.out.result({ app, kind, key, transaction: sent.hash }, `cancelled\ntransaction ${sent.hash}`);
    });
  settings
    .command("list")
    .description("every entry that was ever set: value in force and pending loosening")
    .argument("<app>", "address", addressOption)
    .action(async (app: Address, _options: object, command: Command) => {
      const context = contextOf(command);
      const { state, time } = await requireApp(context, app);
      const entries = settingsAt(state, time);
      context.out.result({ app, time, entries }, settingsText(entries));
    });
}

/** An entry as of one time. */
export interface SettingView {
  readonly kind: SettingKind;
  readonly key: Bytes32;
  readonly value: bigint;
  readonly pending: { readonly value: bigint; readonly effectiveAt: number } | null;
  readonly text: string;
}

/** Every entry that was ever set, with its value in force at `time` (unix seconds). */
export function settingsAt(state: AppState, time: number): SettingView[] {
  return [...state.settings.entries()].map(([id, entry]) => {
    const [number, key] = id.split(":") as [string, Bytes32];
    const kind = Number(number) as SettingKind;
    const value = effectiveSetting(state, kind, key, time);
    const pending = entry.pending && entry.pending.effectiveAt > time ? entry.pending : null;
    return { kind, key, value, pending, text: settingText(kind, key, value) };
  });
}

/** Settings for people. */
export const settingsText = (entries: readonly SettingView[]): string =>
  table(
    ["in force", "pending"],
    entries.map(({ text, pending }) => [
      text,
      pending ? `${pending.value} from ${timeText(pending.effectiveAt)}` : "",
    ]),
  );
