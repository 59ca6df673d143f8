import type { Pool } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { KeyPurpose, SignedKeyBinding } from "../../protocol/keys/keyBinding.ts";
import {
  MAX_SECRETS,
  MAX_SECRETS_CHARACTERS,
  type SecretChangeMessage,
  type StoredSecret,
} from "../../protocol/session/secretMessages.ts";
import type { Address, Bytes32, Hex } from "../../protocol/words/hex.ts";
import { inTransaction } from "./transaction.ts";

/** A secret as it is kept, and since when (unix seconds). */
export interface KeptSecret extends StoredSecret {
  readonly setAt: number;
}

interface SecretRow {
  readonly name: string;
  readonly counter: string;
  readonly digest: Bytes32;
  readonly envelope: string | null;
  readonly signature: Hex;
  readonly set_at: string;
}

interface BindingRow {
  readonly instance: Address;
  readonly purpose: KeyPurpose;
  readonly ledger: Address;
  readonly public_key: Buffer;
  readonly not_after: string;
  readonly signature: Hex;
}

/** Apps' public keys and what was sealed to them. Nothing here opens anything. */
export class SecretStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** The caller has verified it. Instances that ended are forgotten on the way. */
  async putBinding(binding: SignedKeyBinding, now: number): Promise<void> {
    const { app, instance, purpose, ledger, publicKey, notAfter, signature } = binding;
    await this.#pool.query("DELETE FROM key_bindings WHERE app = $1 AND not_after < $2", [app, now]);
    await this.#pool.query(
      `INSERT INTO key_bindings (app, instance, purpose, ledger, public_key, not_after, signature)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (app, instance, purpose) DO UPDATE
       SET ledger = excluded.ledger, public_key = excluded.public_key, not_after = excluded.not_after,
           signature = excluded.signature
       WHERE key_bindings.not_after < excluded.not_after`,
      [app, instance, purpose, ledger, Buffer.from(publicKey), notAfter, signature],
    );
  }

  /** Those that have not ended, the longest first; at most 256. */
  async bindings(chainId: number, app: Address, now: number): Promise<SignedKeyBinding[]> {
    const { rows } = await this.#pool.query<BindingRow>(
      "SELECT * FROM key_bindings WHERE app = $1 AND not_after >= $2 ORDER BY not_after DESC LIMIT 256",
      [app, now],
    );
    return rows.map(({ instance, purpose, ledger, public_key, not_after, signature }) => ({
      ...{ chainId, ledger, app, instance, purpose, signature },
      publicKey: new Uint8Array(public_key),
      notAfter: Number(not_after),
    }));
  }

  /**
   * Keeps a change that the caller has verified.
   * @throws CharterError `secret/counter-stale` unless its counter is higher than all before it; `secret/too-many`.
   */
  async put(
    { app, name, counter, digest, envelope, signature }: SecretChangeMessage,
    now: number,
  ): Promise<void> {
    await inTransaction(this.#pool, async (client) => {
      // One change of an app at a time: limits hold for all of them together.
      await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", [app]);
      const kept = await client.query<{ counter: string }>(
        "SELECT counter FROM secrets WHERE app = $1 AND name = $2",
        [app, name],
      );
      const last = kept.rows[0] === undefined ? -1 : Number(kept.rows[0].counter);
      if (counter <= last) {
        throw new CharterError(
          "secret/counter-stale",
          "this secret was changed meanwhile: its counter must rise",
          {
            name,
            expected: last + 1,
            actual: counter,
          },
        );
      }
      const { rows } = await client.query<{ names: string; characters: string }>(
        `SELECT count(*) AS names, coalesce(sum(length(envelope)), 0) AS characters
         FROM secrets WHERE app = $1 AND name <> $2`,
        [app, name],
      );
      const names = Number(rows[0]?.names) + 1;
      const characters = Number(rows[0]?.characters) + (envelope?.length ?? 0);
      if (names > MAX_SECRETS || characters > MAX_SECRETS_CHARACTERS) {
        throw new CharterError("secret/too-many", "this app's secrets are more than is kept", {
          expected: { names: MAX_SECRETS, characters: MAX_SECRETS_CHARACTERS },
          actual: { names, characters },
        });
      }
      await client.query(
        `INSERT INTO secrets (app, name, counter, digest, envelope, signature, set_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (app, name) DO UPDATE
         SET counter = excluded.counter, digest = excluded.digest, envelope = excluded.envelope,
             signature = excluded.signature, set_at = excluded.set_at`,
        [app, name, counter, digest, envelope, signature, now],
      );
    });
  }

  /** By name. */
  async secrets(app: Address): Promise<KeptSecret[]> {
    const { rows } = await this.#pool.query<SecretRow>("SELECT * FROM secrets WHERE app = $1 ORDER BY name", [
      app,
    ]);
    return rows.map(({ name, counter, digest, envelope, signature, set_at }) => ({
      ...{ name, digest, envelope, signature },
      counter: Number(counter),
      setAt: Number(set_at),
    }));
  }
}
