import { z } from "zod";

import type { Deployment } from "../protocol/deployment/deployment.ts";
import { addressSchema } from "../protocol/session/messages.ts";
import type { Address } from "../protocol/words/hex.ts";
import { readProxies } from "./api/limits/clientAddress.ts";
import type { IsProxy } from "./api/limits/clientAddress.ts";
import { readListener } from "./api/bootAuth/listener.ts";
import type { Listener } from "./api/bootAuth/listener.ts";
import type { BatchLimits } from "./batches/Batcher.ts";
import type { ClaimRule } from "./batches/Claimer.ts";
import type { Finality } from "./chain/finality.ts";
import type { CrashPlan } from "./crashPoints.ts";
import { attestedVariable } from "./keys/openAttestedKeys.ts";
import type { AttestedKeys } from "./keys/openAttestedKeys.ts";
import { readSigningAccount } from "./keys/signingAccount.ts";
import type { SigningAccount } from "./keys/signingAccount.ts";
import type { FeeCaps } from "./outbox/fees.ts";
import type { TransactionSigner } from "./outbox/seams.ts";
import type { Settlement } from "./store/chainStore.ts";
import { readOutboxSigner } from "./outbox/signers/signerConfig.ts";
import { readEnvironment, requireFeeCaps, requireQuorum, variables } from "./environment.ts";
import { vendorsOf, vendorVariables, type VendorConfig } from "./vendorConfig.ts";

/** Everything that the relayer is told from outside, parsed once at start. Keys are accounts already. */
export interface RelayerConfig extends VendorConfig {
  readonly rpcUrls: readonly string[];
  /** How many endpoints must say the same. */
  readonly rpcQuorum: number;
  readonly deployment: Deployment;
  readonly finality: Finality;
  /** What the operator says about a final block that a reorg took back. */
  readonly settlement: Settlement | undefined;
  /** Absent: the relayer runs the embedded Postgres in `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  /** Days that rows which are over are kept; 0: for good. */
  readonly keepDays: number;
  /** Pays for and signs transactions. */
  readonly outboxSigner: TransactionSigner;
  /** What it offers at most. */
  readonly feeCaps: FeeCaps;
  /** Signs leases; manifests name its address. */
  readonly leaseAccount: SigningAccount;
  /** Those of these two that were made inside of this instance. */
  readonly attestedKeys: AttestedKeys;
  readonly committeeUrls: readonly string[];
  /** When a batch of verdicts closes. */
  readonly batches: BatchLimits;
  readonly claims: ClaimRule;
  readonly subgraphUrl: string | undefined;
  readonly webDir: string | undefined;
  readonly maxLeaseSeconds: number;
  readonly maxHeadAgeSeconds: number;
  /** A node whose agent was not heard for longer gives its slots to others. */
  readonly nodeSilentSeconds: number;
  /** What is drained waits this long for its slots to run elsewhere. */
  readonly handoverSeconds: number;
  /** Accounts that may publish bytes which stand in no event yet. */
  readonly publishers: readonly Address[];
  /** Per client address: requests that have no budget of their own, then each that has one. */
  readonly maxRequestsPerMinute: number;
  readonly budgets: {
    readonly leases: number;
    readonly evidence: number;
    /** Sessions opened. */
    readonly sessions: number;
  };
  /** Leases and sessions that one key may ask for in a minute outside of a session. */
  readonly maxRequestsPerKey: number;
  /** Sessions at once. */
  readonly maxSessions: number;
  readonly isProxy: IsProxy;
  readonly adminToken: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly bootAuth: Listener;
  readonly bootAuthPort: number;
  readonly logLevel: string;
  /** Where the process shall end itself; only on development chains. */
  readonly crashAt: CrashPlan | undefined;
}

