import { expect } from "chai";

import type { EvidenceMessage } from "../../../protocol/session/messages.ts";
import { ProofSystem } from "../../../protocol/words/enums.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { evidenceJudge } from "../../../relayer/evidence/judgeEvidence.ts";
import { intentId } from "../../../relayer/outbox/intent.ts";
import { KEEPER } from "../../../relayer/replicas/shards.ts";
import { FORGOTTEN_BLOCKS } from "../../../relayer/retention/keepDays.ts";
import { Pruner } from "../../../relayer/retention/Pruner.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import type { WorkLease } from "../../../relayer/store/workStore.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { refusal } from "../../support/refusal.ts";

const word = (n: number) => `0x${n.toString(16).padStart(64, "0")}` as Bytes32;
const address = (n: number) => `0x${n.toString(16).padStart(40, "0")}` as Address;
const deployment = { chainId: 31_337, attestationLedger: address(1), nodeRegistry: address(2) };
const APP = address(3);
const HOUR = 3_600;
const DAY = 86_400;
const NOW = Math.floor(Date.now() / 1_000);
const FINAL = 1_000_000;
/** The youngest evidence that may go. */
const OLD_BLOCK = FINAL - FORGOTTEN_BLOCKS - 1;
const KEEP_DAYS = 30;
/** Kept for as long as it is to be; what must stay is an hour younger, since the database's clock goes on. */
const LONG_AGO = NOW - KEEP_DAYS * DAY - 1;
const ENDED = NOW - 7 * DAY - 1;

const EVIDENCE: EvidenceMessage = {
  kind: "tdx",
  quote: "0x00",
  eventLog: "[]",
  vmConfig: "{}",
  blockNumber: OLD_BLOCK,
  blockHash: word(9),
};

interface Piece {
  readonly digest: Bytes32;
  readonly key: Address;
  readonly purpose: "instance" | "node";
  readonly block: number;
  readonly acceptedAt: number;
  readonly validUntil: number;
}

