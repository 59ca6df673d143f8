import { parseManifest } from "../../protocol/manifest/index.ts";
import { aboutManifest } from "../../protocol/note/aboutManifest.ts";
import type { Note } from "../../protocol/note/note.ts";
import { CliError } from "./CliError.ts";
import { ExitCode } from "./exitCodes.ts";
import { provenanceStanding, type Roots, type Standing } from "./provenance/standing.ts";

/**
 * Does a note tell of the manifest with these bytes, and does its provenance?
 * @throws CliError `note/disagrees`, and what `provenanceStanding` throws.
 */
export async function requireTells(note: Note, manifest: Uint8Array, roots: Roots): Promise<Standing | null> {
  const disagreements = aboutManifest(note, parseManifest(manifest));
  if (disagreements.length > 0) {
    throw new CliError(ExitCode.Refused, "note/disagrees", "the note tells of another manifest", {
      disagreements,
    });
  }
  return provenanceStanding(note, manifest, roots);
}