const schema = z.object({
  CHARTER_RPC_URLS: variables.rpcUrls,
  CHARTER_RPC_QUORUM: variables.count.optional(),
  CHARTER_DEPLOYMENT: variables.deployment,
  CHARTER_FINALITY: variables.finality.default("finalized"),
  CHARTER_DEEP_REORG: variables.settlement.optional(),
  DATABASE_URL: variables.postgresUrl.optional(),
  CHARTER_DATA_DIR: z.string().default(".charter/postgres"),
  CHARTER_KEEP_DAYS: variables.days.default(30),
  CHARTER_OUTBOX_SIGNER: attestedVariable,
  CHARTER_LEASE_SIGNER: attestedVariable,
  CHARTER_DSTACK_SOCKET: z.string().optional(),
  CHARTER_OUTBOX_KEY: variables.key.optional(),
  CHARTER_OUTBOX_KEYSTORE: z.string().optional(),
  CHARTER_OUTBOX_PASSWORD_FILE: z.string().optional(),
  CHARTER_OUTBOX_SIGNER_URL: variables.url.optional(),
  CHARTER_OUTBOX_ADDRESS: addressSchema.optional(),
  CHARTER_MAX_FEE_GWEI: variables.gwei.default(500_000_000_000n),
  CHARTER_MAX_PRIORITY_FEE_GWEI: variables.gwei.optional(),
  CHARTER_LEASE_KEY: variables.key.optional(),
  CHARTER_LEASE_KEYSTORE: z.string().optional(),
  CHARTER_LEASE_PASSWORD_FILE: z.string().optional(),
  CHARTER_LEASE_URL: variables.url.optional(),
  CHARTER_LEASE_ADDRESS: addressSchema.optional(),
  CHARTER_COMMITTEE_URLS: variables.urls,
  ...vendorVariables,
  CHARTER_BATCH_MAX_SIZE: variables.count
    .default(1_000)
    .refine((size) => size <= 4_096, "expected at most 4096 verdicts"),
  CHARTER_BATCH_MAX_AGE_MS: variables.count.default(2_000),
  CHARTER_CLAIMS: z.enum(["relayer", "nobody"], { error: "expected relayer or nobody" }).default("relayer"),
  CHARTER_SUBGRAPH_URL: variables.url.optional(),
  CHARTER_WEB_DIR: z.string().optional(),
  CHARTER_MAX_LEASE_SECONDS: variables.seconds.default(60),
  CHARTER_MAX_HEAD_AGE_SECONDS: variables.seconds.default(60),
  CHARTER_NODE_SILENT_SECONDS: variables.seconds.default(120),
  CHARTER_HANDOVER_SECONDS: variables.seconds.default(600),
  CHARTER_PUBLISHERS: z
    .string()
    .default("")
    .transform((text) => text.split(",").filter((address) => address.trim() !== ""))
    .pipe(z.array(z.string().trim().pipe(addressSchema))),
  CHARTER_MAX_REQUESTS_PER_MINUTE: variables.count.default(6_000),
  CHARTER_MAX_LEASES_PER_MINUTE: variables.count.default(3_000),
  CHARTER_MAX_EVIDENCE_PER_MINUTE: variables.count.default(600),
  CHARTER_MAX_SESSIONS_PER_MINUTE: variables.count.default(1_200),
  CHARTER_MAX_REQUESTS_PER_KEY: variables.count.default(120),
  CHARTER_MAX_SESSIONS: variables.count.default(20_000),
  CHARTER_TRUSTED_PROXIES: z
    .string()
    .default("")
    .transform((text, context): IsProxy => {
      const isProxy = readProxies(text);
      if (isProxy !== null) return isProxy;
      context.addIssue({ code: "custom", message: "expected addresses or networks, separated by commas" });
      return z.NEVER;
    }),
  CHARTER_ADMIN_TOKEN: z.string().min(16, "expected at least 16 characters").optional(),
  HOST: variables.host.default("127.0.0.1"),
  PORT: variables.port.default(8787),
  BOOTAUTH_HOST: variables.host.default("127.0.0.1"),
  BOOTAUTH_PORT: variables.port.default(8788),
  BOOTAUTH_TLS_CERT: z.string().optional(),
  BOOTAUTH_TLS_KEY: z.string().optional(),
  BOOTAUTH_TLS_CLIENT_CA: z.string().optional(),
  LOG_LEVEL: variables.logLevel.default("info"),
  CHARTER_CRASH_AT: variables.crashPlan.optional(),
});

/**
 * Reads the relayer's environment.
 * @param attestedKeys of `openAttestedKeys` for the same environment.
 * @throws CharterError `config/invalid` (every wrong variable at once), `config/test-root-refused`,
 * `config/bootauth-not-loopback`, `config/bootauth-tls`, `config/outbox-signer`, `config/signer`, `config/keystore`.
 */