describe("retention", function () {
  this.timeout(60_000);
  let store: Store;
  let lease: WorkLease;
  let live: Address[];
  let pruned: Record<string, number>;
  let serial = 100;
  let nonce = 0;
  let clock = NOW;

  before(async () => {
    store = await openStore(await freshDatabase());
  });
  after(() => store.close());
  beforeEach(async () => {
    await store.pool.query(
      "TRUNCATE evidence, proofs, batches, batch_leaves, intents, work_leases, chain_cursor, signed_verdicts CASCADE",
    );
    await finalIs(FINAL);
    [lease] = (await store.work.take("one", [KEEPER], 600_000)) as [WorkLease];
    [live, pruned, clock] = [[], {}, NOW];
  });

  const finalIs = (number: number) =>
    store.pool.query(
      `INSERT INTO chain_cursor (chain_id, genesis_hash, app_registry, final_number, final_hash, final_parent_hash,
         final_timestamp) VALUES (31337, $1, $1, $2, $1, $1, 0) ON CONFLICT (one) DO UPDATE SET final_number = $2`,
      [word(1), number],
    );
  const pruner = (keepDays = KEEP_DAYS, held: () => WorkLease | undefined = () => lease) =>
    new Pruner({
      ...{ pool: store.pool, store: store.prune, deployment, keepDays, lease: held },
      liveNodes: () => new Set(live),
      onPruned: (table, rows) => (pruned[table] = (pruned[table] ?? 0) + rows),
      onFailed: (cause) => expect.fail(String(cause)),
      now: () => clock,
    });
  const pass = (keepDays?: number) => pruner(keepDays).pass(new AbortController().signal);

  /** Accepted evidence, over in every respect unless told. */
  const accepted = async (over: Partial<Piece> = {}): Promise<Piece> => {
    const n = ++serial;
    const purpose = over.purpose ?? "instance";
    const piece: Piece = {
      ...{ digest: word(n), key: address(n), purpose, block: OLD_BLOCK, acceptedAt: LONG_AGO },
      validUntil: ENDED,
      ...over,
    };
    await store.pool.query(
      `INSERT INTO evidence (digest, purpose, subject, key, node, verdict, evidence, evidence_block, valid_until, accepted_at)
       VALUES ($1, $2, $3, $4, $5, '{}', $6, $7, $8, $9)`,
      [
        ...[piece.digest, purpose, APP, piece.key, purpose === "node" ? null : 1, JSON.stringify(EVIDENCE)],
        ...[piece.block, piece.validUntil, piece.acceptedAt],
      ],
    );
    return piece;
  };
  /** Its proof by a system, and the intent that enters it, in these states. */
  const proven = async (
    { digest, key, purpose }: Piece,
    state: string,
    intent?: { readonly state: string; readonly included?: number },
    system: ProofSystem = ProofSystem.Committee,
  ): Promise<Bytes32> => {
    const contract = purpose === "instance" ? deployment.attestationLedger : deployment.nodeRegistry;
    const id = intentId({ chainId: 31_337, contract, subject: APP, key, evidenceDigest: digest, system });
    if (intent !== undefined) await planned(id, intent.state, intent.included);
    await store.pool.query(
      `INSERT INTO proofs (id, evidence_digest, system, batchable, combines, key_signature, state, intent, created_at)
       VALUES ($1, $2, $3, true, false, '0x', $4, $5, to_timestamp($6))`,
      [id, digest, system, state, intent === undefined ? null : id, LONG_AGO],
    );
    return id;
  };
  const planned = async (id: Bytes32, state: string, included = OLD_BLOCK, updatedAt = LONG_AGO) => {
    const bare = state === "planned" || state === "failed" || state === "replaced";
    await store.pool.query(
      `INSERT INTO intents (id, signer, destination, data, label, state, nonce, included_number, updated_at)
       VALUES ($1, $2, $2, '0x', 'test', $3, $4, $5, to_timestamp($6))`,
      [id, address(8), state, bare ? null : ++nonce, state === "final" ? included : null, updatedAt],
    );
    if (!bare) {
      await store.pool.query(
        `INSERT INTO transactions (hash, intent_id, nonce, raw, max_fee_per_gas, max_priority_fee_per_gas, gas)
         VALUES ($1, $2, $3, '0x', 1, 1, 1)`,
        [word(900_000 + nonce), id, nonce],
      );
    }
    return id;
  };
  const batch = async (state: string, proof: Bytes32, intent: Bytes32, createdAt = LONG_AGO) => {
    const root = word(++serial + 1_000_000);
    await store.pool.query(
      "INSERT INTO batches (root, intent, count, state, created_at) VALUES ($1, $2, 1, $3, to_timestamp($4))",
      [root, intent, state, createdAt],
    );
    await store.pool.query(
      "INSERT INTO batch_leaves (root, position, proof, facts) VALUES ($1, 0, $2, '0x')",
      [root, proof],
    );
    return root;
  };
  const left = async (table: string): Promise<number> => {
    const { rows } = await store.pool.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
    return rows[0]?.count ?? -1;
  };
  const stays = async ({ digest }: Piece) => (await store.evidence.byDigest(digest)) !== null;

  it("deletes evidence that is over with its proofs, their intents, transactions and batches, and tells how many rows", async () => {
    const direct = await accepted();
    await proven(direct, "planned", { state: "final" }, ProofSystem.Direct);
    await proven(direct, "failed");
    const batched = await proven(await accepted(), "planned");
    await batch("done", batched, await planned(word(++serial), "final"));
    await accepted({ purpose: "node" });
    await planned(word(++serial), "replaced");

    await pass();
    for (const table of ["evidence", "proofs", "intents", "transactions", "batches", "batch_leaves"])
      expect(await left(table), table).to.equal(0);
    expect(pruned).to.deep.equal({ evidence: 3, proofs: 3, batches: 1, intents: 3 });
  });

  it("keeps evidence that anything may still ask for", async () => {
    const kept = new Map<string, Piece>();
    kept.set("accepted within the days", await accepted({ acceptedAt: LONG_AGO + HOUR }));
    kept.set("of a block that is judged", await accepted({ block: OLD_BLOCK + 1 }));
    kept.set("newest, and its verdict holds", await accepted({ validUntil: NOW + DAY }));
    kept.set("newest, and may be claimed", await accepted({ validUntil: ENDED + HOUR }));
    for (const state of ["wanted", "batched"]) {
      const piece = await accepted();
      await proven(piece, state);
      kept.set(`proof ${state}`, piece);
    }
    for (const state of ["planned", "signed", "sent", "included", "failed", "replaced"]) {
      const piece = await accepted();
      await proven(piece, "planned", { state });
      kept.set(`proof planned, its intent ${state}`, piece);
    }
    const shallow = await accepted();
    await proven(shallow, "planned", { state: "final", included: OLD_BLOCK + 1 });
    kept.set("proof planned, its intent final of late", shallow);
    const oneOpen = await accepted();
    await proven(oneOpen, "failed");
    await proven(oneOpen, "wanted", undefined, ProofSystem.Direct);
    kept.set("one of two proofs wanted", oneOpen);
    for (const state of ["posting", "claiming"]) {
      const piece = await accepted();
      await batch(state, await proven(piece, "failed"), word(++serial));
      kept.set(`leaf of a batch in ${state}`, piece);
    }
    const node = await accepted({ purpose: "node" });
    live.push(node.key);
    kept.set("newest of a registered node", node);
    const proofs = await left("proofs");

    await pass();
    for (const [why, piece] of kept) expect(await stays(piece), why).to.equal(true);
    expect(await left("proofs")).to.equal(proofs);
    expect(pruned).to.deep.equal({});
  });

  it("takes the older evidence of a key first, so that its newest is never older than it was", async () => {
    const older = await accepted({ validUntil: NOW + DAY, block: OLD_BLOCK - 1 });
    const newest = await accepted({ key: older.key });
    const ofNode = await accepted({ purpose: "node", block: OLD_BLOCK - 1 });
    const nodesNewest = await accepted({ purpose: "node", key: ofNode.key });
    live.push(ofNode.key);

    await pass();
    expect([await stays(older), await stays(newest)]).to.deep.equal([false, true]);
    expect([await stays(ofNode), await stays(nodesNewest)]).to.deep.equal([false, true]);
    await pass();
    expect([await stays(newest), await stays(nodesNewest)]).to.deep.equal([false, true]);
  });

  it("deletes nothing that would be judged and accepted once more", async () => {
    const piece = await accepted();
    await pass();
    expect(await stays(piece)).to.equal(false);
    // A node that is half as far behind again as evidence may be old.
    for (const final of [FINAL, FINAL - 8_191]) {
      const judge = evidenceJudge({
        chainId: 31_337,
        ledger: deployment.attestationLedger,
        nodeRegistry: deployment.nodeRegistry,
        blocks: { finalNumber: async () => BigInt(final), hashOf: async () => word(9) },
        verify: () => expect.fail("evidence this old is not looked at"),
        verifyGpu: () => expect.fail("evidence this old is not looked at"),
      });
      const again = judge({ purpose: "instance", subject: APP, key: piece.key }, EVIDENCE);
      expect(await refusal(again)).to.equal("evidence/too-old");
    }
  });

  it("keeps intents that something names or that may still have their effect", async () => {
    const kept = new Map<string, Bytes32>();
    const young = await accepted({ acceptedAt: LONG_AGO + HOUR });
    kept.set("a proof's own", await proven(young, "failed", { state: "failed" }));
    const claim = await planned(word(++serial), "final");
    kept.set("claim of a leaf", claim);
    const post = await planned(word(++serial), "final");
    kept.set("posting of a batch", post);
    const root = await batch("done", await proven(await accepted(), "wanted"), post, LONG_AGO + HOUR);
    await store.pool.query("UPDATE batch_leaves SET claim = $2 WHERE root = $1", [root, claim]);
    const named = await planned(word(++serial), "final");
    const batched = await proven(await accepted({ acceptedAt: LONG_AGO + HOUR }), "planned");
    await store.pool.query("UPDATE proofs SET intent = $2 WHERE id = $1", [batched, named]);
    kept.set("what brought a batched proof", named);
    for (const state of ["planned", "signed", "sent", "included"])
      kept.set(state, await planned(word(++serial), state));
    kept.set("final of late", await planned(word(++serial), "final", OLD_BLOCK + 1));
    kept.set("ended of late", await planned(word(++serial), "failed", undefined, LONG_AGO + HOUR));
    const upkeep = await planned(word(++serial), "final");

    await pass();
    for (const [why, id] of kept) expect(await store.intents.byId(id), why).not.to.equal(null);
    expect(await store.intents.byId(upkeep)).to.equal(null);
  });

  it("keeps batches for as long as their leaves may be claimed, however few the days", async () => {
    const old = NOW - 8 * DAY;
    await batch("done", word(1), word(2), old + HOUR);
    await batch("failed", word(1), word(2), old - 1);
    await batch("claiming", word(1), word(2));
    await pass(1);
    expect([await left("batches"), await left("batch_leaves"), pruned]).to.deep.equal([2, 2, { batches: 1 }]);
  });

  it("deletes proofs whose evidence is gone, of which nothing can be made", async () => {
    await proven({ ...(await accepted()), digest: word(7) }, "wanted");
    await pass();
    expect(await left("proofs")).to.equal(0);
  });

  it("waits for nobody: what another transaction holds stays until the next pass", async () => {
    const piece = await accepted();
    const id = await proven(piece, "failed");
    const client = await store.pool.connect();
    try {
      await client.query("BEGIN");
      await client.query("SELECT FROM proofs WHERE id = $1 FOR UPDATE", [id]);
      await pass();
      expect(await stays(piece)).to.equal(true);
      await client.query("ROLLBACK");
    } finally {
      client.release();
    }
    await pass();
    expect(await stays(piece)).to.equal(false);
  });

  it("deletes nothing without the lease, under one that another took over, or before a block was final", async () => {
    const piece = await accepted();
    await planned(word(++serial), "failed");
    await batch("done", word(1), word(2));
    const rows = async () => [await left("evidence"), await left("intents"), await left("batches")];

    await pruner(KEEP_DAYS, () => undefined).pass(new AbortController().signal);
    await store.pool.query("UPDATE work_leases SET expires_at = '-infinity'");
    await pass(); // Nobody's.
    const [other] = await store.work.take("other", [KEEPER], 600_000);
    await pass(); // Another's: its fence is higher.
    expect(await rows()).to.deep.equal([1, 1, 1]);

    lease = other as WorkLease;
    await pass(0); // Told to keep everything.
    expect(await rows()).to.deep.equal([1, 1, 1]);
    await store.pool.query("DELETE FROM chain_cursor");
    await pass();
    expect([await stays(piece), await left("intents")]).to.deep.equal([true, 1]);
    await finalIs(FINAL);
    await pass();
    expect(await rows()).to.deep.equal([0, 0, 0]);
  });

  it("believes no clock that is ahead of the database's, nor the database's where it is ahead", async () => {
    const piece = await accepted({ acceptedAt: LONG_AGO + HOUR, validUntil: NOW });
    clock = NOW + 1_000 * DAY;
    await pass();
    expect(await stays(piece)).to.equal(true);
    const over = await accepted();
    clock = NOW - DAY;
    await pass();
    expect(await stays(over)).to.equal(true);
    clock = NOW;
    await pass();
    expect([await stays(piece), await stays(over)]).to.deep.equal([true, false]);
  });

  it("finds rows on every page", async () => {
    await store.pool.query(
      `INSERT INTO intents (id, signer, destination, data, label, state, updated_at)
       SELECT '0x' || n, $1, $1, repeat(md5(n::text), 20), 'test', 'failed', to_timestamp($2)
       FROM generate_series(1, 3000) AS n`,
      [address(8), LONG_AGO],
    );
    await pass();
    expect([await left("intents"), pruned]).to.deep.equal([0, { intents: 3_000 }]);
  });
});
