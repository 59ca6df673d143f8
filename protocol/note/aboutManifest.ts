import { parseComposeFile } from "../manifest/composeFile.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { Note, Recipe } from "./note.ts";

type Made = Extract<Recipe, { readonly compose: string }>;
type Differing = (what: string, told: string, actual: string) => string[];

/**
 * Where a note tells of another manifest than this one; empty when it does not. Its provenance is not looked at.
 * @throws CharterError `compose/malformed` for a manifest whose services nobody could compare.
 */
export function aboutManifest(note: Note, manifest: Manifest): string[] {
  const differing = (what: string, told: string, actual: string): string[] =>
    told === actual ? [] : [`${what}: ${told} in the note, ${actual} in the manifest`];
  return [...imagesOf(note, manifest, differing), ...recipeOf(note, manifest, differing)];
}

function imagesOf({ images }: Note, manifest: Manifest, differing: Differing): string[] {
  if (images === undefined) return [];
  const told = new Map(images.map((one) => [one.service, one]));
  const actual = new Map(servicesOf(manifest));
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
  const { name, leaseSigners, maxLeaseSeconds, ...asked } = source.recipe;
  const { charter } = manifest;
  const { secretSigners, secrets, gpuServices, tls } = asked;
  return [
    ...differing("name", name, manifest.name),
    ...differing("lease signers", leaseSigners.join(" "), charter?.lease_signers.join(" ") ?? "none"),
    ...differing("longest lease", String(maxLeaseSeconds), String(charter?.max_lease_seconds ?? "none")),
    ...differing("unpinned images", yesNo(asked.allowUnpinnedImages), yesNo(charter?.allow_unpinned_images)),
    ...differing("persistent volumes", yesNo(asked.persistent), yesNo(charter?.persistent)),
    ...differing("secret signers", listed(secretSigners), listed(charter?.secret_signers)),
    ...differing("secrets", listed(secrets?.map(secretText)), listed(charter?.secrets?.map(secretText))),
    ...differing("services with GPUs", listed(gpuServices), listed(charter?.gpu?.services)),
    ...differing("attested TLS", tlsText(tls), tlsText(charter?.tls)),
  ];
}

const yesNo = (is: boolean | undefined): string => (is === true ? "yes" : "no");
const listed = (items: readonly string[] | undefined): string => items?.join(" ") ?? "none";
const secretText = ({ name, services }: NonNullable<Made["secrets"]>[number]): string =>
  `${name}=${services?.join(",") ?? "*"}`;
const tlsText = (tls: Made["tls"]): string => (tls ? `${tls.service}:${tls.port}` : "none");

/** The Compose file is the owner's text: any shape may come. */
const servicesOf = (manifest: Manifest): [service: string, image: string | undefined][] =>
  Object.entries(parseComposeFile(manifest.docker_compose_file).services).map(([service, { image }]) => [
    service,
    typeof image === "string" ? image : undefined,
  ]);
