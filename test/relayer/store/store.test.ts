import { readdirSync } from "node:fs";

import { expect } from "chai";

import { multiplySessions } from "../../../bench/support/multiplySessions.ts";
import type { EvidenceMessage, VerdictMessage } from "../../../protocol/session/messages.ts";
import type { Address, Bytes32, PlatformId } from "../../../protocol/words/hex.ts";
import type { AcceptedEvidence } from "../../../relayer/store/evidenceStore.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { refusal } from "../../support/refusal.ts";

const word = (n: number) => `0x${n.toString(16).padStart(64, "0")}` as Bytes32;
const address = (n: number) => `0x${n.toString(16).padStart(40, "0")}` as Address;

const accepted = (
  digest: Bytes32,
  evidenceBlock: number,
  change: Partial<AcceptedEvidence> = {},
): AcceptedEvidence => {
  const evidence: EvidenceMessage = {
    kind: "tdx",
    quote: "0x00",
    eventLog: "[]",
    vmConfig: "{}",
    blockNumber: evidenceBlock,
    blockHash: word(9),
  };
  const verdict: VerdictMessage = {
    consumer: address(1),
    subject: address(2),
    key: address(3),
    evidenceBlock,
    evidenceBlockHash: word(9),
    platformId: word(4) as PlatformId,
    composeHash: word(5),
    osImageHash: word(6),
    measurementDigest: word(7),
    pinnedMeasurementDigest: word(8),
    kind: 1,
    status: 1,
    advisoriesDigest: word(0),
    evidenceDigest: digest,
    gpuDigest: word(0),
    validUntil: 2_000,
    simulated: true,
  };
  return {
    digest,
    purpose: "instance",
    subject: address(2),
    key: address(3),
    node: 1,
    verdict,
    evidence,
    acceptedAt: 1_000,
    ...change,
  };
};

