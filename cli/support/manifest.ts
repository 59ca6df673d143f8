import { basename, dirname } from "node:path";

import { InvalidArgumentError } from "commander";

import { parseComposeFile, parseManifest, shown, type Manifest } from "../../protocol/manifest/index.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { CliError } from "./CliError.ts";
import { readBytes, readText } from "./context.ts";
import { ExitCode } from "./exitCodes.ts";

/** Where a release's manifest comes from: ready bytes, or a Compose file that one is made of. */
export interface ManifestOptions {
  readonly manifest?: string;
  readonly compose?: string;
  readonly name?: string;
  readonly leaseSigner?: readonly Address[];
  readonly maxLeaseSeconds?: number;
  readonly allowUnpinnedImages?: boolean;
  readonly persistent?: boolean;
  readonly secretSigner?: readonly Address[];
  readonly secret?: readonly SecretOption[];
  readonly gpuService?: readonly string[];
  readonly tls?: TlsOption;
}

/** What a manifest asks for beside its Compose file, as a note's recipe names it. */
export interface Launch {
  readonly name: string;
  readonly leaseSigners: readonly string[];
  readonly maxLeaseSeconds: number;
  readonly allowUnpinnedImages?: true | undefined;
  readonly persistent?: true | undefined;
  readonly secretSigners?: readonly string[] | undefined;
  readonly secrets?: readonly SecretOption[] | undefined;
  readonly gpuServices?: readonly string[] | undefined;
  readonly tls?: TlsOption | undefined;
}

/** The service, and its port in the container, that clients reach by attested TLS. */
export interface TlsOption {
  readonly service: string;
  readonly port: number;
}

/** A secret and the services that may read it; all where none is named. */
export interface SecretOption {
  readonly name: string;
  readonly services?: readonly string[] | undefined;
}

/** `NAME` or `NAME=service,service`; whether they are right is the manifest's own question. */
export function secretOption(text: string): SecretOption {
  const [name = "", services] = text.split("=");
  return services === undefined ? { name } : { name, services: services.split(",") };
}

/** `service:port`; whether they are right is the manifest's own question. */
export function tlsOption(text: string): TlsOption {
  const colon = text.lastIndexOf(":");
  const port = text.slice(colon + 1);
  if (colon > 0 && /^[0-9]{1,5}$/.test(port)) return { service: text.slice(0, colon), port: Number(port) };
  throw new InvalidArgumentError("expected <service>:<port>");
}

/** Those of the options that a manifest is made with; as a note's recipe keeps them. */
export const askedFor = (
  options: Pick<
    ManifestOptions,
    "allowUnpinnedImages" | "persistent" | "secretSigner" | "secret" | "gpuService" | "tls"
  >,
): Omit<Launch, "name" | "leaseSigners" | "maxLeaseSeconds"> => ({
  ...(options.allowUnpinnedImages ? { allowUnpinnedImages: true } : {}),
  ...(options.persistent ? { persistent: true } : {}),
  ...(options.secretSigner ? { secretSigners: options.secretSigner } : {}),
  ...(options.secret ? { secrets: options.secret } : {}),
  ...(options.gpuService ? { gpuServices: options.gpuService } : {}),
  ...(options.tls ? { tls: options.tls } : {}),
});

/** The exact bytes to hash and publish, and what they say. */
export function manifestBytes(options: ManifestOptions): { bytes: Uint8Array; manifest: Manifest } {
  if (options.manifest && options.compose) {
    throw new CliError(ExitCode.Usage, "cli/usage", "expected --manifest or --compose, not both");
  }
  if (options.manifest) {
    const bytes = readBytes(options.manifest);
    return { bytes, manifest: parseManifest(bytes) };
  }
  if (!options.compose) throw new CliError(ExitCode.Usage, "cli/usage", "expected --manifest or --compose");
  if (!options.leaseSigner?.length) {
    throw new CliError(
      ExitCode.Usage,
      "cli/usage",
      "expected --lease-signer: without one no guest could get a lease",
    );
  }
  return makeManifest(readText(options.compose), {
    name: options.name ?? (basename(dirname(options.compose)) || "app"),
    leaseSigners: options.leaseSigner,
    maxLeaseSeconds: options.maxLeaseSeconds ?? 60,
    ...askedFor(options),
  });
}

