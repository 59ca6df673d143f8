import { parseManifest } from "../../protocol/manifest/index.ts";
import { aboutManifest } from "../../protocol/note/aboutManifest.ts";
import { parseNote, type Note } from "../../protocol/note/note.ts";
import type { AppState } from "../../protocol/state/types.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { requireApp } from "./chainState.ts";
import { CliError } from "./CliError.ts";
import type { Context } from "./context.ts";
import { ExitCode } from "./exitCodes.ts";
import { provenanceStanding, type Standing } from "./provenance/standing.ts";
import { fetchByDigest } from "./publish.ts";
import { manifestOf, releaseChanges } from "./releaseChanges.ts";

/** A call of `propose`, as its calldata says. */
export interface ProposeArguments {
  readonly composeHash: Bytes32;
  readonly noteDigest: Bytes32;
  /** Number of the head that it must follow; 0 for none. */
  readonly predecessor: number;
}

/** What the bytes behind a proposed release say. */
export interface ProposeReview {
  /** The note's title. */
  readonly title: string;
  /** Against the expected predecessor's manifest. */
  readonly changes: string;
  /** Who vouches for the manifest, and whether that was verified; null for a note that names nobody. */
  readonly provenance: Standing | null;
}

/**
 * Fetches manifest and note of a proposed release by the hashes in its calldata, recomputes the hashes, and compares
 * the three: what a note tells of a manifest must be so. Provenance must be about this manifest, and is verified where
 * `--trusted-root` is given.
 * @throws CliError `ipfs/hash-mismatch`, `release/note-disagrees`, `note/provenance-…`, `note/no-provenance`;
 * CharterError for malformed bytes.
 */
export async function reviewPropose(
  context: Context,
  app: Address,
  { composeHash, noteDigest, predecessor }: ProposeArguments,
): Promise<ProposeReview> {
  const bytes = await fetchByDigest(context, composeHash);
  const next = parseManifest(bytes);
  const note = parseNote(await fetchByDigest(context, noteDigest));
  const { state } = await requireApp(context, app);
  const disagreements = [...aboutPredecessor(note, state, predecessor), ...aboutManifest(note, next)];
  if (disagreements.length > 0) {
    throw new CliError(
      ExitCode.Refused,
      "release/note-disagrees",
      "the note tells of another release than the calldata proposes",
      { composeHash, noteDigest, disagreements },
    );
  }
  const provenance = await provenanceStanding(note, bytes, context.trustedRoot() ?? "none");
  const before = await manifestOf(context, state.releases[predecessor - 1]);
  return { title: note.title, changes: releaseChanges(before, next), provenance };
}

function aboutPredecessor(note: Note, { releases }: AppState, predecessor: number): string[] {
  const told = note.predecessor;
  const actual = releases[predecessor - 1]?.composeHash ?? "none";
  return told === undefined || told === actual
    ? []
    : [`predecessor: ${told} in the note, ${actual} in the call`];
}
