import { expect } from "chai";
import { decodeFunctionData } from "viem";

import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { leafTree } from "../../../protocol/session/batch.ts";
import type { EvidenceMessage, VerdictMessage } from "../../../protocol/session/messages.ts";
import type { Address, Bytes32, Hex, PlatformId } from "../../../protocol/words/hex.ts";
import { Claimer } from "../../../relayer/batches/Claimer.ts";
import type { ClaimRule, Posting } from "../../../relayer/batches/Claimer.ts";
import { leafOf } from "../../../relayer/batches/leaf.ts";
import { Prover } from "../../../relayer/evidence/Prover.ts";
import type { ProofStep } from "../../../relayer/evidence/Prover.ts";
import { ALL_WORK } from "../../../relayer/replicas/shards.ts";
import type { OpenProof, WantedProof } from "../../../relayer/store/proofStore.ts";
import { ProofStore } from "../../../relayer/store/proofStore.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import type { WorkLease } from "../../../relayer/store/workStore.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { refusal } from "../../support/refusal.ts";

const word = (n: number) => `0x${n.toString(16).padStart(64, "0")}` as Bytes32;
const address = (n: number) => `0x${n.toString(16).padStart(40, "0")}` as Address;
const LEDGER = address(1);
const PAYER = address(2);
const SIGNATURE: Hex = `0x${"5a".repeat(64)}1b`;
const deployment = { chainId: 31_337, attestationLedger: LEDGER, nodeRegistry: address(9) };

const verdictOf = (n: number, evidenceBlock = 7): VerdictMessage => ({
  consumer: LEDGER,
  subject: address(3),
  key: address(n),
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
  evidenceDigest: word(100_000 + n * 1_000 + evidenceBlock),
  gpuDigest: word(0),
  validUntil: 2_000_000_000,
  simulated: true,
});
const EVIDENCE: EvidenceMessage = {
  kind: "tdx",
  quote: "0x00",
  eventLog: "[]",
  vmConfig: "{}",
  blockNumber: 7,
  blockHash: word(9),
};

