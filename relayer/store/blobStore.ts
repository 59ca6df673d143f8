import type { Pool } from "pg";

import type { Bytes32 } from "../../protocol/words/hex.ts";

/** Manifests and notes by the SHA-256 of their bytes. */
export class BlobStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Stores bytes (at most 1 MiB) under their digest; the caller checked that they belong together. Idempotent. */
  async put(digest: Bytes32, bytes: Uint8Array): Promise<void> {
    await this.#pool.query("INSERT INTO blobs (digest, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING", [
      digest,
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    ]);
  }

  async get(digest: Bytes32): Promise<Uint8Array | null> {
    const { rows } = await this.#pool.query<{ bytes: Buffer }>("SELECT bytes FROM blobs WHERE digest = $1", [
      digest,
    ]);
    return rows[0]?.bytes ?? null;
  }

  async has(digest: Bytes32): Promise<boolean> {
    const { rowCount } = await this.#pool.query("SELECT 1 FROM blobs WHERE digest = $1", [digest]);
    return rowCount === 1;
  }
}
