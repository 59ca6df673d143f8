import type { Command } from "commander";
import { parseEventLogs } from "viem";

import { appAbi } from "../../protocol/abi/app.ts";
import { parseNote } from "../../protocol/note/note.ts";
import { headAt } from "../../protocol/policy/releases.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { act } from "../support/act.ts";
import { requireApp } from "../support/chainState.ts";
import { CliError } from "../support/CliError.ts";
import type { Context } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { addHeldOptions } from "../support/heldOptions.ts";
import { manifestBytes, type ManifestOptions } from "../support/manifest.ts";
import { noteBytes } from "../support/note.ts";
import { timeText } from "../support/output.ts";
import { standingText } from "../support/provenance/standing.ts";
import { publish, sha256 } from "../support/publish.ts";
import { manifestOf, releaseChanges } from "../support/releaseChanges.ts";
import { reviewPropose } from "../support/reviewPropose.ts";
import { addressOption, repeat, wholeNumber } from "../support/values.ts";

export interface ProposeOptions extends ManifestOptions {
  readonly note?: string;
  readonly title?: string;
  readonly grace: number;
  readonly expect?: number;
}

/** What a proposal of a release is made of, whoever decides about it. */
export function addProposeOptions(command: Command): Command {
  return addManifestOptions(command.argument("<app>", "address", addressOption))
    .option("--note <file>", "release note (JSON)")
    .option("--title <text>", "title of a note made here")
    .option("--grace <seconds>", "how long the predecessor stays allowed after activation", wholeNumber, 0)
    .option("--expect <number>", "head that this must follow (default: today's)", wholeNumber);
}

/** Where a manifest comes from: ready bytes, or a Compose file. */
export function addManifestOptions(command: Command): Command {
  return addHeldOptions(command)
    .option("--manifest <file>", "app-compose.json: exactly these bytes are the release")
    .option("--compose <file>", "Compose file to make a manifest of")
    .option("--name <name>", "name in a manifest made from --compose")
    .option("--lease-signer <address>", "who may lease (repeatable)", repeat(addressOption))
    .option("--max-lease-seconds <n>", "longest lease", wholeNumber)
    .option(
      "--allow-unpinned-images",
      "images may be named by tag: whoever serves them can change what runs",
    );
}

/** Publishes manifest and note, shows what changes, and proposes the release. */
export async function proposeRelease(context: Context, app: Address, options: ProposeOptions): Promise<void> {
  const { bytes, manifest } = manifestBytes(options);
  const note = noteBytes(options, `Next release of ${manifest.name}`);
  const { title } = parseNote(note);
  const composeHash = sha256(bytes);
  const { state, time } = await requireApp(context, app);
  const expected = options.expect ?? headAt(state, time)?.number ?? 0;
  const predecessor = await manifestOf(context, state.releases[expected - 1]);
  const text = releaseChanges(predecessor, manifest);
  context.out.note(`${text}\ncompose hash ${composeHash}`);
  await publish(context, bytes);
  await publish(context, note);
  // What stands at the relayer under these hashes is what anyone will review: the same bytes, and a note that tells of
  // them, or no proposal.
  const review = { composeHash, noteDigest: sha256(note), predecessor: expected };
  const { provenance } = await reviewPropose(context, app, review);
  context.out.note(standingText(provenance));
  const sent = await act(
    context,
    {
      address: app,
      abi: appAbi,
      functionName: "propose",
      args: [composeHash, sha256(note), expected, options.grace],
    },
    { title, text },
  );
  if (sent === null) return;
  const [proposed] = parseEventLogs({ abi: appAbi, eventName: "ReleaseProposed", logs: sent.receipt.logs });
  if (!proposed) throw new CliError(ExitCode.Internal, "cli/internal", "expected the event ReleaseProposed");
  const { number, activatesAt } = proposed.args;
  context.out.result(
    {
      app,
      release: number,
      composeHash,
      noteDigest: sha256(note),
      provenance,
      activatesAt,
      transaction: sent.hash,
    },
    `release ${number} of ${app}, after ${expected === 0 ? "no head" : `release ${expected}`}\n` +
      `compose hash ${composeHash}\nactive from ${timeText(activatesAt)}\ntransaction ${sent.hash}`,
  );
}
