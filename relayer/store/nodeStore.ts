import type { Pool } from "pg";

import type { Drain } from "../../protocol/placement/drain.ts";
import { CLOSED_SECONDS } from "../../protocol/placement/closedNode.ts";
import type { NodeReportMessage } from "../../protocol/session/nodeReport.ts";
import type { Address, Hex } from "../../protocol/words/hex.ts";

/** A drain with who signed it. */
export interface SignedDrain extends Drain {
  readonly operator: Address;
  readonly signature: Hex;
}

/** When an agent was heard; unix seconds. */
export interface Heard {
  readonly node: number;
  readonly lastAt: number;
  /** The first of the words that came without a gap since. */
  readonly steadySince: number;
}

/** The last report by which a node took on nothing new. */
export interface ClosingReport extends NodeReportMessage {
  readonly key: Address;
  /** Unix seconds: since when it has said so, again and again. */
  readonly since: number;
}

/** What is known of nodes beside the chain, shared by an operator's replicas. */
export class NodeStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Keeps an operator's word unless a later one is known, or another of the same second; says whether it is kept. One that is
   * told to several replicas of one database is kept by each.
   */
  async drain({ node, draining, at, operator, signature }: SignedDrain): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `INSERT INTO node_drains (node, draining, signed_at, operator, signature) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (node) DO UPDATE SET draining = $2, signed_at = $3, operator = $4, signature = $5
       WHERE node_drains.signed_at < $3 OR (node_drains.signed_at = $3 AND node_drains.draining = $2)`,
      [node, draining, at, operator, signature],
    );
    return rowCount === 1;
  }

  /** The last word on every node that there is one of. */
  async drains(): Promise<SignedDrain[]> {
    const { rows } = await this.#pool.query<{
      node: string;
      draining: boolean;
      signed_at: string;
      operator: Address;
      signature: Hex;
    }>("SELECT node, draining, signed_at, operator, signature FROM node_drains ORDER BY node");
    return rows.map(({ node, draining, signed_at, operator, signature }) => ({
      node: Number(node),
      draining,
      at: Number(signed_at),
      operator,
      signature,
    }));
  }

  /** Keeps a node's word on itself unless a later one is known; says whether it was kept. */
  async report(
    key: Address,
    { report, at, signature }: NodeReportMessage,
    closes: boolean,
  ): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `INSERT INTO node_reports AS kept
         (key, report, signed_at, signature, closed_report, closed_at, closed_signature, closed_since)
       SELECT $1, $2::text, $3::bigint, $4::text, CASE WHEN $5::boolean THEN $2::text END,
         CASE WHEN $5 THEN $3::bigint END, CASE WHEN $5 THEN $4::text END, CASE WHEN $5 THEN $3::bigint END
       ON CONFLICT (key) DO UPDATE SET
         report = excluded.report, signed_at = excluded.signed_at, signature = excluded.signature,
         closed_report = coalesce(excluded.closed_report, kept.closed_report),
         closed_at = coalesce(excluded.closed_at, kept.closed_at),
         closed_signature = coalesce(excluded.closed_signature, kept.closed_signature),
         closed_since = CASE WHEN excluded.closed_at - kept.closed_at <= $6::bigint THEN kept.closed_since
           ELSE coalesce(excluded.closed_since, kept.closed_since) END
       WHERE kept.signed_at < excluded.signed_at`,
      [key, report, at, signature, closes, CLOSED_SECONDS],
    );
    return rowCount === 1;
  }

  /** Of every node that closed itself after `after`, the last word by which it did. */
  async closingReports(after: number): Promise<ClosingReport[]> {
    const { rows } = await this.#pool.query<{
      key: Address;
      closed_report: string;
      closed_at: string;
      closed_signature: Hex;
      closed_since: string;
    }>(
      `SELECT key, closed_report, closed_at, closed_signature, closed_since FROM node_reports
       WHERE closed_at > $1 ORDER BY key`,
      [after],
    );
    return rows.map(({ key, closed_report, closed_at, closed_signature, closed_since }) => ({
      ...{ key, report: closed_report, at: Number(closed_at), signature: closed_signature },
      since: Number(closed_since),
    }));
  }

  /** A node's last word on itself; null where there is none. */
  async lastReport(key: Address): Promise<NodeReportMessage | null> {
    const { rows } = await this.#pool.query<{ report: string; signed_at: string; signature: Hex }>(
      "SELECT report, signed_at, signature FROM node_reports WHERE key = $1",
      [key],
    );
    const [row] = rows;
    return row === undefined
      ? null
      : { report: row.report, at: Number(row.signed_at), signature: row.signature };
  }

  /** The last word of each of these nodes that has said one. */
  async lastReports(keys: readonly Address[]): Promise<Map<Address, NodeReportMessage>> {
    const { rows } = await this.#pool.query<{
      key: Address;
      report: string;
      signed_at: string;
      signature: Hex;
    }>("SELECT key, report, signed_at, signature FROM node_reports WHERE key = ANY($1)", [keys]);
    return new Map(
      rows.map(({ key, report, signed_at, signature }) => [
        key,
        { report, at: Number(signed_at), signature },
      ]),
    );
  }

  /** These nodes' agents were heard at `now`; who had been quiet for longer than `gapSeconds` begins anew. */
  async hear(nodes: readonly number[], now: number, gapSeconds: number): Promise<void> {
    await this.#pool.query(
      `INSERT INTO node_heard (node, last_at, steady_since)
       SELECT node, $2::bigint, 0 FROM unnest($1::bigint[]) AS node
       ON CONFLICT (node) DO UPDATE SET
         steady_since = CASE WHEN $2::bigint - node_heard.last_at > $3 THEN $2 ELSE node_heard.steady_since END,
         last_at = GREATEST(node_heard.last_at, $2::bigint)`,
      [nodes, now, gapSeconds],
    );
  }

  /** Every agent that was ever heard. */
  async heard(): Promise<Heard[]> {
    const { rows } = await this.#pool.query<{ node: string; last_at: string; steady_since: string }>(
      "SELECT node, last_at, steady_since FROM node_heard",
    );
    return rows.map(({ node, last_at, steady_since }) => ({
      node: Number(node),
      lastAt: Number(last_at),
      steadySince: Number(steady_since),
    }));
  }
}
