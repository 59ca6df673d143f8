import { z } from "zod";

import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { addressSchema } from "../../protocol/session/messages.ts";
import type { Finality } from "../chain/finality.ts";
import { readEnvironment, requireQuorum, variables } from "../environment.ts";
import { attestedVariable } from "../keys/openAttestedKeys.ts";
import type { AttestedKeys } from "../keys/openAttestedKeys.ts";
import { readSigningAccount } from "../keys/signingAccount.ts";
import type { SigningAccount } from "../keys/signingAccount.ts";
import { vendorsOf, vendorVariables, type VendorConfig } from "../vendorConfig.ts";

/** Everything that a committee signer is told from outside. */
export interface SignerConfig extends VendorConfig {
  readonly account: SigningAccount;
  readonly rpcUrls: readonly string[];
  /** How many endpoints must say the same. */
  readonly rpcQuorum: number;
  readonly deployment: Deployment;
  readonly finality: Finality;
  /** Its own: what a signer has signed is nobody else's to write. */
  readonly databaseUrl: string;
  readonly maxRequestsPerMinute: number;
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
}

const schema = z.object({
  CHARTER_COMMITTEE_SIGNER: attestedVariable,
  CHARTER_DSTACK_SOCKET: z.string().optional(),
  CHARTER_SIGNER_KEY: variables.key.optional(),
  CHARTER_SIGNER_KEYSTORE: z.string().optional(),
  CHARTER_SIGNER_PASSWORD_FILE: z.string().optional(),
  CHARTER_SIGNER_URL: variables.url.optional(),
  CHARTER_SIGNER_ADDRESS: addressSchema.optional(),
  CHARTER_RPC_URLS: variables.rpcUrls,
  CHARTER_RPC_QUORUM: variables.count.optional(),
  CHARTER_DEPLOYMENT: variables.deployment,
  CHARTER_FINALITY: variables.finality.default("finalized"),
  ...vendorVariables,
  DATABASE_URL: variables.postgresUrl,
  CHARTER_MAX_REQUESTS_PER_MINUTE: variables.count.default(6_000),
  HOST: variables.host.default("127.0.0.1"),
  PORT: variables.port.default(8790),
  LOG_LEVEL: variables.logLevel.default("info"),
});

/**
 * Reads a signer's environment.
 * @param attestedKeys of `openAttestedKeys` for the same environment.
 * @throws CharterError `config/invalid` (every wrong variable at once), `config/test-root-refused`, `config/signer`, `config/keystore`.
 */
export function readSignerConfig(
  environment: Readonly<Record<string, string | undefined>>,
  attestedKeys: AttestedKeys = {},
): SignerConfig {
  const read = readEnvironment(schema, environment);
  const vendors = vendorsOf(read, read.CHARTER_DEPLOYMENT);
  return {
    account: readSigningAccount({
      prefix: "CHARTER_SIGNER",
      signer: "CHARTER_COMMITTEE_SIGNER",
      attested: read.CHARTER_COMMITTEE_SIGNER && attestedKeys.committee?.account,
      key: read.CHARTER_SIGNER_KEY,
      keystore: read.CHARTER_SIGNER_KEYSTORE,
      passwordFile: read.CHARTER_SIGNER_PASSWORD_FILE,
      url: read.CHARTER_SIGNER_URL,
      address: read.CHARTER_SIGNER_ADDRESS,
    }),
    rpcUrls: read.CHARTER_RPC_URLS,
    rpcQuorum: requireQuorum(read.CHARTER_RPC_URLS, read.CHARTER_RPC_QUORUM),
    deployment: read.CHARTER_DEPLOYMENT,
    finality: read.CHARTER_FINALITY,
    ...vendors,
    databaseUrl: read.DATABASE_URL,
    maxRequestsPerMinute: read.CHARTER_MAX_REQUESTS_PER_MINUTE,
    host: read.HOST,
    port: read.PORT,
    logLevel: read.LOG_LEVEL,
  };
}
