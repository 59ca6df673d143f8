import { parseComposeFile } from "../../protocol/manifest/index.ts";
import { parseNote, type Note, type Recipe } from "../../protocol/note/note.ts";
import type { Provenance } from "../../protocol/note/provenance.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { CliError } from "./CliError.ts";
import { ExitCode } from "./exitCodes.ts";
import { git } from "./git.ts";
import { readJson } from "./jsonFile.ts";
import { askedFor, makeManifest, type ManifestOptions } from "./manifest.ts";
import { provenanceStanding, type Roots, type Standing } from "./provenance/standing.ts";
import { sha256 } from "./publish.ts";

/** A checkout, what of it a manifest is made of, and what is told besides. */
export interface NoteOptions extends Omit<ManifestOptions, "manifest"> {
  readonly repository: string;
  readonly compose: string;
  readonly name: string;
  readonly leaseSigner: readonly Address[];
  readonly maxLeaseSeconds: number;
  readonly title: string;
  readonly description?: string;
  /** File with a Sigstore bundle about the manifest, and whom its certificate names. */
  readonly provenance?: string;
  readonly provenanceIssuer?: string;
  readonly provenanceSubject?: string;
}

/** A note, and the manifest that it tells of. */
export interface CreatedNote {
  readonly note: Note;
  readonly manifest: Uint8Array;
  readonly composeHash: Bytes32;
  readonly provenance: Standing | null;
}

/**
 * Makes a note from a git checkout. The committed file counts, not what lies in the working tree: others can only get
 * the commit.
 * @throws CliError `git/…`, `note/no-image`, what `provenanceStanding` throws; CharterError `note/malformed`.
 */
export async function createNote(options: NoteOptions, roots: Roots): Promise<CreatedNote> {
  const { repository, compose, name, leaseSigner: leaseSigners, maxLeaseSeconds, title } = options;
  const say = async (...args: string[]) => (await git(["-C", repository, ...args])).toString("utf8").trim();
  const commit = await say("rev-parse", "--verify", "HEAD");
  const file = await git(["-C", repository, "cat-file", "blob", `HEAD:./${compose}`]);
  const prefix = await say("rev-parse", "--show-prefix");
  const launch = { name, leaseSigners: [...leaseSigners], maxLeaseSeconds, ...askedFor(options) };
  const { bytes, manifest } = makeManifest(file.toString("utf8"), launch);
  const origin = await say("config", "--get", "remote.origin.url").catch(() => "");
  const provenance = provenanceOf(options);
  const made: Note = {
    title,
    ...(options.description === undefined ? {} : { description: options.description }),
    source: {
      // Another checkout's path helps nobody else, but is the truth where there is no origin.
      repository: origin.startsWith("https://") ? origin : await say("rev-parse", "--show-toplevel"),
      commit,
      recipe: { compose: `${prefix}${compose}`, ...launch } as Recipe,
    },
    images: Object.entries(parseComposeFile(manifest.docker_compose_file).services).map(
      ([service, { image }]) => {
        if (typeof image !== "string") {
          throw new CliError(ExitCode.Refused, "note/no-image", "every service needs an image", { service });
        }
        return { service, image, digest: /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1] ?? null };
      },
    ),
    ...(provenance === null ? {} : { provenance }),
  };
  const note = parseNote(new TextEncoder().encode(JSON.stringify(made)));
  const standing = await provenanceStanding(note, bytes, roots);
  return { note, manifest: bytes, composeHash: sha256(bytes), provenance: standing };
}

/** The author says whose signature it is: a certificate that names somebody else is then found out, not taken over. */
function provenanceOf(options: NoteOptions): Provenance | null {
  const { provenance: path, provenanceIssuer: issuer, provenanceSubject: subject } = options;
  if (path === undefined && issuer === undefined && subject === undefined) return null;
  if (path === undefined || issuer === undefined || subject === undefined) {
    throw new CliError(
      ExitCode.Usage,
      "cli/usage",
      "expected --provenance, --provenance-issuer and --provenance-subject together",
    );
  }
  // Its shape is checked with the rest of the note.
  return {
    kind: "sigstore",
    bundle: readJson(path) as Provenance["bundle"],
    identity: { issuer, subject },
  };
}
