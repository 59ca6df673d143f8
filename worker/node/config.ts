import { readFileSync } from "node:fs";
import { privateKeyToAccount, type PrivateKeyAccount } from "viem/accounts";
import { z } from "zod";

import { parseDeployment, type Deployment } from "../../protocol/deployment/deployment.ts";
import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Hex } from "../../protocol/words/hex.ts";
import { guestConfigSchema } from "../guest/config.ts";
import { SIMULATED_TEES } from "../tee/openSource.ts";

/** The node agent's configuration file. Every field may also come from the environment (`ENVIRONMENT`). */
const fileSchema = z.strictObject({
  relayerUrls: z
    .array(z.url({ protocol: /^https?$/, error: "expected http(s) URLs" }))
    .min(1)
    .max(16),
  /** Path of the chain's address book: chain id, genesis hash and contracts that every relayer must name. */
  deployment: z.string().min(1),
  simulatorDir: z.string().min(1),
  /** Name of the simulated machine. */
  platform: z.string().min(1),
  /** What kind of machine is simulated, and whether its guests have a GPU. */
  tee: z.enum(SIMULATED_TEES).default("tdx"),
  gpu: z.boolean().default(false),
  /** Keeps the node's key and the guests' files. */
  workdir: z.string().min(1),
  runtime: z.enum(["auto", "docker", "dry"]).default("auto"),
  /** Path of the container engine's unix socket; default: where `docker` looks. */
  engineSocket: z.string().startsWith("/").optional(),
  hostPorts: z.array(z.number().int().min(1).max(65_535)).default([]),
  /** Where apps that ask for attested TLS answer: address to listen on, port (0: any), address that clients reach. */
  tls: guestConfigSchema.shape.tls,
  reattestSeconds: z.number().int().positive().default(1_800),
  /** Each guest answers `GET /status`, and `GET /logs` where its manifest makes them public, on a loopback port. */
  status: z.boolean().default(false),
  pollMilliseconds: z.number().int().min(100).max(60_000).default(1_000),
});
type ConfigFile = z.output<typeof fileSchema>;

const list = (text: string): string[] => text.split(",").map((item) => item.trim());

/** Variable → field. The operator's key is read from the environment only. */
const ENVIRONMENT: Readonly<
  Record<string, readonly [field: keyof ConfigFile, read: (text: string) => unknown]>
> = {
  CHARTER_RELAYER_URLS: ["relayerUrls", list],
  CHARTER_DEPLOYMENT: ["deployment", String],
  CHARTER_SIM_DIR: ["simulatorDir", String],
  CHARTER_SIM_PLATFORM: ["platform", String],
  CHARTER_SIM_TEE: ["tee", String],
  CHARTER_SIM_GPU: ["gpu", (text) => (text === "true" ? true : text === "false" ? false : text)],
  CHARTER_WORKDIR: ["workdir", String],
  CHARTER_RUNTIME: ["runtime", String],
  CHARTER_ENGINE_SOCKET: ["engineSocket", String],
  CHARTER_HOST_PORTS: ["hostPorts", (text) => list(text).map(Number)],
  CHARTER_TLS_HOST: ["tls", (host) => ({ host })],
  CHARTER_REATTEST_SECONDS: ["reattestSeconds", Number],
  CHARTER_GUEST_STATUS: ["status", (text) => ({ true: true, false: false })[text] ?? text],
};

export type NodeConfig = Omit<ConfigFile, "deployment"> & {
  readonly deployment: Deployment;
  /** Signs that this node is theirs; never given to a guest. */
  readonly operator: PrivateKeyAccount;
};

/**
 * Reads a configuration file (where one is named) and the environment over it.
 * @throws CharterError `config/invalid` with every problem at once; values are not repeated.
 */
export function readNodeConfig(
  environment: Readonly<Record<string, string | undefined>>,
  path?: string,
): NodeConfig {
  const given: Record<string, unknown> = path === undefined ? {} : { ...readObject(path) };
  for (const [variable, [field, read]] of Object.entries(ENVIRONMENT)) {
    const text = environment[variable];
    if (text !== undefined && text !== "") given[field] = read(text);
  }
  const parsed = fileSchema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join(".") || "file"}: ${issue.message}`);
  const operator = readOperator(environment.CHARTER_OPERATOR_KEY);
  if (operator === null) problems.push("CHARTER_OPERATOR_KEY: expected a private key, 0x and 64 hex digits");
  const deployment = parsed.success ? readDeployment(parsed.data.deployment, problems) : null;
  if (!parsed.success || operator === null || deployment === null) {
    throw new CharterError("config/invalid", problems.join("; "), { problems });
  }
  return { ...parsed.data, operator, deployment };
}

function readObject(path: string): object {
  try {
    const json: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
  } catch (cause) {
    throw new CharterError(
      "config/invalid",
      "the configuration file cannot be read as JSON",
      { path },
      { cause },
    );
  }
  throw new CharterError("config/invalid", "the configuration file must hold a JSON object", { path });
}

function readOperator(key: string | undefined): PrivateKeyAccount | null {
  if (key === undefined || !/^0x[0-9a-fA-F]{64}$/.test(key)) return null;
  try {
    return privateKeyToAccount(key as Hex);
  } catch {
    return null; // Zero, or beyond the curve's order.
  }
}

function readDeployment(path: string, problems: string[]): Deployment | null {
  try {
    return parseDeployment(readFileSync(path, "utf8"));
  } catch (error) {
    problems.push(`deployment: ${isCharterError(error) ? error.message : "the address book cannot be read"}`);
    return null;
  }
}
