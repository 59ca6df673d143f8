import type { Store } from "../../../relayer/store/store.ts";
import { ADMIN } from "../../relayer/support/stack.ts";

/** An intent that is under way, or a proof that is to become one. */
export interface OpenIntent {
  readonly label: string;
  readonly state: string;
  readonly nonce: string | null;
  readonly included_number: string | null;
  readonly error: unknown;
}

/** What of a chain it takes to advance it. */
interface Chain {
  rpc<T>(method: string, ...params: unknown[]): Promise<T>;
  /** Mines so many blocks. */
  mine(blocks: number): Promise<void>;
}

/** A chain that nobody sends to goes on all the same, so often. */
const IDLE_MS = 1_000;

/**
 * What is not through. A proof that failed counts, unless the same key has given newer evidence since: that stands for it,
 * and the ledger takes no older one after it.
 */
export async function openWork(store: Store): Promise<OpenIntent[]> {
  const { rows } = await store.pool.query<OpenIntent>(
    `SELECT label, state, nonce, included_number, error FROM intents
     WHERE state NOT IN ('final', 'failed', 'replaced')
     UNION ALL
     SELECT 'proof', state, NULL, NULL, error FROM proofs JOIN evidence ON digest = evidence_digest
     WHERE state IN ('wanted', 'batched') OR (state = 'failed' AND NOT EXISTS (
       SELECT FROM evidence AS newer WHERE newer.purpose = evidence.purpose AND newer.subject = evidence.subject
         AND newer.key = evidence.key AND newer.accepted_at >= evidence.accepted_at AND newer.digest <> evidence.digest))`,
  );
  return rows;
}

/** What became of the proofs of this evidence, for whoever looks into a failure. */
export async function fateOf(store: Store, digests: readonly string[]): Promise<unknown[]> {
  const { rows } = await store.pool.query<object>(
    `SELECT digest, proofs.state, proofs.attempts, proofs.error, proofs.shard, proofs.held_until, intents.label,
       intents.state AS intent, intents.nonce, intents.error AS refusal, batches.state AS batch
     FROM evidence LEFT JOIN proofs ON evidence_digest = digest LEFT JOIN intents ON intents.id = proofs.intent
     LEFT JOIN batch_leaves ON batch_leaves.proof = proofs.id LEFT JOIN batches USING (root)
     WHERE digest = ANY($1)`,
    [digests],
  );
  return rows;
}

/** Who has which lease, and what each relayer says of itself. */
export async function headsOf(store: Store, urls: readonly string[]): Promise<unknown> {
  const { rows: writers } = await store.pool.query<object>(
    "SELECT holder, fence, next_nonce, expires_at - now() AS left FROM signer_lease",
  );
  const { rows: workers } = await store.pool.query<object>(
    "SELECT holder, count(*), max(expires_at) - now() AS left FROM work_leases GROUP BY holder",
  );
  const said = await Promise.all(
    urls.map(async (url) => {
      try {
        const answers = ["/health", "/metrics"].map((path) => fetch(url + path, { headers: ADMIN }));
        const [health = "", metrics = ""] = await Promise.all(
          answers.map(async (answer) => (await answer).text()),
        );
        return { health, metrics: metrics.split("\n").filter((line) => /^charter_(outbox|rpc)/.test(line)) };
      } catch (error) {
        return String(error);
      }
    }),
  );
  return { writers, workers, said };
}

/** Mines what open work waits for, and little more: evidence ages with every block, and so do 500 runs. */
export class Miner {
  readonly #chain: Chain;
  readonly #confirmations: number;
  #head = -1;
  #movedAt = 0;

  constructor(chain: Chain, confirmations: number) {
    this.#chain = chain;
    this.#confirmations = confirmations;
  }

  /** One block where something waits for one, and as many as finality needs where all is included. */
  async advance(open: readonly OpenIntent[]): Promise<void> {
    const [head, pool] = await Promise.all([
      this.#chain.rpc<string>("eth_blockNumber"),
      this.#chain.rpc<{ pending: string }>("txpool_status"),
    ]);
    if (Number(head) !== this.#head) {
      this.#head = Number(head);
      this.#movedAt = performance.now();
    }
    if (Number(pool.pending) > 0) return this.#chain.mine(1);
    const isIdle = performance.now() - this.#movedAt > IDLE_MS;
    if (open.some(({ state }) => state === "sent" || state === "signed")) {
      // As when a reorg dropped it: who sends it again does so once per block.
      return isIdle ? this.#chain.mine(1) : undefined;
    }
    const included = open.flatMap(({ included_number: number }) => (number === null ? [] : [Number(number)]));
    if (included.length === 0) return isIdle && open.length > 0 ? this.#chain.mine(1) : undefined;
    const missing = Math.max(...included) + this.#confirmations - Number(head);
    if (missing > 0) await this.#chain.mine(missing);
  }
}
