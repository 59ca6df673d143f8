import type { Pool } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Bytes32, Hex } from "../../protocol/words/hex.ts";

/** What a committee signer has put its name to: at most one verdict per piece of evidence, for good. */
export class SignedVerdictStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Claims the right to sign `verdictDigest` (EIP-712) for `evidenceDigest`. Call it before signing: the claim is
   * durable when it returns.
   * @throws CharterError `committee/conflicting-verdict` when another verdict was claimed for this evidence.
   */
  async claim(evidenceDigest: Bytes32, verdictDigest: Bytes32): Promise<void> {
    await this.#pool.query(
      "INSERT INTO signed_verdicts (evidence_digest, verdict_digest) VALUES ($1, $2) ON CONFLICT DO NOTHING",
      [evidenceDigest, verdictDigest],
    );
    const { rows } = await this.#pool.query<{ verdict_digest: string }>(
      "SELECT verdict_digest FROM signed_verdicts WHERE evidence_digest = $1",
      [evidenceDigest],
    );
    const claimed = rows[0]?.verdict_digest;
    if (claimed !== verdictDigest) {
      throw new CharterError(
        "committee/conflicting-verdict",
        "another verdict over this evidence was signed",
        {
          evidenceDigest,
          expected: claimed,
          actual: verdictDigest,
        },
      );
    }
  }

  /** Keeps the signature beside its claim. */
  async record(evidenceDigest: Bytes32, signature: Hex): Promise<void> {
    await this.#pool.query("UPDATE signed_verdicts SET signature = $2 WHERE evidence_digest = $1", [
      evidenceDigest,
      signature,
    ]);
  }

  /** The claimed verdict and its signature, null when this evidence was never judged here. */
  async find(evidenceDigest: Bytes32): Promise<{ verdictDigest: Bytes32; signature: Hex | null } | null> {
    const { rows } = await this.#pool.query<{ verdict_digest: Bytes32; signature: Hex | null }>(
      "SELECT verdict_digest, signature FROM signed_verdicts WHERE evidence_digest = $1",
      [evidenceDigest],
    );
    const row = rows[0];
    return row ? { verdictDigest: row.verdict_digest, signature: row.signature } : null;
  }
}
