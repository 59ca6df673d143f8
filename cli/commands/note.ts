import { writeFileSync } from "node:fs";

import type { Command } from "commander";

import { MAX_NOTE_BYTES, parseNote, type Note } from "../../protocol/note/note.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, readBytes, type Context } from "../support/context.ts";
import { createNote, type NoteOptions } from "../support/createNote.ts";
import { addHeldOptions } from "../support/heldOptions.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { requireTells } from "../support/noteTells.ts";
import { standingText } from "../support/provenance/standing.ts";
import { addressOption, repeat, wholeNumber } from "../support/values.ts";

interface CreateOptions extends NoteOptions {
  readonly manifestOut?: string;
  readonly out?: string;
}

interface CheckOptions {
  readonly manifest?: string;
}

/** `charter note create|check`. */
export function addNoteCommands(program: Command): void {
  const note = program.command("note").description("what explains a release to people");
  addHeldOptions(note.command("create"))
    .description("make a note from a git checkout: its commit, and how the manifest follows from it")
    .requiredOption("--compose <path>", "Compose file, relative to the checkout")
    .requiredOption("--name <name>", "name in the manifest")
    .requiredOption("--lease-signer <address>", "who may lease (repeatable)", repeat(addressOption))
    .requiredOption("--title <text>", "one line")
    .option("--max-lease-seconds <n>", "longest lease", wholeNumber, 60)
    .option("--allow-unpinned-images", "images may be named by tag: whoever serves them can change what runs")
    .option("--repository <path>", "the checkout", ".")
    .option("--description <text>", "more than one line")
    .option("--provenance <file>", "Sigstore bundle 0.3 about the manifest: its bytes signed, or attested")
    .option("--provenance-issuer <url>", "issuer of the identity that signed it")
    .option("--provenance-subject <name>", "that identity: a workflow's URI, or a mail address")
    .option("--manifest-out <file>", "write the manifest here: its bytes are what a bundle signs")
    .option("--out <file>", "write the note here instead of printing it")
    .action((options: CreateOptions, command: Command) => create(contextOf(command), options));
  note
    .command("check")
    .description("does this file have the shape of a note? With --manifest: does it tell of this one?")
    .argument("<file>", "note (JSON)")
    .option(
      "--manifest <file>",
      "verify the note's provenance over these bytes: by --trusted-root alone, or by the public Sigstore's over the network",
    )
    .action((file: string, options: CheckOptions, command: Command) =>
      check(contextOf(command), file, options),
    );
}

async function create(context: Context, options: CreateOptions): Promise<void> {
  const made = await createNote(options, context.trustedRoot() ?? "none");
  const { note, composeHash, provenance } = made;
  const text = noteText(note);
  if (options.manifestOut) writeFileSync(options.manifestOut, made.manifest);
  if (options.out) writeFileSync(options.out, text);
  if (provenance !== null) context.out.note(standingText(provenance));
  context.out.result(
    { note, composeHash, provenance },
    options.out ? `${options.out}\n${composeHash}` : text,
  );
}

/** Indented for people, unless it is then longer than a note may be. */
function noteText(note: Note): string {
  const text = `${JSON.stringify(note, null, 2)}\n`;
  return Buffer.byteLength(text) <= MAX_NOTE_BYTES ? text : JSON.stringify(note);
}

async function check(context: Context, file: string, { manifest }: CheckOptions): Promise<void> {
  const note = parseNote(readBytes(file));
  const root = context.trustedRoot();
  if (manifest === undefined) {
    if (root !== null) {
      throw new CliError(ExitCode.Usage, "cli/usage", "expected --manifest too: a bundle is about its bytes");
    }
    const { provenance } = note;
    context.out.result(
      {
        note,
        provenance:
          provenance === undefined ? null : { status: "not-checked", identity: provenance.identity },
      },
      `${note.title}: well-formed\nprovenance: ${provenance === undefined ? "none" : "not checked (give --manifest)"}`,
    );
    return;
  }
  const standing = await requireTells(note, readBytes(manifest), root ?? "network");
  context.out.result({ note, provenance: standing }, `${note.title}: well-formed\n${standingText(standing)}`);
}
