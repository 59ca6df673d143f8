import type { Pool } from "pg";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { VerdictMessage } from "../../protocol/session/messages.ts";
import type { Bytes32, Hex } from "../../protocol/words/hex.ts";
import { FORGOTTEN_BLOCKS } from "../retention/keepDays.ts";
import type { HeapWindow } from "./heapWindows.ts";
import { wordArray } from "./valueRows.ts";

/** How long a verdict may be signed in a batch after it was reached: collateral moves on. */
const JUDGED_SECONDS = 300;

/** What a committee signer has put its name to: at most one verdict per piece of evidence, for as long as it judges that. */
export class SignedVerdictStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Claims the right to sign `verdictDigest` (EIP-712) for `evidenceDigest`. Call it before signing: the claim is
   * durable when it returns.
   * @param evidenceBlock number of the block that the evidence binds.
   * @throws CharterError `committee/conflicting-verdict` when another verdict was claimed for this evidence.
   */
  async claim(evidenceDigest: Bytes32, verdictDigest: Bytes32, evidenceBlock: number): Promise<void> {
    await this.#pool.query(
      `INSERT INTO signed_verdicts (evidence_digest, verdict_digest, evidence_block) VALUES ($1, $2, $3)
       ON CONFLICT DO NOTHING`,
      [evidenceDigest, verdictDigest, evidenceBlock],
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

  /**
   * The same for several pieces of evidence at once, keeping what was found of each.
   * @return digests of the evidence that no other verdict was claimed for.
   */
  async claimAll(
    all: readonly { readonly verdict: VerdictMessage; readonly identity: Bytes32 }[],
  ): Promise<Set<Bytes32>> {
    const sorted = [...new Map(all.map((each) => [each.verdict.evidenceDigest, each])).values()].sort(
      (a, b) => (a.verdict.evidenceDigest < b.verdict.evidenceDigest ? -1 : 1),
    );
    const { rows } = await this.#pool.query<{ evidence_digest: Bytes32 }>(
      `INSERT INTO signed_verdicts AS kept (evidence_digest, verdict_digest, verdict, judged_at)
       SELECT digest, identity, verdict, now()
       FROM unnest($1::text[], $2::text[], $3::json[]) AS found (digest, identity, verdict)
       ON CONFLICT (evidence_digest) DO UPDATE SET verdict = excluded.verdict, judged_at = now()
       WHERE kept.verdict_digest = excluded.verdict_digest RETURNING evidence_digest`,
      [
        wordArray(sorted.map(({ verdict }) => verdict.evidenceDigest)),
        wordArray(sorted.map(({ identity }) => identity)),
        sorted.map(({ verdict }) => JSON.stringify(verdict)),
      ],
    );
    return new Set(rows.map((row) => row.evidence_digest));
  }

  /** What was found lately of these pieces of evidence. */
  async judged(evidenceDigests: readonly Bytes32[]): Promise<Map<Bytes32, VerdictMessage>> {
    const { rows } = await this.#pool.query<{ evidence_digest: Bytes32; verdict: VerdictMessage }>(
      `SELECT evidence_digest, verdict FROM signed_verdicts
       WHERE evidence_digest = ANY($1::text[]) AND verdict IS NOT NULL AND judged_at > now() - $2 * interval '1 second'`,
      [wordArray(evidenceDigests), JUDGED_SECONDS],
    );
    return new Map(rows.map((row) => [row.evidence_digest, row.verdict]));
  }

  /**
   * Deletes claims on these pages of evidence that is so old that no signer judges it. One of an earlier version that does
   * not say how old its evidence is stays. @return how many.
   */
  async prune({ from, to }: HeapWindow, keepDays: number, finalBlock: bigint): Promise<number> {
    const { rowCount } = await this.#pool.query(
      `DELETE FROM signed_verdicts WHERE ctid >= $1::tid AND ctid < $2::tid
         AND greatest(created_at, judged_at) < now() - $3 * interval '1 day'
         AND coalesce(evidence_block, (verdict->>'evidenceBlock')::bigint) < $4`,
      [from, to, keepDays, (finalBlock - BigInt(FORGOTTEN_BLOCKS)).toString()],
    );
    return rowCount ?? 0;
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
