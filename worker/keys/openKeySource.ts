import { CharterError } from "../../protocol/errors/CharterError.ts";
import { detectSources, type DetectedSource } from "../tee/detectSources.ts";
import { DstackAgent } from "../tee/dstack/DstackAgent.ts";
import type { Places } from "../tee/places.ts";
import { DstackKeys } from "./DstackKeys.ts";
import type { KeySource } from "./KeySource.ts";
import { SimulatorKeys } from "./SimulatorKeys.ts";

export interface KeyConfig {
  /** "machine": the hardware's own source or none; nothing falls back to the simulator. */
  readonly evidence: "simulator" | "machine";
  /** Directory that holds the simulator's PKI. */
  readonly simulatorDir?: string | undefined;
}

/** What a machine has, and, where it has nothing, what evidence it gives: the reason is told by it. */
export interface FoundKeys {
  readonly source: KeySource | null;
  readonly evidence?: DetectedSource["name"];
}

/**
 * Opens the key source of this machine: the simulator's where evidence is simulated, dstack's where its agent's socket is.
 * Where there is none, `requireKeySource` tells why.
 * @throws CharterError `keys/simulator-refused` on a chain of value, `simulator/pki-invalid`, `config/invalid`.
 */
export async function openKeySource(
  { evidence, simulatorDir }: KeyConfig,
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
  return { source: null, ...(here === undefined ? {} : { evidence: here }) };
}
