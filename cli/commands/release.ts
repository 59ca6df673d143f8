import type { Command } from "commander";
import { parseEventLogs } from "viem";

import { appAbi } from "../../protocol/abi/app.ts";
import { headAt, isAllowedAt, releasesAt } from "../../protocol/policy/releases.ts";
import { NEVER, type AppState, type Release } from "../../protocol/state/types.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { requireApp } from "../support/chainState.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { describeManifest, manifestBytes, type ManifestOptions } from "../support/manifest.ts";
import { noteBytes } from "../support/note.ts";
import { table, timeText } from "../support/output.ts";
import { fetchByDigest, publish, sha256 } from "../support/publish.ts";
import { send } from "../support/send.ts";
import { addressOption, repeat, wholeNumber } from "../support/values.ts";

interface ProposeOptions extends ManifestOptions {
  readonly note?: string;
  readonly title?: string;
  readonly grace: number;
  readonly expect?: number;
}

/** `charter release propose|veto|revoke|list`. */
export function addReleaseCommands(program: Command): void {
  const release = program.command("release").description("numbered entries of an app's history");
  release
    .command("propose")
    .description("publish a manifest and its note, and propose it as the next release")
    .argument("<app>", "address", addressOption)
    .option("--manifest <file>", "app-compose.json: exactly these bytes are the release")
    .option("--compose <file>", "Compose file to make a manifest of")
    .option("--name <name>", "name in a manifest made from --compose")
    .option("--lease-signer <address>", "who may lease (repeatable)", repeat(addressOption))
    .option("--max-lease-seconds <n>", "longest lease", wholeNumber)
    .option("--note <file>", "release note (JSON)")
    .option("--title <text>", "title of a note made here")
    .option("--grace <seconds>", "how long the predecessor stays allowed after activation", wholeNumber, 0)
    .option("--expect <number>", "head that this must follow (default: today's)", wholeNumber)
    .action(async (app: Address, options: ProposeOptions, command: Command) => {
      const context = contextOf(command);
      const client = await context.client();
      const { bytes, manifest } = manifestBytes(options);
      const note = noteBytes(options, `Next release of ${manifest.name}`);
      const composeHash = sha256(bytes);
      context.out.note(`${describeManifest(manifest)}\ncompose hash ${composeHash}`);
      await publish(context, bytes);
      await publish(context, note);
      // What stands at the relayer under this hash is what anyone will review: the same bytes, or no proposal.
      await fetchByDigest(context, composeHash);
      const expected =
        options.expect ?? (await client.readContract({ address: app, abi: appAbi, functionName: "head" }));
      const { hash, receipt } = await send(context, {
        address: app,
        abi: appAbi,
        functionName: "propose",
        args: [composeHash, sha256(note), expected, options.grace],
      });
      const [proposed] = parseEventLogs({ abi: appAbi, eventName: "ReleaseProposed", logs: receipt.logs });
      if (!proposed)
        throw new CliError(ExitCode.Internal, "cli/internal", "expected the event ReleaseProposed");
      const { number, activatesAt } = proposed.args;
      context.out.result(
        { app, release: number, composeHash, noteDigest: sha256(note), activatesAt, transaction: hash },
        `release ${number} of ${app}, after ${expected === 0 ? "no head" : `release ${expected}`}\n` +
          `compose hash ${composeHash}\nactive from ${timeText(activatesAt)}\ntransaction ${hash}`,
      );
    });
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
        const { hash } = await send(context, {
          address: app,
          abi: appAbi,
          functionName: name,
          args: [number],
        });
        context.out.result(
          { app, release: number, transaction: hash },
          `${name} of release ${number}\ntransaction ${hash}`,
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
