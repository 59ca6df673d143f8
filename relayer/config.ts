import type { PrivateKeyAccount } from "viem/accounts";
import { z } from "zod";

import type { Deployment } from "../protocol/deployment/deployment.ts";
import { CharterError } from "../protocol/errors/CharterError.ts";
import { addressSchema } from "../protocol/session/messages.ts";
import type { Address } from "../protocol/words/hex.ts";
import type { Finality } from "./chain/finality.ts";
import { INTEL_PCS_URL, readEnvironment, requireTestRootAllowed, variables } from "./environment.ts";

/** Everything that the relayer is told from outside, parsed once at start. Keys are accounts already. */
export interface RelayerConfig {
  readonly rpcUrls: readonly string[];
  readonly deployment: Deployment;
  readonly finality: Finality;
  /** Absent: the relayer runs the embedded Postgres in `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  /** Pays for and signs transactions. */
  readonly outboxAccount: PrivateKeyAccount;
  /** Signs leases; manifests name its address. */
  readonly leaseAccount: PrivateKeyAccount;
  readonly committeeUrls: readonly string[];
  readonly pcsUrl: string;
  /** PEM of a test root; only on development chains. */
  readonly testRootPem: string | undefined;
  readonly subgraphUrl: string | undefined;
  readonly webDir: string | undefined;
  readonly maxLeaseSeconds: number;
  readonly maxHeadAgeSeconds: number;
  /** Accounts that may publish bytes which stand in no event yet. */
  readonly publishers: readonly Address[];
  readonly maxRequestsPerMinute: number;
  readonly host: string;
  readonly port: number;
  readonly bootAuthHost: string;
  readonly bootAuthPort: number;
  readonly logLevel: string;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

const schema = z.object({
  CHARTER_RPC_URLS: variables.urls,
  CHARTER_DEPLOYMENT: variables.deployment,
  CHARTER_FINALITY: variables.finality.default("finalized"),
  DATABASE_URL: variables.postgresUrl.optional(),
  CHARTER_DATA_DIR: z.string().default(".charter/postgres"),
  CHARTER_OUTBOX_KEY: variables.key,
  CHARTER_LEASE_KEY: variables.key,
  CHARTER_COMMITTEE_URLS: variables.urls,
  CHARTER_PCS_URL: variables.url.default(INTEL_PCS_URL),
  CHARTER_TEST_ROOT: variables.pemFile.optional(),
  CHARTER_SUBGRAPH_URL: variables.url.optional(),
  CHARTER_WEB_DIR: z.string().optional(),
  CHARTER_MAX_LEASE_SECONDS: variables.seconds.default(60),
  CHARTER_MAX_HEAD_AGE_SECONDS: variables.seconds.default(60),
  CHARTER_PUBLISHERS: z
    .string()
    .default("")
    .transform((text) => text.split(",").filter((address) => address.trim() !== ""))
    .pipe(z.array(z.string().trim().pipe(addressSchema))),
  CHARTER_MAX_REQUESTS_PER_MINUTE: variables.count.default(6_000),
  HOST: variables.host.default("127.0.0.1"),
  PORT: variables.port.default(8787),
  BOOTAUTH_HOST: variables.host.default("127.0.0.1"),
  BOOTAUTH_PORT: variables.port.default(8788),
  LOG_LEVEL: variables.logLevel.default("info"),
});

/**
 * Reads the relayer's environment.
 * @throws CharterError `config/invalid` (every wrong variable at once), `config/test-root-refused`,
 * `config/bootauth-not-loopback`.
 */
export function readRelayerConfig(environment: Readonly<Record<string, string | undefined>>): RelayerConfig {
  const read = readEnvironment(schema, environment);
  requireTestRootAllowed(read.CHARTER_TEST_ROOT, read.CHARTER_DEPLOYMENT);
  // Boot authorization has no authentication of its own: beyond loopback it needs mTLS, which is a later step.
  if (!LOOPBACK.test(read.BOOTAUTH_HOST)) {
    throw new CharterError("config/bootauth-not-loopback", "BOOTAUTH_HOST must be a loopback address", {
      expected: "127.0.0.1, ::1 or localhost",
      actual: read.BOOTAUTH_HOST,
    });
  }
  return {
    rpcUrls: read.CHARTER_RPC_URLS,
    deployment: read.CHARTER_DEPLOYMENT,
    finality: read.CHARTER_FINALITY,
    databaseUrl: read.DATABASE_URL,
    dataDir: read.CHARTER_DATA_DIR,
    outboxAccount: read.CHARTER_OUTBOX_KEY,
    leaseAccount: read.CHARTER_LEASE_KEY,
    committeeUrls: read.CHARTER_COMMITTEE_URLS,
    pcsUrl: read.CHARTER_PCS_URL,
    testRootPem: read.CHARTER_TEST_ROOT,
    subgraphUrl: read.CHARTER_SUBGRAPH_URL,
    webDir: read.CHARTER_WEB_DIR,
    maxLeaseSeconds: read.CHARTER_MAX_LEASE_SECONDS,
    maxHeadAgeSeconds: read.CHARTER_MAX_HEAD_AGE_SECONDS,
    publishers: read.CHARTER_PUBLISHERS,
    maxRequestsPerMinute: read.CHARTER_MAX_REQUESTS_PER_MINUTE,
    host: read.HOST,
    port: read.PORT,
    bootAuthHost: read.BOOTAUTH_HOST,
    bootAuthPort: read.BOOTAUTH_PORT,
    logLevel: read.LOG_LEVEL,
  };
}
