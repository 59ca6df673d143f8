import { shown } from "../../../protocol/manifest/index.ts";
import type { Note } from "../../../protocol/note/note.ts";
import type { Identity } from "../../../protocol/note/provenance.ts";
import { CliError } from "../CliError.ts";
import { ExitCode } from "../exitCodes.ts";
import { readJson } from "../jsonFile.ts";
import { sha256 } from "../publish.ts";

/** How far a note's provenance was looked at. Only `verified` says that anybody signed anything. */
export interface Standing {
  readonly status: "verified" | "not-checked";
  readonly identity: Identity;
  /** Of an attestation about the manifest; null where the manifest itself is signed, or nobody looked. */
  readonly predicateType: string | null;
}

/** Against what a bundle is verified: a file's trusted root, the public Sigstore's over the network, or nothing yet. */
export type Roots = { readonly file: string } | "network" | "none";

/**
 * What a note's provenance is worth for a manifest. Without roots it must still be about this manifest.
 * @returns null for a note without provenance, unless roots are given: who asks for a check gets one or a refusal.
 * @throws CliError `note/no-provenance`, and what `requireCovers`, `verifyProvenance` and the verifiers throw.
 */
export async function provenanceStanding(
  { provenance }: Note,
  manifest: Uint8Array,
  roots: Roots,
): Promise<Standing | null> {
  if (provenance === undefined) {
    if (roots === "none") return null;
    throw new CliError(ExitCode.Refused, "note/no-provenance", "expected a note with provenance to verify");
  }
  // Loaded for the few that have one.
  if (roots === "none") {
    const { requireCovers } = await import("./covers.ts");
    return { status: "not-checked", ...requireCovers(provenance, sha256(manifest)) };
  }
  const { offlineVerifier, onlineVerifier } = await import("./trust.ts");
  const { verifyProvenance } = await import("./verify.ts");
  const { identity } = provenance;
  const verifier =
    roots === "network" ? await onlineVerifier(identity) : offlineVerifier(readJson(roots.file), identity);
  return { status: "verified", ...verifyProvenance(provenance, manifest, verifier) };
}

/** One line for people. Names come from others. */
export function standingText(standing: Standing | null): string {
  if (standing === null) return "provenance: none";
  const { status, identity, predicateType } = standing;
  const who = `${actOf(predicateType)} ${shown(identity.subject)}, issuer ${shown(identity.issuer)}`;
  return status === "verified"
    ? `provenance: verified: ${who}`
    : `provenance: not checked (give --trusted-root); the note claims: ${who}`;
}

/** Only SLSA's provenance says who built something; other predicates may say anything about it. */
function actOf(predicateType: string | null): string {
  if (predicateType === null) return "signed by";
  if (predicateType.startsWith("https://slsa.dev/provenance/")) return "built by";
  return `attested (${shown(predicateType)}) by`;
}
