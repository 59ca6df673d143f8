import { parseManifest, type Manifest } from "../../protocol/manifest/index.ts";
import { parseNote, type Note } from "../../protocol/note/note.ts";
import type { AppState } from "../../protocol/state/types.ts";
import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { requireApp } from "./chainState.ts";
import { CliError } from "./CliError.ts";
import type { Context } from "./context.ts";
import { ExitCode } from "./exitCodes.ts";
import { servicesOf } from "./manifest.ts";
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
}

/**
 * Fetches manifest and note of a proposed release by the hashes in its calldata, recomputes the hashes, and compares
 * the three: what a note tells of a manifest must be so.
 * @throws CliError `ipfs/hash-mismatch`, `release/note-disagrees`; CharterError for malformed bytes.
 */
export async function reviewPropose(
  context: Context,
  app: Address,
  { composeHash, noteDigest, predecessor }: ProposeArguments,
): Promise<ProposeReview> {
  const next = parseManifest(await fetchByDigest(context, composeHash));
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
  const before = await manifestOf(context, state.releases[predecessor - 1]);
  return { title: note.title, changes: releaseChanges(before, next) };
}

function aboutPredecessor(note: Note, { releases }: AppState, predecessor: number): string[] {
  const told = note.predecessor;
  const actual = releases[predecessor - 1]?.composeHash ?? "none";
  return told === undefined || told === actual
    ? []
    : [`predecessor: ${told} in the note, ${actual} in the call`];
}

function aboutManifest(note: Note, manifest: Manifest): string[] {
  const differing = (what: string, told: string, actual: string): string[] =>
    told === actual ? [] : [`${what}: ${told} in the note, ${actual} in the manifest`];
  return [...imagesOf(note, manifest, differing), ...recipeOf(note, manifest, differing)];
}

type Differing = (what: string, told: string, actual: string) => string[];

function imagesOf({ images }: Note, manifest: Manifest, differing: Differing): string[] {
  if (images === undefined) return [];
  const told = new Map(images.map((one) => [one.service, one]));
  const actual = new Map(servicesOf(manifest).map(({ service, image }) => [service, image]));
  const services = [...new Set([...told.keys(), ...actual.keys()])].sort();
  const differences = services.flatMap((service) => {
    const one = told.get(service);
    const image = actual.get(service);
    const digest = /@(sha256:[0-9a-f]{64})$/.exec(image ?? "")?.[1] ?? "none";
    return [
      ...differing(`image of ${service}`, one?.image ?? "none", image ?? "none"),
      ...(one === undefined ? [] : differing(`digest of ${service}`, one.digest ?? "none", digest)),
    ];
  });
  return told.size === images.length
    ? differences
    : ["images: a service stands twice in the note", ...differences];
}

function recipeOf({ source }: Note, manifest: Manifest, differing: Differing): string[] {
  if (source === undefined || !("compose" in source.recipe)) return [];
  const { name, leaseSigners, maxLeaseSeconds } = source.recipe;
  const { charter } = manifest;
  return [
    ...differing("name", name, manifest.name),
    ...differing("lease signers", leaseSigners.join(" "), charter?.lease_signers.join(" ") ?? "none"),
    ...differing("longest lease", String(maxLeaseSeconds), String(charter?.max_lease_seconds ?? "none")),
  ];
}
