import { readFileSync } from "node:fs";
import { privateKeyToAccount, type PrivateKeyAccount } from "viem/accounts";

import { parseDeployment, type Deployment } from "../../protocol/deployment/deployment.ts";
import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import { DEVELOPMENT_CHAIN_IDS } from "../../protocol/policy/judge.ts";
import type { Hex } from "../../protocol/words/hex.ts";
import { nodeFileSchema, type NodeFile } from "./nodeFile.ts";

const list = (text: string): string[] => text.split(",").map((item) => item.trim());

const truth = (text: string): unknown => ({ true: true, false: false })[text] ?? text;

/** Variable → field. The operator's key is read from the environment only. */
const ENVIRONMENT: Readonly<
  Record<string, readonly [field: keyof NodeFile, read: (text: string) => unknown]>
> = {
  CHARTER_RELAYER_URLS: ["relayerUrls", list],
  CHARTER_MANIFEST_SOURCES: ["manifestSources", list],
  CHARTER_DEPLOYMENT: ["deployment", String],
  CHARTER_EVIDENCE: ["evidence", String],
  CHARTER_VM_CONFIG_FILE: ["vmConfigFile", String],
  CHARTER_MR_CONFIG_FILE: ["mrConfigFile", String],
  CHARTER_DRIVER: ["driver", String],
  CHARTER_SIM_DIR: ["simulatorDir", String],
  CHARTER_SIM_PLATFORM: ["platform", String],
  CHARTER_SIM_TEE: ["tee", String],
  CHARTER_SIM_GPU: ["gpu", truth],
  CHARTER_GPU: ["gpu", truth],
  CHARTER_WORKDIR: ["workdir", String],
  CHARTER_RUNTIME: ["runtime", String],
  CHARTER_ENGINE_SOCKET: ["engineSocket", String],
  CHARTER_HOST_PORTS: ["hostPorts", (text) => list(text).map(Number)],
  CHARTER_STORAGE: ["storage", String],
  CHARTER_VOLUME_MB: ["volumeMb", Number],
  CHARTER_TLS_HOST: ["tls", (host) => ({ host })],
  CHARTER_REATTEST_SECONDS: ["reattestSeconds", Number],
  CHARTER_GUEST_STATUS: ["status", truth],
};

export type NodeConfig = Omit<NodeFile, "$schema" | "deployment" | "vmConfigFile" | "mrConfigFile"> & {
  readonly deployment: Deployment;
  /** Exact texts of the documents that the files hold. */
  readonly vmConfig?: string;
  readonly mrConfig?: string;
  /** Signs that this node is theirs; never given to a guest. */
  readonly operator: PrivateKeyAccount;
};

/** A document that is larger is none. */
const MAX_DOCUMENT = 65_536;

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
  const parsed = nodeFileSchema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join(".") || "file"}: ${issue.message}`);
  problems.push(...missing(given));
  const operator = readOperator(environment.CHARTER_OPERATOR_KEY);
  if (operator === null) problems.push("CHARTER_OPERATOR_KEY: expected a private key, 0x and 64 hex digits");
  const deployment = parsed.success ? readDeployment(parsed.data.deployment, problems) : null;
  const documents = parsed.success ? readDocuments(parsed.data, problems) : {};
  if (parsed.success && deployment !== null) refuseSimulator(parsed.data, deployment.chainId, problems);
  if (!parsed.success || operator === null || deployment === null || problems.length > 0) {
    throw new CharterError("config/invalid", problems.join("; "), { problems });
  }
  const { $schema: _, vmConfigFile: _vm, mrConfigFile: _mr, ...fields } = parsed.data;
  return { ...fields, ...documents, operator, deployment };
}

/** What one field makes others necessary for. */
function missing(given: Readonly<Record<string, unknown>>): string[] {
  const problems: string[] = [];
  if ((given.evidence ?? "simulator") === "simulator" && given.registers !== false) {
    for (const field of ["simulatorDir", "platform"]) {
      if (given[field] === undefined) problems.push(`${field}: needed by evidence "simulator"`);
    }
  }
  if (given.driver === "dstack-vmm" && given.vmm === undefined) {
    problems.push('vmm: needed by driver "dstack-vmm"');
  }
  return problems;
}

/** Simulated machines exist on development chains only, whoever asks. */
function refuseSimulator({ evidence, registers }: NodeFile, chainId: number, problems: string[]): void {
  if (evidence === "simulator" && registers && !DEVELOPMENT_CHAIN_IDS.includes(chainId)) {
    problems.push(
      `evidence: simulated evidence is for development chains only, and the address book is of chain ${chainId}`,
    );
  }
}

function readDocuments(
  { vmConfigFile, mrConfigFile }: NodeFile,
  problems: string[],
): Pick<NodeConfig, "vmConfig" | "mrConfig"> {
  const read = (field: string, path: string): string => {
    try {
      const text = readFileSync(path, "utf8");
      if (text.length <= MAX_DOCUMENT) return text;
      problems.push(`${field}: expected at most ${MAX_DOCUMENT} characters`);
    } catch {
      problems.push(`${field}: the file cannot be read`);
    }
    return "";
  };
  return {
    ...(vmConfigFile === undefined ? {} : { vmConfig: read("vmConfigFile", vmConfigFile) }),
    ...(mrConfigFile === undefined ? {} : { mrConfig: read("mrConfigFile", mrConfigFile) }),
  };
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
