import { z } from "zod";

import { guestConfigSchema, manifestSourcesSchema } from "../guest/config.ts";
import { STORAGE_CHOICES } from "../storage/chooseStorage.ts";
import { SIMULATED_TEES } from "../tee/openSource.ts";
import { placesSchema } from "../tee/places.ts";

const path = z.string().min(1).max(4_096);
const httpUrl = z.url({ protocol: /^https?$/, error: "expected an http(s) URL" });

const vmmSchema = z
  .strictObject({
    url: z
      .string()
      .regex(/^(?:https?:\/\/|unix:\/)/, { error: "expected http(s)://… or unix:/path/of/the/socket" })
      .describe("where dstack-vmm listens: http(s)://host:port, or unix:/path"),
    image: z
      .string()
      .regex(/^[\w.-]{1,128}$/)
      .describe(
        "name of the dstack OS image that VMs boot; it must hold Charter's guest (docs/operators.md)",
      ),
    vcpu: z.number().int().min(1).max(1_024).default(2).describe("processors of each VM"),
    memoryMb: z.number().int().min(256).default(2_048).describe("memory of each VM, MB"),
    diskGb: z.number().int().min(1).default(20).describe("disk of each VM, GB"),
    kmsUrls: z.array(httpUrl).max(16).default([]).describe("dstack KMS that VMs ask for keys"),
    gatewayUrls: z.array(httpUrl).max(16).default([]).describe("dstack gateways that VMs register at"),
    gpuSlots: z
      .array(z.string().regex(/^[0-9a-fA-F:.]{1,32}$/))
      .max(16)
      .default([])
      .describe("PCI slots of the GPUs that a VM gets where `gpu` is true"),
    tlsPorts: z
      .strictObject({
        from: z.number().int().min(1).max(65_535),
        to: z.number().int().min(1).max(65_535),
      })
      .refine(({ from, to }) => from <= to, "expected from ≤ to")
      .default({ from: 18_000, to: 18_999 })
      .describe(
        "host ports of which each VM gets one where its app asks for attested TLS; dstack-vmm must allow their mapping (vmm.toml, cvm.port_mapping)",
      ),
    keepOnStop: z
      .boolean()
      .default(false)
      .describe("let VMs run on when the agent is stopped in order; the next one adopts them"),
  })
  .describe("dstack-vmm, for `driver: dstack-vmm`");

/** The node agent's configuration file (docs/node.schema.json). Most fields may come from the environment instead. */
export const nodeFileSchema = z.strictObject({
  $schema: z.string().max(4_096).optional().describe("for editors: where docs/node.schema.json is"),
  relayerUrls: z
    .array(z.url({ protocol: /^https?$/, error: "expected http(s) URLs" }))
    .min(1)
    .max(16)
    .describe("relayers; the first that answers is asked"),
  manifestSources: manifestSourcesSchema
    .default([])
    .describe(
      "further places of manifests and notes, which their hash is checked of: http(s) URLs of IPFS gateways, asked for /ipfs/<cid> after the relayers; file URLs of directories with files <cid> or <hash>.json, looked at before them",
    ),
  deployment: path.describe(
    "path of the chain's address book: chain id, genesis hash and contracts that every relayer must name",
  ),
  evidence: z
    .enum(["simulator", "machine"])
    .default("simulator")
    .describe(
      "machine: this hardware's own evidence or a refusal; simulator: chain ids 1337 and 31337 only, and nothing falls back to it",
    ),
  vmConfigFile: path
    .optional()
    .describe(
      "TDX without dstack, and SEV-SNP: file of JSON with os_image_hash, by which policies name the image",
    ),
  mrConfigFile: path
    .optional()
    .describe("SEV-SNP: file of dstack's configuration document, exact bytes; the launch bound its hash"),
  places: placesSchema.optional().describe("where the hardware is, where that is not the usual place"),
  simulatorDir: path.optional().describe("simulator: folder of the simulated vendor"),
  platform: z.string().min(1).max(256).optional().describe("simulator: name of the simulated machine"),
  tee: z.enum(SIMULATED_TEES).default("tdx").describe("simulator: what kind of machine is simulated"),
  gpu: z.boolean().default(false).describe("guests have a GPU, whose evidence is given beside the CPU's"),
  registers: z
    .boolean()
    .default(true)
    .describe(
      "false where `charter-node register` runs inside a TD of this machine and the agent on its host has no evidence",
    ),
  workdir: path.describe("keeps the node's key and the guests' files"),
  driver: z
    .enum(["process", "dstack-vmm"])
    .default("process")
    .describe("process: guests are processes of this machine or TD; dstack-vmm: each is a VM"),
  vmm: vmmSchema.optional(),
  runtime: z
    .enum(["auto", "docker", "dry"])
    .default("auto")
    .describe("docker: containers run or the guest refuses; auto: where an engine answers; dry: never"),
  engineSocket: z
    .string()
    .startsWith("/")
    .optional()
    .describe("the container engine's unix socket; default: docker's usual one, /var/run/docker.sock"),
  tls: guestConfigSchema.shape.tls.describe(
    "where apps that ask for attested TLS answer: address to listen on, port (0: any), address that clients reach",
  ),
  storage: z
    .enum(STORAGE_CHOICES)
    .default("auto")
    .describe("what encrypts apps' volumes; auto: LUKS2 where it can be opened, else gocryptfs"),
  volumeMb: guestConfigSchema.shape.volumeMb.describe("size of a new LUKS2 volume, MB"),
  hostPorts: z
    .array(z.number().int().min(1).max(65_535))
    .default([])
    .describe("host ports that manifests may publish"),
  maxGuests: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe(
      "slots that this machine takes on at once: a further one is declined, and relayers place it elsewhere",
    ),
  reattestSeconds: z
    .number()
    .int()
    .positive()
    .default(1_800)
    .describe("how often a guest gives new evidence"),
  status: z
    .boolean()
    .default(false)
    .describe(
      "each guest answers GET /status, and GET /logs where its manifest has public_logs, on a loopback port",
    ),
  pollMilliseconds: z
    .number()
    .int()
    .min(100)
    .max(60_000)
    .default(1_000)
    .describe("how often placements are read"),
});
export type NodeFile = z.output<typeof nodeFileSchema>;
export type NodeFileInput = z.input<typeof nodeFileSchema>;
