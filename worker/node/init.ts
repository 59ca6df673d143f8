import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { stdin, stdout } from "node:process";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";

import { parseDeployment } from "../../protocol/deployment/deployment.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { DEVELOPMENT_CHAIN_IDS } from "../../protocol/policy/judge.ts";
import { bestSource, detectSources, type DetectedSource } from "../tee/detectSources.ts";
import { placesSchema, type Places } from "../tee/places.ts";
import { nodeFileSchema, type NodeFileInput } from "./nodeFile.ts";

/** What `charter-node init` was told. */
export interface InitOptions {
  readonly out: string;
  readonly relayers?: string;
  readonly deployment?: string;
  readonly workdir: string;
  readonly simulatorDir?: string;
  readonly platform: string;
  readonly vmConfigFile?: string;
  readonly mrConfigFile?: string;
  readonly places?: string;
  readonly vmmUrl?: string;
  readonly vmmImage?: string;
  readonly tlsHost?: string;
  /** The engine's socket, where `docker` does not look at its usual place. */
  readonly engineSocket?: string;
}

export interface Initialised {
  readonly file: string;
  readonly evidence: "machine" | "simulator" | "elsewhere";
  /** Hardware that was found here. */
  readonly found: readonly DetectedSource["name"][];
}

const SCHEMA = fileURLToPath(new URL("../../docs/node.schema.json", import.meta.url));

/**
 * Writes a configuration that the agent accepts, for the evidence that this machine has. Its fields are described by the
 * schema that it names: an editor shows them.
 * @throws CharterError `config/exists`: nothing is ever overwritten; `config/incomplete` where something was not given and
 * nobody can be asked; `config/invalid`; `tee/…` where there is no evidence to be had.
 */
export async function initialise(options: InitOptions): Promise<Initialised> {
  const file = resolve(options.out);
  if (existsSync(file)) throw exists(file);
  const answers = await complete(options);
  const places = options.places === undefined ? undefined : readPlaces(options.places);
  const detected = await detectSources(places);
  const { chainId } = parseDeployment(readFileSync(answers.deployment, "utf8"));
  const source = evidenceOf(options, chainId, detected);
  // A simulated machine's guests are on this one.
  const tlsHost = options.tlsHost ?? (source.evidence === "simulator" ? "127.0.0.1" : undefined);
  const config: NodeFileInput = {
    $schema: relative(dirname(file), SCHEMA),
    relayerUrls: answers.relayers.split(",").map((url) => url.trim()),
    deployment: resolve(answers.deployment),
    workdir: resolve(options.workdir),
    ...source,
    ...(places === undefined ? {} : { places }),
    runtime: "auto",
    ...(options.engineSocket === undefined ? {} : { engineSocket: options.engineSocket }),
    ...(tlsHost === undefined ? {} : { tls: { host: tlsHost } }),
    hostPorts: [],
  };
  const parsed = nodeFileSchema.safeParse(config);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new CharterError("config/invalid", problems.join("; "), { problems });
  }
  mkdirSync(dirname(file), { recursive: true });
  write(file, `${JSON.stringify(config, null, 2)}\n`);
  const found = detected.filter(({ at }) => at !== null).map(({ name }) => name);
  return {
    file,
    evidence: config.registers === false ? "elsewhere" : (config.evidence ?? "simulator"),
    found,
  };
}

/** What the evidence takes of the configuration. */
function evidenceOf(
  options: InitOptions,
  chainId: number,
  detected: readonly DetectedSource[],
): Partial<NodeFileInput> {
  const { simulatorDir, platform, vmmUrl: url, vmmImage: image } = options;
  if (url !== undefined) {
    if (image === undefined) throw incomplete(["--vmm-image"]);
    return { evidence: "machine", registers: false, driver: "dstack-vmm", vmm: { url, image } };
  }
  if (simulatorDir !== undefined) {
    if (!DEVELOPMENT_CHAIN_IDS.includes(chainId)) {
      throw new CharterError("tee/simulator-refused", "simulated evidence is for development chains only", {
        expected: DEVELOPMENT_CHAIN_IDS,
        actual: chainId,
      });
    }
    return { evidence: "simulator", simulatorDir: resolve(simulatorDir), platform };
  }
  const { name } = bestSource(detected);
  const { vmConfigFile, mrConfigFile } = options;
  if (name === "tsm-tdx" && vmConfigFile === undefined) throw incomplete(["--vm-config-file"]);
  if (name === "tsm-snp" && mrConfigFile === undefined) throw incomplete(["--mr-config-file"]);
  return {
    evidence: "machine",
    ...(vmConfigFile === undefined ? {} : { vmConfigFile: resolve(vmConfigFile) }),
    ...(mrConfigFile === undefined ? {} : { mrConfigFile: resolve(mrConfigFile) }),
    gpu: detected.some(({ name: kind, at }) => kind === "nvidia" && at !== null),
  };
}

/** Asks for what is missing where a person sits at the terminal. */
async function complete(options: InitOptions): Promise<{ relayers: string; deployment: string }> {
  const questions = {
    relayers: "URLs of relayers, separated by commas",
    deployment: "Path of the address book",
  };
  const missing = (["relayers", "deployment"] as const).filter((name) => options[name] === undefined);
  const given = { relayers: options.relayers ?? "", deployment: options.deployment ?? "" };
  if (missing.length === 0) return given;
  if (!stdin.isTTY) throw incomplete(missing.map((name) => `--${name}`));
  const terminal = createInterface({ input: stdin, output: stdout });
  try {
    for (const name of missing) given[name] = await terminal.question(`${questions[name]}: `);
  } finally {
    terminal.close();
  }
  return given;
}

function readPlaces(path: string): Places {
  const parsed = placesSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `places.${issue.path.join(".")}: ${issue.message}`);
  throw new CharterError("config/invalid", problems.join("; "), { problems });
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw exists(file);
    throw error;
  }
}

const exists = (file: string): CharterError =>
  new CharterError("config/exists", "there is a configuration already, and it is left alone", { file });

const incomplete = (missing: readonly string[]): CharterError =>
  new CharterError("config/incomplete", "something was not given, and nobody can be asked", { missing });