describe("store", function () {
  this.timeout(60_000);
  let url: string;
  let store: Store;

  before(async () => {
    url = await freshDatabase();
    store = await openStore(url);
  });
  after(() => store.close());

  it("opens the same database twice at once, migrating it once", async () => {
    const fresh = await freshDatabase();
    const stores = await Promise.all([openStore(fresh), openStore(fresh)]);
    const { rows } = await stores[0].pool.query<{ name: string }>("SELECT name FROM migrations");
    const files = readdirSync(new URL("../../../relayer/store/migrations", import.meta.url));
    expect(files).to.include("1700000000001_initial.sql");
    expect(rows.map(({ name }) => `${name}.sql`)).to.have.members(files);
    await Promise.all(stores.map((each) => each.close()));
  });

  it("says that a database is unreachable without repeating its URL", async () => {
    const dead = "postgres://charter:secretpassword@127.0.0.1:1/none";
    expect(await refusal(openStore(dead))).to.equal("store/unreachable");
    const told: unknown = await openStore(dead).catch((error: unknown) => error);
    expect(JSON.stringify(told)).not.to.include("secretpassword");
  });

  it("has the encoding, locale and extensions that graph-node needs", async () => {
    const { rows } = await store.pool.query<{ encoding: string; locale: string }>(
      `SELECT pg_encoding_to_char(encoding) AS encoding, datcollate AS locale FROM pg_database
       WHERE datname = current_database()`,
    );
    expect(rows[0]).to.deep.equal({ encoding: "UTF8", locale: "C" });
    for (const extension of ["pg_trgm", "btree_gist", "postgres_fdw", "pg_stat_statements"]) {
      await store.pool.query(`CREATE EXTENSION ${extension}`);
    }
  });

  it("keeps bytes under their digest, once", async () => {
    expect(await store.blobs.get(word(1))).to.equal(null);
    await store.blobs.put(word(1), new TextEncoder().encode("manifest"));
    await store.blobs.put(word(1), new TextEncoder().encode("other"));
    expect(new TextDecoder().decode((await store.blobs.get(word(1))) ?? undefined)).to.equal("manifest");
    expect([await store.blobs.has(word(1)), await store.blobs.has(word(2))]).to.deep.equal([true, false]);
  });

  it("binds evidence to one key, subject and node for good", async () => {
    const evidence = accepted(word(20), 10);
    expect(await store.evidence.accept(evidence)).to.equal("new");
    expect(await store.evidence.accept({ ...evidence, acceptedAt: 1_001 })).to.equal("known");
    for (const change of [
      { key: address(99) },
      { subject: address(99) },
      { node: 2 },
      { purpose: "node", node: null },
    ] as const) {
      const replayed = store.evidence.accept({ ...evidence, ...change });
      expect(await refusal(replayed), JSON.stringify(change)).to.equal("evidence/replayed");
    }
  });

  it("gives evidence back as it came, with its quote in bytes or, where an earlier version wrote it, in JSON", async () => {
    const given = accepted(word(25), 10, { purpose: "node", node: null });
    const quoted = (quote: string) => ({ ...given, evidence: { ...given.evidence, quote } });
    await store.evidence.accept(quoted(`0x${"0aFf".repeat(300)}`));
    expect(await store.evidence.byDigest(word(25))).to.deep.equal(quoted(`0x${"0aff".repeat(300)}`));
    const { rows } = await store.pool.query<{ kept: number; json: string }>(
      "SELECT octet_length(quote) AS kept, evidence::text AS json FROM evidence WHERE digest = $1",
      [word(25)],
    );
    expect(rows[0]?.kept).to.equal(600);
    expect(rows[0]?.json).not.to.contain("quote");

    const earlier = "UPDATE evidence SET quote = NULL, evidence = $2 WHERE digest = $1";
    await store.pool.query(earlier, [word(25), JSON.stringify(quoted("0x0a").evidence)]);
    expect(await store.evidence.byDigest(word(25))).to.deep.equal(quoted("0x0a"));
  });

  it("finds the newest evidence of a key, and the sessions that a restart resumes", async () => {
    await store.evidence.accept(accepted(word(30), 12));
    await store.evidence.accept(accepted(word(31), 11));
    const latest = await store.evidence.latest("instance", address(2), address(3));
    expect(latest?.digest).to.equal(word(30));
    expect(latest).to.deep.equal(accepted(word(30), 12));
    expect((await store.evidence.instances(1_999)).map((each) => each.digest)).to.deep.equal([word(30)]);
    expect(await store.evidence.instances(2_000)).to.deep.equal([]);
  });

  it("resumes the sessions that the benchmark of many guests makes of one", async () => {
    const other = await openStore(await freshDatabase());
    try {
      const one = accepted(word(35), 12);
      await other.evidence.accept(one);
      const client = await other.pool.connect();
      try {
        await multiplySessions(client, [address(50), address(51)]);
      } finally {
        client.release();
      }
      const resumed = await other.evidence.instances(1_999);
      expect(resumed.map(({ key }) => key)).to.have.members([3, 50, 51].map(address));
      for (const { key, node, verdict } of resumed)
        expect({ node, verdict }).to.deep.equal({ node: 1, verdict: { ...one.verdict, key } });
    } finally {
      await other.close();
    }
  });

  it("lets a signer claim one verdict per evidence, also when two ask at once", async () => {
    const claims = await Promise.allSettled(
      [word(41), word(42)].map((verdict) => store.verdicts.claim(word(40), verdict, 10)),
    );
    expect(claims.map((claim) => claim.status).sort()).to.deep.equal(["fulfilled", "rejected"]);
    const kept = await store.verdicts.find(word(40));
    await store.verdicts.claim(word(40), kept?.verdictDigest ?? word(0), 10);
    await store.verdicts.record(word(40), "0x1234");
    expect((await store.verdicts.find(word(40)))?.signature).to.equal("0x1234");
  });
});
