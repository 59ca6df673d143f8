import { readFileSync } from "node:fs";
import { z } from "zod";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { SIMULATED_TEES } from "../tee/openSource.ts";
import { placesSchema } from "../tee/places.ts";
import { STORAGE_CHOICES } from "../storage/chooseStorage.ts";
import { addressSchema, bytes32Schema, composeHashSchema } from "../../protocol/session/messages.ts";

const uint = z.number().int().nonnegative();

/** URLs of sources stand in what is logged: they may hold no key. */
const sourceUrl = (protocol: RegExp, expected: string): z.ZodType<string, string> =>
  z.url({ protocol, error: `expected ${expected} URLs` }).refine((url) => {
    if (!URL.canParse(url)) return false;
    const { username, password, search, hash } = new URL(url);
    return `${username}${password}${search}${hash}` === "";
  }, "expected URLs without user, password, query and fragment");
const gatewaysSchema = z.array(sourceUrl(/^https?$/, "http(s)")).max(16);

/** Where manifests and notes may be had from beside relayers (worker/guest/sources/byteSource.ts). */
export const manifestSourcesSchema = z.array(sourceUrl(/^(https?|file)$/, "http(s) or file")).max(16);

/** Everything that a guest is told by its driver: one JSON object in `CHARTER_GUEST_CONFIG`. */
export const guestConfigSchema = z.strictObject({
  relayerUrls: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .max(16),
  manifestSources: manifestSourcesSchema.default([]),
  chainId: uint,
  genesisHash: bytes32Schema,
  ledger: addressSchema,
  app: addressSchema,
  composeHash: composeHashSchema,
  release: uint,
  /** Number of the node that this guest runs on. */
  node: uint,
  slot: uint,
  /** "machine": the hardware's own evidence, or the guest refuses to start. "simulator": development chains only. */
  evidence: z.enum(["simulator", "machine"]).default("simulator"),
  /** TDX without dstack, and SEV-SNP: JSON with `os_image_hash`. */
  vmConfig: z.string().max(65_536).optional(),
  /** SEV-SNP: dstack's configuration document, exact text; the launch has bound its hash. */
  mrConfig: z.string().max(65_536).optional(),
  /** Where this machine's hardware is, where that is not the usual place. */
  places: placesSchema.optional(),
  /** The simulator's folder and the name of the simulated machine: needed by `evidence: "simulator"` only. */
  simulatorDir: z.string().min(1).optional(),
  platform: z.string().min(1).optional(),
  /** What kind of machine is simulated. An enclave (sgx, nitro) binds no manifest: a guest in one is refused. */
  tee: z.enum(SIMULATED_TEES).default("tdx"),
  /** Have the GPUs vouched for beside the CPU: the simulated one, or the machine's own by `nvattest`. */
  gpu: z.boolean().default(false),
  /** A directory of this guest's own. */
  workdir: z.string().min(1),
  /** Where encrypted volumes are kept, by app and slot: the same for every guest of a node. Default: in `workdir`. */
  volumesDir: z.string().min(1).optional(),
  /** What encrypts volumes; "auto": LUKS2 where it can be opened, else gocryptfs. */
  storage: z.enum(STORAGE_CHOICES).default("auto"),
  /** Size of a new LUKS2 volume. */
  volumeMb: z.number().int().min(64).max(16_777_216).default(4_096),
  /** A directory in memory (tmpfs), where secrets are readable while containers run. */
  secretsDir: z.string().startsWith("/").default("/dev/shm"),
  /**
   * "docker": containers run, or the guest refuses. "auto": they run where an engine answers. "dry": they are never
   * started, and the state says so.
   */
  runtime: z.enum(["auto", "docker", "dry"]).default("auto"),
  /** Path of the container engine's unix socket; default: docker's usual one. */
  engineSocket: z.string().startsWith("/").optional(),
  /** Ports of the host that the app may publish. An empty list allows none. */
  hostPorts: z.array(z.number().int().min(1).max(65_535)).default([]),
  /** Where an app that asks for attested TLS answers. Absent: such an app is refused. */
  tls: z
    .strictObject({
      /** Address of this guest to listen on, and a port; 0 takes any that is free. */
      host: z.union([z.ipv4(), z.ipv6()]),
      port: z.number().int().min(0).max(65_535).default(0),
      /** Address at which clients and gateways reach it; default `host`. */
      publicHost: z.union([z.ipv4(), z.ipv6()]).optional(),
    })
    .optional(),
  /** New evidence is given after so many seconds at the latest. */
  reattestSeconds: z.number().int().positive().default(1_800),
  /** Answer `GET /status` on a loopback port. */
  status: z.boolean().default(false),
});
export type GuestConfig = z.output<typeof guestConfigSchema>;
/** What a driver writes. */
export type GuestConfigInput = z.input<typeof guestConfigSchema>;

/** Where a guest in a VM of its own keeps its files. */
export const VM_WORKDIR = "/var/lib/charter";

/**
 * What a VM's host may tell the guest in it. Nobody measures this, so it names nothing inside the VM: no program that the guest
 * would run, no socket or directory, which might be one that the host can write; and it turns nothing off.
 */
const hostsConfigSchema = guestConfigSchema
  .omit({
    ...{ places: true, engineSocket: true, simulatorDir: true, platform: true },
    ...{ volumesDir: true, secretsDir: true },
  })
  .extend({
    evidence: z.literal("machine"),
    runtime: z.literal("docker"),
    workdir: z.literal(VM_WORKDIR),
    manifestSources: gatewaysSchema.default([]),
  });

/** What a driver wrote, and whether it came from outside of this machine. */
export interface GuestConfigText {
  readonly text: string | undefined;
  readonly isHosts: boolean;
}

/**
 * What the driver wrote: `CHARTER_GUEST_CONFIG` itself, or the file that `CHARTER_GUEST_CONFIG_FILE` names: a dstack VM has what
 * its host wrote as `/dstack/.user-config`.
 */
export function guestConfigText({
  CHARTER_GUEST_CONFIG: text,
  CHARTER_GUEST_CONFIG_FILE: path,
}: Readonly<Record<string, string | undefined>>): GuestConfigText {
  if (text !== undefined || path === undefined) return { text, isHosts: false };
  return { text: readFileSync(path, "utf8"), isHosts: true };
}

/** @throws CharterError `config/invalid` naming every wrong field. */
export function parseGuestConfig(text: string | undefined, isHosts = false): GuestConfig {
  let json: unknown;
  try {
    json = JSON.parse(text ?? "");
  } catch (cause) {
    throw new CharterError("config/invalid", "CHARTER_GUEST_CONFIG must hold a JSON object", {}, { cause });
  }
  const allowed = isHosts ? hostsConfigSchema.safeParse(json) : null;
  const parsed = allowed?.success === false ? allowed : guestConfigSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new CharterError("config/invalid", "CHARTER_GUEST_CONFIG is not as expected", {
    issues: parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`),
  });
}
