import { fileURLToPath } from "node:url";

import { runner } from "node-pg-migrate";
import type { Pool } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { AmdCollateralStore } from "./amdCollateralStore.ts";
import { unreachable } from "./asStoreError.ts";
import { BatchStore } from "./batchStore.ts";
import { BlobStore } from "./blobStore.ts";
import { ChainStore } from "./chainStore.ts";
import { CollateralStore } from "./collateralStore.ts";
import { EndpointStore } from "./endpointStore.ts";
import { EvidenceStore } from "./evidenceStore.ts";
import { GpuCollateralStore } from "./gpuCollateralStore.ts";
import { IntentStore } from "./intentStore.ts";
import { LeaseStore } from "./leaseStore.ts";
import { NodeStore } from "./nodeStore.ts";
import { openPool } from "./openPool.ts";
import { ProofStore } from "./proofStore.ts";
import { PruneStore } from "./pruneStore.ts";
import { RecentEvidence } from "./recentEvidence.ts";
import { SecretStore } from "./secretStore.ts";
import { SignedVerdictStore } from "./signedVerdictStore.ts";
import { WorkStore } from "./workStore.ts";

/** The relayer's memory: one Postgres database, or a signer's own. */
export interface Store {
  readonly pool: Pool;
  readonly chain: ChainStore;
  readonly intents: IntentStore;
  readonly evidence: EvidenceStore;
  readonly proofs: ProofStore;
  readonly batches: BatchStore;
  readonly collateral: CollateralStore;
  readonly amdCollateral: AmdCollateralStore;
  readonly gpuCollateral: GpuCollateralStore;
  readonly blobs: BlobStore;
  readonly endpoints: EndpointStore;
  readonly leases: LeaseStore;
  readonly nodes: NodeStore;
  readonly prune: PruneStore;
  readonly secrets: SecretStore;
  readonly verdicts: SignedVerdictStore;
  readonly work: WorkStore;
  /** Resolves when the database answers; throws `store/unreachable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Whoever asks whether the store answers waits no longer. */
const PING_TIMEOUT_MS = 5_000;
const MIGRATIONS = fileURLToPath(new URL("migrations", import.meta.url));
const QUIET = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/**
 * Connects, brings the schema up to date (replicas that start together wait for each other), and gives the store.
 * @throws CharterError `store/unreachable`, `store/migration-failed`.
 */
export async function openStore(databaseUrl: string): Promise<Store> {
  const pool = openPool(databaseUrl);
  const ping = async () => {
    const query = { text: "SELECT 1", query_timeout: PING_TIMEOUT_MS };
    await pool.query(query).catch((cause: unknown) => {
      throw unreachable(cause);
    });
  };
  try {
    await ping();
    const migrating = openPool(databaseUrl, { queryTimeoutMillis: 0 });
    const dbClient = await migrating.connect();
    try {
      await runner({
        dbClient,
        dir: MIGRATIONS,
        direction: "up",
        migrationsTable: "migrations",
        advisoryLockMode: "wait",
        logger: QUIET,
      });
    } catch (cause) {
      throw new CharterError(
        "store/migration-failed",
        "the schema could not be brought up to date",
        {},
        { cause },
      );
    } finally {
      dbClient.release();
      await migrating.end();
    }
  } catch (error) {
    await pool.end();
    throw error;
  }
  const recent = new RecentEvidence();
  return {
    pool,
    chain: new ChainStore(pool),
    intents: new IntentStore(pool),
    evidence: new EvidenceStore(pool, recent),
    proofs: new ProofStore(pool, recent),
    batches: new BatchStore(pool),
    collateral: new CollateralStore(pool),
    amdCollateral: new AmdCollateralStore(pool),
    gpuCollateral: new GpuCollateralStore(pool),
    blobs: new BlobStore(pool),
    endpoints: new EndpointStore(pool),
    leases: new LeaseStore(pool),
    nodes: new NodeStore(pool),
    prune: new PruneStore(pool),
    secrets: new SecretStore(pool),
    verdicts: new SignedVerdictStore(pool),
    work: new WorkStore(pool),
    ping,
    close: () => pool.end(),
  };
}
