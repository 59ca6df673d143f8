import { createHash } from "node:crypto";

import { CharterError, isCharterError } from "../../../protocol/errors/CharterError.ts";
import type { Manifest } from "../../../protocol/manifest/manifest.ts";
import { shown } from "../../../protocol/manifest/plain.ts";
import { aboutManifest } from "../../../protocol/note/aboutManifest.ts";
import { MAX_NOTE_BYTES, parseNote, type Note } from "../../../protocol/note/note.ts";
import { toHex, type Bytes32 } from "../../../protocol/words/hex.ts";
import { fetchBytes, type BytePlaces } from "../sources/fetchBytes.ts";
import { askDigests, NO_NOTE, type ThisRelease } from "./askDigests.ts";
import type { NoteStanding, Tried } from "./NoteStanding.ts";

export interface NoteOptions {
  readonly places: BytePlaces;
  readonly release: ThisRelease;
  /** The measured one: what a note tells of it must be so. */
  readonly manifest: Manifest;
}

/** Of what a note contradicts: whoever wrote it decides how much there is. */
const MAX_REASONS = 5;
const MAX_REASON_CHARACTERS = 200;

/**
 * Has the release's note by its digest from whoever has it, and holds it against the measured manifest. Relayers name the
 * digest; where one that they name leads to a note that contradicts, their word is none, and the next one counts.
 */
export async function readNote(
  { places, release, manifest }: NoteOptions,
  signal: AbortSignal,
): Promise<NoteStanding> {
  const { words, tried } = await askDigests(places.relayers, release, signal);
  const asked = words.flatMap(([, toldBy]) => toldBy);
  const found: { contradicting?: NoteStanding; missing?: NoteStanding } = {};
  let fewest = 0;
  for (const [digest, toldBy] of words) {
    // A note that is only missing may be the right one: fewer relayers do not outvote those who name it.
    if (toldBy.length < fewest) break;
    const told = { digest, toldBy, toldOtherwise: asked.filter((url) => !toldBy.includes(url)) };
    if (digest === NO_NOTE) return { note: "none", toldBy, toldOtherwise: told.toldOtherwise };
    const outcome = await fetchNote(places, digest, manifest, signal);
    if ("title" in outcome) return { note: "good", ...told, title: shown(outcome.title) };
    if ("why" in outcome) found.contradicting ??= { note: "contradicts", ...told, ...outcome };
    else {
      fewest = toldBy.length;
      found.missing ??= { note: "missing", digest, tried: outcome.tried };
    }
  }
  return found.contradicting ?? found.missing ?? { note: "missing", digest: null, tried };
}

type Outcome =
  Note | { readonly code: string; readonly why: readonly string[] } | { readonly tried: readonly Tried[] };

async function fetchNote(
  places: BytePlaces,
  digest: Bytes32,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<Outcome> {
  let contradiction: CharterError | undefined;
  const check = (bytes: Uint8Array, source: string): Note => {
    requireDigest(bytes, digest, source);
    // The same bytes again: what they are worth is known, and comparing takes its time.
    if (contradiction !== undefined) throw contradiction;
    try {
      return requireTells(parseNote(bytes), manifest);
    } catch (error) {
      if (isCharterError(error)) contradiction = error;
      throw error;
    }
  };
  try {
    return await fetchBytes(places, { digest, maxBytes: MAX_NOTE_BYTES, check }, signal);
  } catch (error) {
    if (!isCharterError(error)) throw error;
    if (contradiction !== undefined) return { code: contradiction.code, why: reasons(contradiction) };
    return { tried: error.details["tried"] as Tried[] };
  }
}

function requireDigest(bytes: Uint8Array, expected: Bytes32, source: string): void {
  const actual = toHex(createHash("sha256").update(bytes).digest());
  if (actual === expected) return;
  throw new CharterError("note/wrong-hash", "these are not the bytes of that note", {
    expected,
    actual,
    source,
  });
}

function requireTells(note: Note, manifest: Manifest): Note {
  const disagreements = aboutManifest(note, manifest);
  if (disagreements.length === 0) return note;
  throw new CharterError("note/disagrees", "the note tells of another manifest", { disagreements });
}

/** For logs and terminals: what a note has in it is anybody's text. */
function reasons({ message, details }: CharterError): string[] {
  const all = details["disagreements"] ?? details["issues"] ?? [message];
  return (all as string[]).slice(0, MAX_REASONS).map((text) => shown(text.slice(0, MAX_REASON_CHARACTERS)));
}
