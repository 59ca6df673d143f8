import { expect } from "chai";
import { decodeFunctionData } from "viem";

import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { leafTree } from "../../../protocol/session/batch.ts";
import type { EvidenceMessage, VerdictMessage } from "../../../protocol/session/messages.ts";
import type { Address, Bytes32, Hex, PlatformId } from "../../../protocol/words/hex.ts";
import { Claimer } from "../../../relayer/batches/Claimer.ts";
import type { ClaimRule } from "../../../relayer/batches/Claimer.ts";
import { leafOf } from "../../../relayer/batches/leaf.ts";
import { Prover } from "../../../relayer/evidence/Prover.ts";
import type { ProofStep } from "../../../relayer/evidence/Prover.ts";
import type { WantedProof } from "../../../relayer/store/proofStore.ts";
import { ProofStore } from "../../../relayer/store/proofStore.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
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
  let keys = 10;

  before(async () => {
    store = await openStore(await freshDatabase());
  });
  after(() => store.close());
  beforeEach(() => store.pool.query("TRUNCATE evidence, proofs, batches, batch_leaves, intents CASCADE"));

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
  /** A signed batch of so many accepted verdicts, kept as the batcher does. */
  async function batchOf(count: number) {
    const verdicts = Array.from({ length: count }, () => verdictOf(++keys));
    const ids = new Map<Bytes32, Bytes32>();
    for (const verdict of verdicts) ids.set(verdict.evidenceDigest, await accept(verdict));
    const terms = { release: 1, node: 4, image: 1, combines: false, expiresAt: 2_000_000_000 };
    const tree = leafTree(verdicts.map((verdict) => leafOf(verdict, terms)));
    await store.batches.keep(tree, ids, PAYER, { id: POST, to: LEDGER, data: "0x01", label: "batch.post" });
    return { tree, ids: [...ids.values()] };
  }
  const claimer = (rule: ClaimRule = "relayer", isPosted = false) =>
    new Claimer({
      deployment,
      signer: PAYER,
      rule,
      store: store.batches,
      intentById: (id) => store.intents.byId(id),
      plan: (request) => store.intents.plan(PAYER, request),
      isPosted: async () => isPosted,
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
    await claimer("relayer", true).tick();
    expect((await claims(tree.root)).map(({ positions }) => positions)).to.deep.equal([[0, 1, 2]]);
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
    const [a, b] = await Promise.all([store.proofs.take("batchable", 4), store.proofs.take("batchable", 4)]);
    const taken = [...a, ...b].map(({ id }) => id);
    expect([taken.length, new Set(taken).size]).to.deep.equal([6, 6]);
    expect(await store.proofs.take("batchable", 9)).to.deep.equal([]);
    await store.pool.query("UPDATE proofs SET held_until = now() - interval '1 second'");
    expect(await store.proofs.take("batchable", 9)).to.have.length(6);
  });

  it("giveUp_verdictOverOrOlderEvidenceThatFailed_ends", async () => {
    const [over, older, newer, fresh] = [
      verdictOf(++keys),
      verdictOf(++keys, 5),
      verdictOf(keys, 6),
      verdictOf(++keys),
    ];
    const ids = [];
    for (const verdict of [{ ...over, validUntil: 10 }, older, newer, fresh]) ids.push(await accept(verdict));
    const failed = new CharterError("committee/not-enough-signatures", "as the test has it");
    await store.proofs.postpone([ids[1]!, ids[2]!, ids[3]!], failed);
    await store.proofs.giveUp(10, new CharterError("proof/over", "as the test has it"));
    expect(await Promise.all(ids.map(stateOf))).to.deep.equal(["failed", "failed", "wanted", "wanted"]);
  });

  it("accept_again_wantsWhatFailedAndNothingElse", async () => {
    const verdict = verdictOf(++keys);
    const id = await accept(verdict);
    await store.pool.query("UPDATE proofs SET state = 'failed'");
    await accept(verdict);
    expect(await stateOf(id)).to.equal("wanted");
    await store.proofs.planned(id, PAYER, { id, to: LEDGER, data: "0x01", label: "instance.attest" });
    await accept(verdict);
    expect(await stateOf(id)).to.equal("planned");
    await set(id, "failed");
    await accept(verdict);
    expect(await stateOf(id)).to.equal("wanted");
  });

  it("refused_forItsSignersAlone_isProvenAnewByWhoSignsNow", async () => {
    const ids = [await accept(verdictOf(++keys)), await accept(verdictOf(++keys))];
    for (const id of ids)
      await store.proofs.planned(id, PAYER, { id, to: LEDGER, data: "0x01", label: "instance.attest" });
    const lease = await store.intents.acquire(PAYER, "this test", 60_000);
    expect(lease).not.to.equal(null);
    const refused = (error: string) =>
      new CharterError("outbox/reverted", `the contract refuses: ${error}`, { error });
    await store.intents.step(lease!, [
      { id: ids[0]!, state: "failed", error: refused("SignerNotLive") },
      { id: ids[1]!, state: "failed", error: refused("EvidenceNotNewer") },
    ]);
    expect(await Promise.all(ids.map(stateOf))).to.deep.equal(["wanted", "planned"]);
    await store.pool.query("UPDATE proofs SET not_before = now(), batchable = false");
    const { made, asked } = prover();
    await made.tick();
    expect([asked(), await stateOf(ids[0]!)]).to.deep.equal([1, "planned"]);
    expect((await store.intents.byId(ids[0]!))?.state).to.equal("planned");
  });

  const prover = (crashAt?: ProofStep, onFailed: (cause: unknown) => void = () => undefined) => {
    let committee = 0;
    const made = new Prover({
      deployment: deployment as never,
      signer: PAYER,
      store: new ProofStore(store.pool, undefined, 0.2),
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