/** The manifest that a Compose file's text gives: the same input gives the same bytes, whoever makes it. */
export function makeManifest(compose: string, launch: Launch): { bytes: Uint8Array; manifest: Manifest } {
  const text = `${JSON.stringify(
    {
      manifest_version: 2,
      name: launch.name,
      runner: "docker-compose",
      docker_compose_file: compose,
      charter: {
        lease_signers: launch.leaseSigners,
        max_lease_seconds: launch.maxLeaseSeconds,
        ...(launch.allowUnpinnedImages ? { allow_unpinned_images: true } : {}),
        ...(launch.persistent ? { persistent: true } : {}),
        ...(launch.secretSigners ? { secret_signers: launch.secretSigners } : {}),
        ...(launch.secrets ? { secrets: launch.secrets } : {}),
        ...(launch.gpuServices ? { gpu: { services: launch.gpuServices } } : {}),
        ...(launch.tls ? { tls: { service: launch.tls.service, port: launch.tls.port } } : {}),
      },
    },
    null,
    2,
  )}\n`;
  const bytes = new TextEncoder().encode(text);
  return { bytes, manifest: parseManifest(bytes) };
}

/** What a person should see before signing: each service and the image it runs, unpinned ones named as such. */
export function describeManifest(manifest: Manifest): string {
  const isAnyUnpinned = servicesOf(manifest).some(({ image }) => !image?.includes("@sha256:"));
  const services = servicesOf(manifest).map(({ service, image }) => {
    const text = image === undefined ? "(no image)" : shown(image);
    return `  ${shown(service)}: ${text}${image?.includes("@sha256:") ? "" : "  (not pinned by digest)"}`;
  });
  return [
    `manifest ${shown(manifest.name)}`,
    ...services,
    ...(isAnyUnpinned ? [`  ${unpinnedText(manifest)}`] : []),
    ...heldText(manifest),
    `  lease signers: ${manifest.charter?.lease_signers.join(", ") ?? "none: no guest could get a lease"}`,
  ].join("\n");
}

/** What the app keeps, and is told, beyond its containers. */
const heldText = ({ charter }: Manifest): string[] => [
  ...(charter?.persistent ? ["  named volumes are kept, encrypted under the app's key"] : []),
  ...(charter?.secrets ?? []).map(
    ({ name, services }) =>
      `  secret ${name}: readable by ${services?.map(shown).join(", ") ?? "every service"}`,
  ),
  ...(charter?.gpu
    ? [`  GPUs for ${charter.gpu.services.map(shown).join(", ")}: refused without their evidence`]
    : []),
  ...(charter?.tls ? [`  attested TLS to ${shown(charter.tls.service)}, port ${charter.tls.port}`] : []),
  ...(charter?.secret_signers ? [`  secret signers: ${charter.secret_signers.join(", ")}`] : []),
];

const unpinnedText = ({ charter }: Manifest): string =>
  charter?.allow_unpinned_images === true
    ? "unpinned images are allowed: whoever serves them can change what runs"
    : "guests refuse images that are not pinned by digest (--allow-unpinned-images waives it)";

/** The Compose file is the owner's text: any shape may come. @throws CharterError `compose/malformed`. */
export function servicesOf(manifest: Manifest): { service: string; image: string | undefined }[] {
  const { services } = parseComposeFile(manifest.docker_compose_file);
  return Object.entries(services).map(([service, { image }]) => ({
    service,
    image: typeof image === "string" ? image : undefined,
  }));
}
