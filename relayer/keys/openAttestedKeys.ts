import { existsSync } from "node:fs";

import { z } from "zod";

import { readEnvironment, variables } from "../environment.ts";
import type { AttestedKey, AttestedPurpose } from "./attestedKey.ts";

/** Where dstack's guest agent listens (dstack 0.5: the first that exists). */
const SOCKETS = [
  "/var/run/dstack.sock",
  "/run/dstack.sock",
  "/var/run/dstack/dstack.sock",
  "/run/dstack/dstack.sock",
] as const;

/** Says that a signer's key is made inside of the program's own instance. */
export const attestedVariable = z.literal("attested", { error: "expected attested" }).optional();

/** Which variable asks for which key. */
const VARIABLES = {
  outbox: "CHARTER_OUTBOX_SIGNER",
  lease: "CHARTER_LEASE_SIGNER",
  committee: "CHARTER_COMMITTEE_SIGNER",
} as const;

const schema = z.object({
  CHARTER_OUTBOX_SIGNER: attestedVariable,
  CHARTER_LEASE_SIGNER: attestedVariable,
  CHARTER_COMMITTEE_SIGNER: attestedVariable,
  CHARTER_DSTACK_SOCKET: z.string().startsWith("/", "expected a path").optional(),
  CHARTER_DEPLOYMENT: variables.deployment,
});

export type AttestedKeys = Readonly<Partial<Record<AttestedPurpose, AttestedKey>>>;

/**
 * Asks dstack's guest agent for the keys that the environment wants attested, of those that this program has.
 * @throws CharterError `config/invalid`, `keys/agent-absent`, `keys/agent-failed`, `keys/agent-malformed`.
 */
export async function openAttestedKeys(
  environment: Readonly<Record<string, string | undefined>>,
  purposes: readonly AttestedPurpose[],
): Promise<AttestedKeys> {
  if (purposes.every((purpose) => environment[VARIABLES[purpose]] === undefined)) return {};
  const read = readEnvironment(schema, environment);
  const socket = read.CHARTER_DSTACK_SOCKET ?? SOCKETS.find((path) => existsSync(path)) ?? SOCKETS[0];
  const { attestedKey } = await import("./attestedKey.ts"); // dstack's client: only those load it who have an agent.
  const keys: Partial<Record<AttestedPurpose, AttestedKey>> = {};
  for (const purpose of purposes) {
    if (read[VARIABLES[purpose]] === undefined) continue;
    keys[purpose] = await attestedKey({ socket, purpose, chainId: read.CHARTER_DEPLOYMENT.chainId });
  }
  return keys;
}
