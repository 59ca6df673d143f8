import { expect } from "chai";

import type { VerdictMessage } from "../../../protocol/session/messages.ts";
import type { Bytes32 } from "../../../protocol/words/hex.ts";
import { FORGOTTEN_BLOCKS } from "../../../relayer/retention/keepDays.ts";
import { VerdictPruner } from "../../../relayer/retention/VerdictPruner.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { freshDatabase } from "../../support/postgres.ts";

const word = (n: number) => `0x${n.toString(16).padStart(64, "0")}` as Bytes32;
const FINAL = 1_000_000;
const OLD_BLOCK = FINAL - FORGOTTEN_BLOCKS - 1;
const KEEP_DAYS = 30;

describe("retention of what a signer signed", function () {
  this.timeout(60_000);
  let store: Store;
  let pruned = 0;

  before(async () => {
    store = await openStore(await freshDatabase());
  });
  after(() => store.close());
  beforeEach(async () => {
    await store.pool.query("TRUNCATE signed_verdicts");
    pruned = 0;
  });

  /** As if they had been written so many days ago. */
  const age = (days: number, column = "created_at") =>
    store.pool.query(`UPDATE signed_verdicts SET ${column} = now() - $1 * interval '1 day'`, [days]);
  const pass = (keepDays = KEEP_DAYS) =>
    new VerdictPruner({
      ...{ pool: store.pool, verdicts: store.verdicts, keepDays },
      finalNumber: async () => BigInt(FINAL),
      onPruned: (rows) => (pruned += rows),
      onFailed: (cause) => expect.fail(String(cause)),
    }).pass(new AbortController().signal);
  const isKept = async (n: number) => (await store.verdicts.find(word(n))) !== null;
  const found = (n: number, evidenceBlock: number) => ({
    verdict: { evidenceDigest: word(n), evidenceBlock } as VerdictMessage,
    identity: word(n + 1_000),
  });

  it("forgets claims by the block of their evidence, signed alone or in a batch", async () => {
    await store.verdicts.claim(word(1), word(2), OLD_BLOCK);
    await store.verdicts.claim(word(3), word(4), OLD_BLOCK + 1);
    await store.verdicts.claimAll([found(5, OLD_BLOCK), found(6, OLD_BLOCK + 1)]);
    await store.pool.query("INSERT INTO signed_verdicts (evidence_digest, verdict_digest) VALUES ($1, $1)", [
      word(7), // As an earlier version wrote it: of nobody knows which block.
    ]);
    await age(31);
    await age(31, "judged_at");
    await pass();
    expect(await Promise.all([1, 3, 5, 6, 7].map(isKept))).to.deep.equal([false, true, false, true, true]);
    expect(pruned).to.equal(2);
  });

  it("keeps claims for the days that it was told, and all where it was told none", async () => {
    await store.verdicts.claim(word(1), word(2), OLD_BLOCK);
    await store.verdicts.claimAll([found(5, OLD_BLOCK)]);
    await age(29);
    await pass();
    await age(31);
    await pass(0);
    expect([await isKept(1), await isKept(5), pruned]).to.deep.equal([true, true, 0]);
    await pass(); // What was judged anew of late is of now.
    expect([await isKept(1), await isKept(5)]).to.deep.equal([false, true]);
  });
});
