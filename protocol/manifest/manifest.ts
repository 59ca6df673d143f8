import { z } from "zod";

import { CharterError } from "../errors/CharterError.ts";
import { SECRET_NAME } from "../keys/secretName.ts";
import { parseStrictJson } from "../words/strictJson.ts";
import type { Address } from "../words/hex.ts";

/** Longest manifest that is looked at. */
export const MAX_MANIFEST_BYTES = 1_048_576;

const SERVICE = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/;

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, "expected an address")
  .transform((text) => text.toLowerCase() as Address);

/** One secret of the app: where it is readable is measured, its value is not. */
const secretSchema = z.strictObject({
  name: z.string().regex(SECRET_NAME, "expected a variable's name"),
  /** Services that can read it, as `/run/secrets/<name>`; default all. */
  services: z.array(z.string().min(1).max(63)).min(1).max(64).optional(),
});

/** Who may lease, and for how long: measured with the rest, so a hostile host's own relayer is refused. */
const charterObject = z.strictObject({
  lease_signers: z.array(address).min(1, "expected at least one lease signer").max(64),
  max_lease_seconds: z.number().int().min(1).max(3600).default(60),
  /** The Compose file's named volumes are kept, encrypted; needs a key source, and is refused where there is none. */
  persistent: z.boolean().default(false),
  /** Who may set secrets: whoever can seal to the app's public key is not yet somebody whom the app should believe. */
  secret_signers: z.array(address).min(1).max(16).optional(),
  /** Needs a key source, too. */
  secrets: z.array(secretSchema).max(64).optional(),
  /** Without it a guest refuses images that are not pinned by digest: whoever serves them could change what runs. */
  allow_unpinned_images: z.boolean().optional(),
  /** Services that are given the GPUs: a guest whose own evidence binds none refuses to run the app. */
  gpu: z
    .strictObject({
      services: z.array(z.string().regex(SERVICE, "expected a service's name")).min(1).max(64),
    })
    .optional(),
  /** The service, and its port in the container, that clients reach by attested TLS. */
  tls: z
    .strictObject({
      service: z.string().regex(SERVICE, "expected a service's name"),
      port: z.number().int().min(1).max(65_535),
    })
    .optional(),
});
/** Fields of it, for what a manifest is made of (protocol/note/note.ts). */
export const charterFields = charterObject.shape;

const charterSchema = charterObject.check(({ value, issues }) => {
  const names = (value.secrets ?? []).map(({ name }) => name);
  const problem =
    new Set(names).size !== names.length
      ? "expected each secret once"
      : names.length > 0 && value.secret_signers === undefined
        ? "expected secret_signers: without them nobody could set a secret"
        : null;
  if (problem !== null)
    issues.push({ code: "custom", message: problem, path: ["secrets"], input: value.secrets });
});

/** dstack's app-compose.json (manifest_version 1 and 2) and Charter's own object. Unknown fields are refused. */
export const manifestSchema = z.strictObject({
  manifest_version: z.union([z.literal(1), z.literal(2)]),
  name: z.string().min(1).max(128),
  runner: z.literal("docker-compose"),
  docker_compose_file: z.string().min(1),
  kms_enabled: z.boolean().optional(),
  gateway_enabled: z.boolean().optional(),
  tproxy_enabled: z.boolean().optional(),
  public_logs: z.boolean().optional(),
  public_sysinfo: z.boolean().optional(),
  public_tcbinfo: z.boolean().optional(),
  local_key_provider_enabled: z.boolean().optional(),
  key_provider: z.string().max(64).optional(),
  key_provider_id: z.string().max(1024).optional(),
  allowed_envs: z.array(z.string().max(256)).max(256).optional(),
  no_instance_id: z.boolean().optional(),
  secure_time: z.boolean().optional(),
  pre_launch_script: z.string().optional(),
  features: z.array(z.string().max(64)).max(64).optional(),
  storage_fs: z.string().max(32).optional(),
  swap_size: z.union([z.number(), z.string()]).optional(),
  charter: charterSchema.optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/**
 * Parses a manifest's raw bytes: UTF-8, at most 1 MiB, each key once, no unknown field.
 * @throws CharterError `manifest/too-large`, `manifest/malformed` (naming the field).
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw new CharterError("manifest/too-large", `a manifest has at most ${MAX_MANIFEST_BYTES} bytes`, {
      expected: MAX_MANIFEST_BYTES,
      actual: bytes.length,
    });
  }
  let json: unknown;
  try {
    json = parseStrictJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes), "manifest");
  } catch (cause) {
    const message = cause instanceof CharterError ? cause.message : "expected UTF-8";
    throw new CharterError("manifest/malformed", message, {}, { cause });
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(
      (issue) => `${issue.path.join(".") || "manifest"}: ${issue.message}`,
    );
    throw new CharterError("manifest/malformed", issues.join("; "), { issues });
  }
  return parsed.data;
}
