import type { Command } from "commander";

import { appAbi } from "../../protocol/abi/app.ts";
import { headAt, isAllowedAt, releasesAt } from "../../protocol/policy/releases.ts";
import { NEVER, type AppState, type Release } from "../../protocol/state/types.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { act } from "../support/act.ts";
import { requireApp } from "../support/chainState.ts";
import { contextOf } from "../support/context.ts";
import { table, timeText } from "../support/output.ts";
import { addressOption, wholeNumber } from "../support/values.ts";
import { addProposeOptions, proposeRelease, type ProposeOptions } from "./releasePropose.ts";

/** `charter release propose|veto|revoke|list`. */
export function addReleaseCommands(program: Command): void {
  const release = program.command("release").description("numbered entries of an app's history");
  addProposeOptions(
    release
      .command("propose")
      .description("publish a manifest and its note, and propose it as the next release"),
  ).action((app: Address, options: ProposeOptions, command: Command) =>
    proposeRelease(contextOf(command), app, options),
  );
  for (const [name, description] of [
    ["veto", "withdraw a pending release (owner or guardian)"],
    ["revoke", "end a release in this block (owner or guardian)"],
  ] as const) {
    release
      .command(name)
      .description(description)
      .argument("<app>", "address", addressOption)
      .argument("<number>", "release", wholeNumber)
      .action(async (app: Address, number: number, _options: object, command: Command) => {
        const context = contextOf(command);
        const sent = await act(
          context,
          { address: app, abi: appAbi, functionName: name, args: [number] },
          { title: `${name} release ${number} of ${app}` },
        );
        if (sent === null) return;
        context.out.result(
          { app, release: number, transaction: sent.hash },
          `${name} of release ${number}\ntransaction ${sent.hash}`,
        );
      });
  }
  release
    .command("list")
    .description("every release, from the app's events")
    .argument("<app>", "address", addressOption)
    .action(async (app: Address, _options: object, command: Command) => {
      const context = contextOf(command);
      const { state, time } = await requireApp(context, app);
      const releases = releasesAt(state, time);
      context.out.result(
        {
          app,
          time,
          releases: releases.map((one) => ({ ...one, endsAt: one.endsAt === NEVER ? null : one.endsAt })),
        },
        releasesText(state, time),
      );
    });
}

/** Releases for people, with their state at `time` (unix seconds). */
export function releasesText(app: AppState, time: number): string {
  const rows = releasesAt(app, time).map((one) => [
    String(one.number),
    stateAt(app, one, time),
    timeText(one.activatesAt),
    timeText(one.endsAt),
    one.composeHash,
  ]);
  return table(["release", "state", "active from", "until", "compose hash"], rows);
}

/** In grace is what stays allowed beside a head; a head whose successor is only pending is still active. */
function stateAt(app: AppState, release: Release, time: number): string {
  if (release.vetoed) return "vetoed";
  if (release.revoked) return "revoked";
  if (release.lapsed) return "lapsed";
  if (time < release.activatesAt) return "pending";
  if (!isAllowedAt(release, time)) return "ended";
  return headAt(app, time)?.number === release.number ? "active" : "in grace";
}
