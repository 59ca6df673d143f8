import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { detectSources, type DetectedSource } from "../tee/detectSources.ts";
import { DstackAgent } from "../tee/dstack/DstackAgent.ts";
import type { Places } from "../tee/places.ts";
import { DstackKeys } from "./DstackKeys.ts";
import type { KeySource } from "./KeySource.ts";
import { SimulatorKeys } from "./SimulatorKeys.ts";
import { snpguestVersion } from "./snp/snpDerivedKey.ts";
import { SnpKeys } from "./snp/SnpKeys.ts";

export interface KeyConfig {
  /** "machine": the hardware's own source or none; nothing falls back to the simulator. */
  readonly evidence: "simulator" | "machine";
  /** Directory that holds the simulator's PKI. */
  readonly simulatorDir?: string | undefined;
  readonly ledger: Address;
  /** From the measured manifest. */
  readonly leaseSigners: readonly Address[];
  /** A directory in memory. */
  readonly secretsDir: string;
}

/** What a machine has, and, where it has nothing, what evidence it gives: the reason is told by it. */
export interface FoundKeys {
  readonly source: KeySource | null;
  readonly evidence?: DetectedSource["name"] | undefined;
  /** Why the source that such a machine could have is not usable on this one. */
  readonly reason?: string | undefined;
}

/**
 * Opens the key source of this machine: the simulator's where evidence is simulated, dstack's where its agent's socket is,
 * the security processor's in an SEV-SNP guest that has `snpguest`.
 * Where there is none, `requireKeySource` tells why.
 * @throws CharterError `keys/simulator-refused` on a chain of value, `simulator/pki-invalid`, `config/invalid`.
 */
export async function openKeySource(
  { evidence, simulatorDir, ledger, leaseSigners, secretsDir }: KeyConfig,
  chainId: number,
  places: Places = {},
): Promise<FoundKeys> {
  if (evidence === "simulator") {
    if (simulatorDir !== undefined) return { source: new SimulatorKeys(simulatorDir, chainId) };
    throw new CharterError("config/invalid", "the simulator's keys need its folder (simulatorDir)");
  }
  const detected = await detectSources(places);
  const dstack = detected.find(({ name }) => name === "dstack")?.at ?? null;
  if (dstack !== null) return { source: new DstackKeys(new DstackAgent(dstack)), evidence: "dstack" };
  const here = detected.find(({ at, name }) => at !== null && name !== "nvidia")?.name;
  if (here === undefined) return { source: null };
  if (here !== "tsm-snp") return { source: null, evidence: here };
  const reason = await snpUnusable(places);
  if (reason !== null) return { source: null, evidence: here, reason };
  const options = { program: places.snpguest, memoryDir: secretsDir };
  return { source: new SnpKeys({ chainId, ledger, leaseSigners }, options), evidence: here };
}

/** Why the security processor of an SEV-SNP guest cannot be asked for keys; null where it can. Asks for none. */
export async function snpUnusable({ snpguest }: Places): Promise<string | null> {
  try {
    await snpguestVersion(snpguest);
    return null;
  } catch (error) {
    if (!isCharterError(error)) throw error;
    if (error.code === "keys/snp-version") return `${error.message} (${String(error.details.actual)})`;
    return "it takes virtee's snpguest, which is not installed";
  }
}