export function readRelayerConfig(
  environment: Readonly<Record<string, string | undefined>>,
  attestedKeys: AttestedKeys = {},
): RelayerConfig {
  const read = readEnvironment(schema, environment);
  const vendors = vendorsOf(read, read.CHARTER_DEPLOYMENT);
  return {
    rpcUrls: read.CHARTER_RPC_URLS,
    rpcQuorum: requireQuorum(read.CHARTER_RPC_URLS, read.CHARTER_RPC_QUORUM),
    deployment: read.CHARTER_DEPLOYMENT,
    finality: read.CHARTER_FINALITY,
    settlement: read.CHARTER_DEEP_REORG,
    databaseUrl: read.DATABASE_URL,
    dataDir: read.CHARTER_DATA_DIR,
    keepDays: read.CHARTER_KEEP_DAYS,
    outboxSigner: readOutboxSigner({
      attested: read.CHARTER_OUTBOX_SIGNER && attestedKeys.outbox?.account,
      key: read.CHARTER_OUTBOX_KEY,
      keystore: read.CHARTER_OUTBOX_KEYSTORE,
      passwordFile: read.CHARTER_OUTBOX_PASSWORD_FILE,
      url: read.CHARTER_OUTBOX_SIGNER_URL,
      address: read.CHARTER_OUTBOX_ADDRESS,
    }),
    feeCaps: requireFeeCaps(read.CHARTER_MAX_FEE_GWEI, read.CHARTER_MAX_PRIORITY_FEE_GWEI),
    leaseAccount: readSigningAccount({
      prefix: "CHARTER_LEASE",
      signer: "CHARTER_LEASE_SIGNER",
      attested: read.CHARTER_LEASE_SIGNER && attestedKeys.lease?.account,
      key: read.CHARTER_LEASE_KEY,
      keystore: read.CHARTER_LEASE_KEYSTORE,
      passwordFile: read.CHARTER_LEASE_PASSWORD_FILE,
      url: read.CHARTER_LEASE_URL,
      address: read.CHARTER_LEASE_ADDRESS,
    }),
    attestedKeys,
    committeeUrls: read.CHARTER_COMMITTEE_URLS,
    ...vendors,
    batches: { maxSize: read.CHARTER_BATCH_MAX_SIZE, maxAgeMs: read.CHARTER_BATCH_MAX_AGE_MS },
    claims: read.CHARTER_CLAIMS,
    subgraphUrl: read.CHARTER_SUBGRAPH_URL,
    webDir: read.CHARTER_WEB_DIR,
    maxLeaseSeconds: read.CHARTER_MAX_LEASE_SECONDS,
    maxHeadAgeSeconds: read.CHARTER_MAX_HEAD_AGE_SECONDS,
    nodeSilentSeconds: read.CHARTER_NODE_SILENT_SECONDS,
    handoverSeconds: read.CHARTER_HANDOVER_SECONDS,
    publishers: read.CHARTER_PUBLISHERS,
    maxRequestsPerMinute: read.CHARTER_MAX_REQUESTS_PER_MINUTE,
    budgets: {
      leases: read.CHARTER_MAX_LEASES_PER_MINUTE,
      evidence: read.CHARTER_MAX_EVIDENCE_PER_MINUTE,
      sessions: read.CHARTER_MAX_SESSIONS_PER_MINUTE,
    },
    maxRequestsPerKey: read.CHARTER_MAX_REQUESTS_PER_KEY,
    maxSessions: read.CHARTER_MAX_SESSIONS,
    isProxy: read.CHARTER_TRUSTED_PROXIES,
    adminToken: read.CHARTER_ADMIN_TOKEN,
    host: read.HOST,
    port: read.PORT,
    bootAuth: readListener({
      host: read.BOOTAUTH_HOST,
      certificate: read.BOOTAUTH_TLS_CERT,
      key: read.BOOTAUTH_TLS_KEY,
      clientCa: read.BOOTAUTH_TLS_CLIENT_CA,
    }),
    bootAuthPort: read.BOOTAUTH_PORT,
    logLevel: read.LOG_LEVEL,
    crashAt: read.CHARTER_CRASH_AT,
  };
}
