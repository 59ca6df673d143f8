import { z } from "zod";

import { CharterError } from "../errors/CharterError.ts";
import { addressSchema, bytes32Schema } from "../session/messages.ts";

/** The address book of one chain: `deployments/<chainId>.json`, or what the devnet wrote. */
export const deploymentSchema = z.strictObject({
  chainId: z.number().int().positive(),
  genesisHash: bytes32Schema,
  /** First block that can hold an event of ours. */
  startBlock: z.number().int().nonnegative(),
  appRegistry: addressSchema,
  nodeRegistry: addressSchema,
  attestationLedger: addressSchema,
  committeeVerifier: addressSchema,
  /** Intel's collateral and the verifier of direct proofs by it; absent where evidence is proven by the committee alone. */
  dcapCollateral: addressSchema.optional(),
  dcapVerifier: addressSchema.optional(),
  /** Where evidence is brought against what the committee said of it; absent in deployments before it. */
  committeeDisputes: addressSchema.optional(),
  /** Zero-knowledge proofs, and the adapters of their makers' verifiers; absent unless parameters named one. */
  zkVerifier: addressSchema.optional(),
  sp1Adapter: addressSchema.optional(),
  riscZeroAdapter: addressSchema.optional(),
  advisorySets: addressSchema,
  endorsements: addressSchema,
  /** Registry for dstack's KMS, webhook and SDK; absent where it was not deployed. */
  dstackKms: addressSchema.optional(),
  timelock: addressSchema,
  governor: addressSchema,
  votes: addressSchema,
});
export type Deployment = z.infer<typeof deploymentSchema>;

/** Parses an address book's JSON text, or throws `deployment/invalid` with what was expected. */
export function parseDeployment(text: string): Deployment {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new CharterError("deployment/invalid", "the address book must be JSON", {}, { cause });
  }
  const parsed = deploymentSchema.safeParse(json);
  if (!parsed.success) {
    throw new CharterError("deployment/invalid", "the address book has another shape than expected", {
      issues: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
    });
  }
  return parsed.data;
}