describe("proofs from acceptance to claims", function () {
  this.timeout(60_000);
  let store: Store;
  let leases: WorkLease[];
  let keys = 10;

  before(async () => {
    store = await openStore(await freshDatabase());
  });
  after(() => store.close());
  beforeEach(async () => {
    await store.pool.query(
      "TRUNCATE evidence, proofs, batches, batch_leaves, intents, work_leases, signer_lease CASCADE",
    );
    leases = await store.work.take("one", ALL_WORK, 600_000);
  });
  /** Another replica has all the work from now on, as when the one before was not heard of. */
  const takeOver = async () => {
    await store.pool.query("UPDATE work_leases SET expires_at = '-infinity'");
    return store.work.take("other", ALL_WORK, 600_000);
  };

  const accept = async (verdict: VerdictMessage, over: Partial<WantedProof> = {}) => {
    const { evidenceDigest, subject, key } = verdict;
    const proof = {
      id: word(Number(BigInt(evidenceDigest)) + 500_000_000),
      evidenceDigest,
      system: 2,
      batchable: true,
      combines: false,
      keySignature: SIGNATURE,
      operatorSignature: null,
      ...over,
    } as const;
    await store.evidence.accept(
      {
        digest: evidenceDigest,
        purpose: "instance",
        subject,
        key,
        node: 4,
        verdict,
        evidence: EVIDENCE,
        acceptedAt: 1,
      },
      [proof],
    );
    return proof.id;
  };
  const stateOf = async (id: Bytes32) => (await store.proofs.byId(id))?.state;
  let nonce = 0;
  /** An intent as the outbox leaves it. */
  const set = (id: Bytes32, state: "final" | "failed", error: object | null = null) =>
    store.pool.query("UPDATE intents SET state = $2, error = $3, nonce = $4 WHERE id = $1", [
      id,
      state,
      error === null ? null : JSON.stringify(error),
      state === "final" ? ++nonce : null,
    ]);

  const POST = word(0xb0);
  const POST_REQUEST = { id: POST, to: LEDGER, data: "0x01", label: "batch.post" } as const;
  /** A signed batch of so many accepted verdicts, kept as the batcher does. */
  async function batchOf(count: number) {
    const verdicts = Array.from({ length: count }, () => verdictOf(++keys));
    for (const verdict of verdicts) await accept(verdict);
    const taken = await store.proofs.take("batchable", count, leases);
    const tree = treeOf(verdicts);
    await store.batches.keep(tree, byDigest(taken), PAYER, POST_REQUEST);
    return { tree, ids: taken.map(({ id }) => id) };
  }
  const byDigest = (taken: readonly OpenProof[]) =>
    new Map(taken.map((proof) => [proof.evidenceDigest, proof]));
  const treeOf = (verdicts: readonly VerdictMessage[]) => {
    const terms = { release: 1, node: 4, image: 1, combines: false, expiresAt: 2_000_000_000 };
    return leafTree(verdicts.map((verdict) => leafOf(verdict, terms)));
  };
  const claimer = (rule: ClaimRule = "relayer", posting: Posting = "none") =>
    new Claimer({
      deployment,
      signer: PAYER,
      rule,
      store: store.batches,
      leases: () => leases,
      intentById: (id) => store.intents.byId(id),
      plan: (request) => store.intents.plan(PAYER, request),
      postingOf: async () => posting,
      onPlanned: () => undefined,
      onFailed: (cause) => {
        throw cause;
      },
    });
  const claims = async (root: Bytes32) =>
    (await store.batches.claims(root)).map(({ intent, positions, state }) => ({ intent, positions, state }));

  it("claim_beforeTheBatchIsMined_isNotPlanned", async () => {
    const { tree } = await batchOf(3);
    await claimer().tick();
    expect(await claims(tree.root)).to.deep.equal([]);
  });

  it("claim_oncePosted_takesAllLeavesTogetherAndEndsWithThem", async () => {
    const { tree, ids } = await batchOf(5);
    await set(POST, "final");
    await claimer().tick();
    const [claim, ...others] = await claims(tree.root);
    expect([claim?.positions, others]).to.deep.equal([[0, 1, 2, 3, 4], []]);
    const { data, deadline } = (await store.intents.byId(claim!.intent))!;
    expect(deadline).to.equal(2_000_000_000);
    const { functionName, args } = decodeFunctionData({ abi: attestationLedgerAbi, data });
    expect([functionName, (args as readonly unknown[][])[0]?.length]).to.deep.equal(["claimMany", 5]);
    await set(claim!.intent, "final");
    await claimer().tick();
    expect(await store.batches.counts()).to.deep.include({ done: 1, claiming: 0 });
    expect(await Promise.all(ids.map(stateOf))).to.deep.equal(ids.map(() => "planned"));
  });

  it("claim_oneLeafSpoilsIt_isFoundByHalvingAndTheOthersAreClaimed", async () => {
    const { tree, ids } = await batchOf(4);
    await set(POST, "final");
    const bad = 2;
    for (let round = 0; round < 8; round++) {
      await claimer().tick();
      for (const { intent, positions, state } of await claims(tree.root)) {
        if (state !== "planned") continue;
        const error = { code: "outbox/reverted", message: "", details: { error: "EvidenceNotNewer" } };
        await (positions.includes(bad) ? set(intent, "failed", error) : set(intent, "final"));
      }
    }
    expect(await store.batches.counts()).to.deep.include({ done: 1, claiming: 0 });
    const leaves = await store.batches.leaves(tree.root);
    const standing = await store.proofs.byId(leaves[bad]!.proof);
    expect([standing?.state, standing?.error?.code]).to.deep.equal(["failed", "outbox/reverted"]);
    const states = await Promise.all(ids.map(stateOf));
    expect(states.filter((state) => state === "planned")).to.have.length(3);
  });

  it("claim_batchTakenAwayByAReorg_isPlannedAgainWhole", async () => {
    const { tree } = await batchOf(3);
    await set(POST, "final");
    await claimer().tick();
    const [claim] = await claims(tree.root);
    await set(claim!.intent, "failed", { code: "x", message: "", details: { error: "UnknownBatch" } });
    await claimer().tick();
    expect(await claims(tree.root)).to.deep.equal([{ ...claim, state: "planned" }]);
  });

  it("post_refusedAndNotThere_proofsAreWantedAnew", async () => {
    const { ids } = await batchOf(3);
    await set(POST, "failed", { code: "outbox/reverted", message: "", details: { error: "BlockMismatch" } });
    await claimer().tick();
    expect(await store.batches.counts()).to.deep.include({ failed: 1, posting: 0 });
    expect(await Promise.all(ids.map(stateOf))).to.deep.equal(ids.map(() => "wanted"));
  });

  it("post_refusedBecauseSomebodyElsePostedIt_isAsGood", async () => {
    const { tree } = await batchOf(3);
    await set(POST, "failed", { code: "outbox/reverted", message: "", details: { error: "BatchKnown" } });
    await claimer("relayer", "newest").tick();
    expect((await claims(tree.root)).map(({ positions }) => positions)).to.deep.equal([[0, 1, 2]]);
  });

  it("post_bySomebodyElseAndNobodyClaims_isDoneAndNotMadeAnew", async () => {
    const { ids } = await batchOf(2);
    await set(POST, "failed", { code: "outbox/reverted", message: "", details: { error: "BatchKnown" } });
    await claimer("nobody", "newest").tick();
    expect(await Promise.all(ids.map(stateOf))).to.deep.equal(ids.map(() => "batched"));
    await claimer("nobody", "final").tick();
    await store.proofs.revive();
    expect(await Promise.all(ids.map(stateOf))).to.deep.equal(ids.map(() => "planned"));
  });

  it("nobodyClaims_batchIsDoneWhenItIsFinal", async () => {
    const { tree } = await batchOf(2);
    await set(POST, "final");
    await claimer("nobody").tick();
    expect(await store.batches.counts()).to.deep.include({ done: 1 });
    expect(await claims(tree.root)).to.deep.equal([]);
  });

  it("take_twoReplicas_noProofIsTakenTwiceUntilItIsHeldNoLonger", async () => {
    for (let i = 0; i < 6; i++) await accept(verdictOf(++keys));
    const [a, b] = await Promise.all([
      store.proofs.take("batchable", 4, leases),
      store.proofs.take("batchable", 4, leases),
    ]);
    const taken = [...a, ...b].map(({ id }) => id);
    expect([taken.length, new Set(taken).size]).to.deep.equal([6, 6]);
    expect(await store.proofs.take("batchable", 9, leases)).to.deep.equal([]);
    await store.pool.query("UPDATE proofs SET held_until = now() - interval '1 second'");
    expect(await store.proofs.take("batchable", 9, leases)).to.have.length(6);
  });

  it("giveUp_verdictOverOrOlderEvidenceThatFailed_ends", async () => {
    const [over, older, newer, fresh] = [
      verdictOf(++keys),
      verdictOf(++keys, 5),
      verdictOf(keys, 6),
      verdictOf(++keys),
    ];
    const ids: Bytes32[] = [];
    for (const verdict of [{ ...over, validUntil: 10 }, older, newer, fresh]) ids.push(await accept(verdict));
    const failed = new CharterError("committee/not-enough-signatures", "as the test has it");
    const taken = await store.proofs.take("batchable", 4, leases);
    const tried = taken.filter(({ id }) => id !== ids[0]);
    await store.proofs.postpone(tried, failed);
    await store.pool.query("UPDATE proofs SET held_until = '-infinity'");
    await store.proofs.giveUp(10, new CharterError("proof/over", "as the test has it"));
    expect(await Promise.all(ids.map(stateOf))).to.deep.equal(["failed", "failed", "wanted", "wanted"]);
  });

  it("accept_again_wantsWhatFailedAndNothingElse", async () => {
    const verdict = verdictOf(++keys);
    const id = await accept(verdict);
    await store.pool.query("UPDATE proofs SET state = 'failed'");
    await accept(verdict);
    expect(await stateOf(id)).to.equal("wanted");
    await planSingle(id);
    await accept(verdict);
    expect(await stateOf(id)).to.equal("planned");
    await set(id, "failed");
    await accept(verdict);
    expect(await stateOf(id)).to.equal("wanted");
  });

  const attestOf = (id: Bytes32) => ({ id, to: LEDGER, data: "0x01", label: "instance.attest" }) as const;
  const planSingle = async (id: Bytes32) => {
    const [taken] = await store.proofs.take("batchable", 1, leases);
    expect(taken?.id).to.equal(id);
    await store.proofs.planned(taken!, PAYER, attestOf(id));
  };

  for (const [name, error, expected] of [
    [
      "revertedWhenMined_isMadeAnew",
      { code: "outbox/reverted-on-chain", message: "", details: {} },
      "wanted",
    ],
    [
      "committeeHasChanged_isMadeAnew",
      { code: "outbox/reverted", message: "", details: { error: "NotEnoughSignatures" } },
      "wanted",
    ],
    [
      "evidenceIsTooOldByNow_hasFailed",
      { code: "outbox/reverted", message: "", details: { error: "EvidenceTooOld" } },
      "failed",
    ],
  ] as const) {
    it(`planned_${name}`, async () => {
      const id = await accept(verdictOf(++keys));
      await planSingle(id);
      await store.proofs.revive();
      expect(await stateOf(id)).to.equal("planned");
      await set(id, "failed", error);
      await store.proofs.revive();
      const standing = await store.proofs.byId(id);
      expect([standing?.state, standing?.error?.code]).to.deep.equal([expected, error.code]);
    });
  }

  it("take_leaseWentToAnother_isTakenAtOnceAndTheLateWriteIsRefused", async () => {
    const id = await accept(verdictOf(++keys));
    const [late] = await store.proofs.take("batchable", 1, leases);
    const later = await takeOver();
    expect(await store.proofs.take("batchable", 1, leases), "under the lost lease").to.deep.equal([]);
    const [taken] = await store.proofs.take("batchable", 1, later);
    expect(taken?.id).to.equal(id);
    expect(await refusal(store.proofs.planned(late!, PAYER, attestOf(id)))).to.equal("replica/lease-lost");
    expect(await store.intents.byId(id)).to.equal(null);
    await store.proofs.postpone([late!], new CharterError("proof/failed", "as the test has it"));
    await store.proofs.planned(taken!, PAYER, attestOf(id));
    expect(await stateOf(id)).to.equal("planned");
  });

  it("keep_oneProofIsOnItsWayAlready_isRefusedWhole", async () => {
    const verdicts = [verdictOf(++keys), verdictOf(++keys)];
    for (const verdict of verdicts) await accept(verdict);
    const late = await store.proofs.take("batchable", 2, leases);
    const [alone] = await store.proofs.take("batchable", 1, await takeOver());
    await store.proofs.planned(alone!, PAYER, attestOf(alone!.id));
    const kept = store.batches.keep(treeOf(verdicts), byDigest(late), PAYER, POST_REQUEST);
    expect(await refusal(kept)).to.equal("replica/lease-lost");
    expect(await store.intents.byId(POST)).to.equal(null);
    expect((await store.proofs.counts()).batched).to.equal(0);
  });

  it("claim_plannedByAReplicaThatWasTakenOver_isRefused", async () => {
    await batchOf(2);
    await set(POST, "final");
    const [late] = await store.batches.take(1, leases);
    const [taken] = await store.batches.take(1, await takeOver());
    expect(taken?.root).to.equal(late?.root);
    expect(await refusal(store.batches.planClaims(late!, PAYER, []))).to.equal("replica/lease-lost");
    expect(await refusal(store.batches.done(late!))).to.equal("replica/lease-lost");
    await store.batches.done(taken!);
  });

  it("claim_ofOneLeafThatWasMinedInVain_goesByItselfAndIsNotTakenForDone", async () => {
    const { tree, ids } = await batchOf(2);
    await set(POST, "final");
    const mined = { code: "outbox/reverted-on-chain", message: "", details: {} };
    await claimer().tick();
    for (const { intent } of await claims(tree.root)) await set(intent, "failed", mined);
    await claimer().tick(); // Divided.
    const [spoilt, good] = await claims(tree.root);
    await set(spoilt!.intent, "failed", mined);
    await claimer().tick();
    expect((await Promise.all(ids.map(stateOf))).toSorted()).to.deep.equal(["batched", "wanted"]);
    await set(good!.intent, "final");
    await claimer().tick();
    expect((await Promise.all(ids.map(stateOf))).toSorted()).to.deep.equal(["planned", "wanted"]);
    expect(await store.batches.counts()).to.deep.include({ done: 1 });
    const { rows } = await store.pool.query("SELECT batchable FROM proofs WHERE state = 'wanted'");
    expect(rows).to.deep.equal([{ batchable: false }]);
  });

  const prover = (crashAt?: ProofStep, onFailed: (cause: unknown) => void = () => undefined) => {
    let committee = 0;
    const made = new Prover({
      deployment: deployment as never,
      signer: PAYER,
      store: new ProofStore(store.pool, undefined, 0.2),
      leases: () => leases,
      proofs: {
        direct: async () => null,
        committee: async () => {
          committee++;
          return "0x1234";
        },
      },
      nodeByKey: () => undefined,
      onPlanned: () => undefined,
      onFailed,
      now: () => 1,
      onStep: (step) => {
        if (step === crashAt) throw new CharterError("test/crash", step);
      },
    });
    return { made, asked: () => committee };
  };
  for (const step of ["taken", "collected", "planned"] as const) {
    it(`prover_crashedAfter "${step}", isHealedByAnother`, async () => {
      const id = await accept(verdictOf(++keys), { batchable: false });
      expect(await refusal(prover(step).made.tick())).to.equal("test/crash");
      await new Promise((done) => setTimeout(done, 250)); // What the dead one held.
      await prover().made.tick();
      expect(await stateOf(id)).to.equal("planned");
      expect((await store.intents.byId(id))?.label).to.equal("instance.attest");
      const { rows } = await store.pool.query("SELECT count(*)::int AS count FROM intents");
      expect(rows).to.deep.equal([{ count: 1 }]);
    });
  }
});
