import { z } from "zod";

import type { Deployment } from "../../protocol/deployment/deployment.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { addressSchema } from "../../protocol/session/messages.ts";
import type { Finality } from "../chain/finality.ts";
import { readEnvironment, requireQuorum, variables } from "../environment.ts";
import { attestedVariable } from "../keys/openAttestedKeys.ts";
import type { AttestedKey } from "../keys/attestedKey.ts";
import type { AttestedKeys } from "../keys/openAttestedKeys.ts";
import { readSigningAccount } from "../keys/signingAccount.ts";
import type { SigningAccount } from "../keys/signingAccount.ts";
import { vendorsOf, vendorVariables, type VendorConfig } from "../vendorConfig.ts";

/** Where a signer is an instance of the relayer's own app. */
export interface SeatConfig {
  readonly key: AttestedKey;
  /** Number of the node that it runs on: its operator's seat is what it signs for. */
  readonly node: number;
  /** Relayers that enter it. */
  readonly relayerUrls: readonly string[];
}

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
  /** Days that what it signed of evidence which nobody judges any more is kept; 0: for good. */
  readonly keepDays: number;
  /** Absent: this signer's key is listed by itself, and is no instance. */
  readonly seat: SeatConfig | undefined;
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
  CHARTER_SIGNER_NODE: variables.count.optional(),
  CHARTER_RELAYER_URLS: variables.urls.optional(),
  CHARTER_RPC_URLS: variables.rpcUrls,
  CHARTER_RPC_QUORUM: variables.count.optional(),
  CHARTER_DEPLOYMENT: variables.deployment,
  CHARTER_FINALITY: variables.finality.default("finalized"),
  ...vendorVariables,
  DATABASE_URL: variables.postgresUrl,
  CHARTER_KEEP_DAYS: variables.days.default(30),
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
    keepDays: read.CHARTER_KEEP_DAYS,
    seat: seatOf(read.CHARTER_SIGNER_NODE, read.CHARTER_RELAYER_URLS, attestedKeys.committee),
    maxRequestsPerMinute: read.CHARTER_MAX_REQUESTS_PER_MINUTE,
    host: read.HOST,
    port: read.PORT,
    logLevel: read.LOG_LEVEL,
  };
}

function seatOf(
  node: number | undefined,
  relayerUrls: readonly string[] | undefined,
  key: AttestedKey | undefined,
): SeatConfig | undefined {
  if (node === undefined && relayerUrls === undefined) return undefined;
  if (node !== undefined && relayerUrls !== undefined && key !== undefined) return { key, node, relayerUrls };
  throw new CharterError(
    "config/signer",
    "CHARTER_SIGNER_NODE, CHARTER_RELAYER_URLS and CHARTER_COMMITTEE_SIGNER=attested belong together",
  );
}
