import type { Pool } from "pg";

import type { ChainStore } from "./chainStore.ts";
import type { IntentStore } from "./intentStore.ts";
import type { BlobStore, EvidenceStore, SignedVerdictStore } from "./records.ts";

/** The relayer's memory: one Postgres database, or a signer's own. */
export interface Store {
  readonly pool: Pool;
  readonly chain: ChainStore;
  readonly intents: IntentStore;
  readonly evidence: EvidenceStore;
  readonly blobs: BlobStore;
  readonly verdicts: SignedVerdictStore;
  /** Resolves when the database answers; throws `store/unreachable`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Connects, brings the schema up to date, and gives the store. @throws CharterError `store/unreachable`. */
export declare function openStore(databaseUrl: string): Promise<Store>;
