import { writeFileSync } from "node:fs";

import type { Command } from "commander";

import { parseComposeFile } from "../../protocol/manifest/index.ts";
import { parseNote, type Note } from "../../protocol/note/note.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { CliError } from "../support/CliError.ts";
import { contextOf, readBytes } from "../support/context.ts";
import { ExitCode } from "../support/exitCodes.ts";
import { git } from "../support/git.ts";
import { makeManifest } from "../support/manifest.ts";
import { sha256 } from "../support/publish.ts";
import { addressOption, repeat, wholeNumber } from "../support/values.ts";

interface CreateOptions {
  readonly repository: string;
  readonly compose: string;
  readonly name: string;
  readonly leaseSigner: readonly Address[];
  readonly maxLeaseSeconds: number;
  readonly title: string;
  readonly description?: string;
  readonly out?: string;
}

/** `charter note create|check`. */
export function addNoteCommands(program: Command): void {
  const note = program.command("note").description("what explains a release to people");
  note
    .command("create")
    .description("make a note from a git checkout: its commit, and how the manifest follows from it")
    .requiredOption("--compose <path>", "Compose file, relative to the checkout")
    .requiredOption("--name <name>", "name in the manifest")
    .requiredOption("--lease-signer <address>", "who may lease (repeatable)", repeat(addressOption))
    .requiredOption("--title <text>", "one line")
    .option("--max-lease-seconds <n>", "longest lease", wholeNumber, 60)
    .option("--repository <path>", "the checkout", ".")
    .option("--description <text>", "more than one line")
    .option("--out <file>", "write the note here instead of printing it")
    .action(async (options: CreateOptions, command: Command) => {
      const { note: made, composeHash } = await createNote(options);
      const text = `${JSON.stringify(made, null, 2)}\n`;
      if (options.out) writeFileSync(options.out, text);
      contextOf(command).out.result(
        { note: made, composeHash },
        options.out ? `${options.out}\n${composeHash}` : text,
      );
    });
  note
    .command("check")
    .description("does this file have the shape of a note?")
    .argument("<file>", "note (JSON)")
    .action((file: string, _options: object, command: Command) => {
      const parsed = parseNote(readBytes(file));
      contextOf(command).out.result({ note: parsed }, `${parsed.title}: well-formed`);
    });
}

/** The committed file counts, not what lies in the working tree: others can only get the commit. */
async function createNote(options: CreateOptions): Promise<{ note: Note; composeHash: string }> {
  const { repository, compose, name, leaseSigner: leaseSigners, maxLeaseSeconds, title } = options;
  const say = async (...args: string[]) => (await git(["-C", repository, ...args])).toString("utf8").trim();
  const commit = await say("rev-parse", "--verify", "HEAD");
  const file = await git(["-C", repository, "cat-file", "blob", `HEAD:./${compose}`]);
  const prefix = await say("rev-parse", "--show-prefix");
  const { bytes, manifest } = makeManifest(file.toString("utf8"), { name, leaseSigners, maxLeaseSeconds });
  const origin = await say("config", "--get", "remote.origin.url").catch(() => "");
  const note: Note = {
    title,
    ...(options.description === undefined ? {} : { description: options.description }),
    source: {
      // Another checkout's path helps nobody else, but is the truth where there is no origin.
      repository: origin.startsWith("https://") ? origin : await say("rev-parse", "--show-toplevel"),
      commit,
      recipe: { compose: `${prefix}${compose}`, name, leaseSigners: [...leaseSigners], maxLeaseSeconds },
    },
    images: Object.entries(parseComposeFile(manifest.docker_compose_file).services).map(
      ([service, { image }]) => {
        if (typeof image !== "string") {
          throw new CliError(ExitCode.Refused, "note/no-image", "every service needs an image", { service });
        }
        return { service, image, digest: /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1] ?? null };
      },
    ),
  };
  return { note: parseNote(new TextEncoder().encode(JSON.stringify(note))), composeHash: sha256(bytes) };
}
