import { expect } from "chai";
import { parseTransaction } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { ProofSystem } from "../../../protocol/words/enums.ts";
import type { Address, Bytes32, Hex } from "../../../protocol/words/hex.ts";
import { intentId } from "../../../relayer/outbox/intent.ts";
import { localSigner } from "../../../relayer/outbox/signers/localSigner.ts";
import { Outbox } from "../../../relayer/outbox/outbox.ts";
import type { OutboxOptions, OutboxStep } from "../../../relayer/outbox/outbox.ts";
import type { TransactionSigner } from "../../../relayer/outbox/seams.ts";
import { intentsAtFeeCap } from "../../../relayer/store/outboxAges.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { refusal } from "../../support/refusal.ts";
import { FakeChain } from "./fakeChain.ts";

const TO = `0x${"11".repeat(20)}` as Address;
let intents = 0;
const request = (data: Hex = "0x1234") => ({
  id: `0x${(++intents).toString(16).padStart(64, "0")}` as Bytes32,
  to: TO,
  data,
  label: "test",
});

describe("outbox", function () {
  this.timeout(60_000);
  let store: Store;
  let chain: FakeChain;
  let signer: TransactionSigner;

  before(async () => {
    store = await openStore(await freshDatabase());
  });
  after(() => store.close());
  beforeEach(() => {
    chain = new FakeChain();
    // A signer of its own per test: leases, nonces and open intents are per signer.
    signer = localSigner(privateKeyToAccount(generatePrivateKey()));
  });

  const outbox = (options: Partial<OutboxOptions> = {}) =>
    new Outbox({ chainId: 31_337, chain, store: store.intents, signer, holder: "replica", ...options });
  const stateOf = async (id: Bytes32) => (await store.intents.byId(id))?.state;

  it("brings an intent from planned to final", async () => {
    const box = outbox();
    const { id } = await box.plan(request());
    expect(await stateOf(id)).to.equal("planned");
    await box.tick();
    expect(await stateOf(id)).to.equal("sent");
    chain.mine();
    await box.tick();
    const included = await box.intentById(id);
    expect(included).to.include({ state: "included", nonce: 0n });
    expect(included?.includedIn?.number).to.equal(1n);
    chain.mine(1);
    await box.tick();
    expect(await stateOf(id)).to.equal("final");
    expect(chain.sent).to.have.length(1);
  });

  it("plans one effect for one id, and refuses the id for another call", async () => {
    const box = outbox();
    const wanted = request();
    await Promise.all([box.plan(wanted), box.plan(wanted), box.plan(wanted)]);
    await box.tick();
    await box.plan(wanted);
    await box.tick();
    expect(chain.sent).to.have.length(1);
    const other = { ...wanted, to: `0x${"22".repeat(20)}` as Address };
    expect(await refusal(box.plan(other))).to.equal("outbox/conflicting-intent");
  });

  it("gives the same id for the same evidence, subject, key, contract, chain and proof system only", () => {
    const of = {
      chainId: 1,
      contract: TO,
      subject: TO,
      key: TO,
      evidenceDigest: `0x${"aa".repeat(32)}` as Bytes32,
      system: ProofSystem.Committee,
    };
    const other = `0x${"33".repeat(20)}` as Address;
    const ids = [
      of,
      { ...of, chainId: 2 },
      { ...of, contract: other },
      { ...of, subject: other },
      { ...of, key: other },
      { ...of, evidenceDigest: `0x${"bb".repeat(32)}` as Bytes32 },
      { ...of, system: ProofSystem.Direct },
    ].map(intentId);
    expect(new Set(ids).size).to.equal(ids.length);
    expect(intentId({ ...of })).to.equal(ids[0]);
  });

  it("fails what the contract refuses, says why, and plans it again when asked", async () => {
    const box = outbox();
    chain.failing = {
      simulate: new CharterError("outbox/reverted", "the contract refuses: KeyInUse", { error: "KeyInUse" }),
    };
    const wanted = request();
    await box.plan(wanted);
    await box.tick();
    const failed = await box.intentById(wanted.id);
    expect(failed?.state).to.equal("failed");
    expect(failed?.error?.details["error"]).to.equal("KeyInUse");
    chain.failing = {};
    expect((await box.plan(wanted)).state).to.equal("planned");
    await box.tick();
    expect(await stateOf(wanted.id)).to.equal("sent");
  });

  it("keeps an intent planned while the node fails, and says that it does", async () => {
    const box = outbox();
    const { id } = await box.plan(request());
    chain.failing = { position: new CharterError("chain/unreachable", "no answer") };
    expect(await refusal(box.tick())).to.equal("chain/unreachable");
    expect(box.status().lastError?.code).to.equal("chain/unreachable");
    expect(await stateOf(id)).to.equal("planned");
    chain.failing = {};
    await box.tick();
    expect(await stateOf(id)).to.equal("sent");
    expect(box.status()).to.deep.equal({ leading: true, lastError: null });
  });

  it("keeps signed bytes that the node refuses, and sends the same bytes later", async () => {
    const box = outbox();
    const { id } = await box.plan(request());
    chain.failing = { send: new CharterError("outbox/refused", "the node refuses", { reason: "no funds" }) };
    await box.tick();
    expect((await box.intentById(id))?.error?.code).to.equal("outbox/refused");
    expect(await stateOf(id)).to.equal("signed");
    chain.failing = {};
    await box.tick();
    expect(await stateOf(id)).to.equal("sent");
    expect(new Set(chain.sent).size).to.equal(1);
  });

  it("gives out no nonce that the account cannot pay for, and goes on when it can", async () => {
    const box = outbox();
    const { id } = await box.plan(request());
    chain.balanceWei = (50_000n * 5n * 100n) / 4n - 1n;
    await box.tick();
    const waiting = await box.intentById(id);
    expect(waiting).to.include({ state: "planned", nonce: null });
    expect(waiting?.error?.code).to.equal("outbox/insufficient-funds");
    chain.balanceWei += 1n;
    for (let i = 0; i < 100 && (await stateOf(id)) !== "sent"; i++) {
      await new Promise((done) => setTimeout(done, 100)); // It rests for a moment after a failure that may pass.
      await box.tick();
    }
    expect(await stateOf(id)).to.equal("sent");
  });

  it("gives every intent a nonce of its own, in order", async () => {
    const box = outbox();
    for (let i = 0; i < 10; i++) await box.plan(request());
    await box.tick();
    chain.mine(2);
    await box.tick();
    expect(chain.nonces()).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect((await store.intents.inFlight(signer.address)).length).to.equal(0);
  });

  it("starts at the chain's nonce when the key was used before", async () => {
    chain = new FakeChain(7n);
    const box = outbox();
    const { id } = await box.plan(request());
    await box.tick();
    expect((await box.intentById(id))?.nonce).to.equal(7n);
  });

  it("replaces waiting bytes with fees at least an eighth higher, up to the cap", async () => {
    const box = outbox({ bumpAfterBlocks: 3, maxFeePerGasWei: 120n });
    const { id } = await box.plan(request());
    await box.tick();
    chain.pool.clear();
    chain.mine(2);
    await box.tick();
    const [first, second] = [chain.sent[0], chain.sent.at(-1)].map((raw) =>
      parseTransaction(raw as `0x02${string}`),
    );
    expect(second?.nonce).to.equal(first?.nonce);
    expect(Number(second?.maxFeePerGas) / Number(first?.maxFeePerGas)).to.be.at.least(1.125);
    expect(Number(second?.maxPriorityFeePerGas) / Number(first?.maxPriorityFeePerGas)).to.be.at.least(1.125);
    chain.pool.clear();
    chain.mine(2);
    await box.tick();
    expect((await box.intentById(id))?.error?.code).to.equal("outbox/fee-cap");
    const before = chain.sent.length;
    chain.pool.clear();
    chain.mine();
    await box.tick();
    expect(chain.sent.length, "goes on sending what it has").to.equal(before + 1);
    chain.mine(2);
    await box.tick();
    expect(await stateOf(id)).to.equal("final");
  });

  it("offers no higher priority fee than is allowed, and waits at it until the market comes down", async () => {
    const box = outbox({ bumpAfterBlocks: 1, maxFeePerGasWei: 10_000n, maxPriorityFeePerGasWei: 12n });
    chain.baseFee = { maxFeePerGas: 100n, maxPriorityFeePerGas: 50n };
    const { id } = await box.plan(request());
    const feesOf = (raw: Hex | undefined) => {
      const { maxFeePerGas, maxPriorityFeePerGas } = parseTransaction(raw as `0x02${string}`);
      return { maxFeePerGas, maxPriorityFeePerGas };
    };
    await box.tick();
    expect(feesOf(chain.sent[0])).to.deep.equal({ maxFeePerGas: 100n, maxPriorityFeePerGas: 12n });
    expect(await intentsAtFeeCap(store.pool)).to.equal(0);
    chain.pool.clear();
    chain.mine(1);
    await box.tick();
    expect(await intentsAtFeeCap(store.pool)).to.equal(1);
    expect((await box.intentById(id))?.error).to.deep.include({
      code: "outbox/fee-cap",
      details: { maxFeePerGasWei: "10000", maxPriorityFeePerGasWei: "12" },
    });
    expect(new Set(chain.sent).size, "the same bytes again, and no others").to.equal(1);
    chain.mine(2);
    await box.tick();
    expect([await stateOf(id), await intentsAtFeeCap(store.pool)]).to.deep.equal(["final", 0]);
  });

  it("replaces a transaction that is at the market's priority fee by one that is below its cap", async () => {
    const box = outbox({ bumpAfterBlocks: 1, maxPriorityFeePerGasWei: 13n });
    await box.plan(request());
    await box.tick();
    chain.pool.clear();
    chain.mine(1);
    chain.baseFee = { maxFeePerGas: 100n, maxPriorityFeePerGas: 1_000n };
    await box.tick();
    const replacement = parseTransaction(chain.sent.at(-1) as `0x02${string}`);
    expect(replacement.maxPriorityFeePerGas).to.equal(13n);
    expect(replacement.maxFeePerGas).to.equal(114n);
  });

  it("recognises the older bytes when they are mined after all", async () => {
    const box = outbox({ bumpAfterBlocks: 1 });
    const { id } = await box.plan(request());
    await box.tick();
    const older = chain.sent[0] as Hex;
    chain.pool.clear();
    chain.mine();
    await box.tick();
    expect(new Set(chain.sent).size).to.equal(2);
    chain.pool.set(0n, older);
    chain.mine(2);
    await box.tick();
    expect(await stateOf(id)).to.equal("final");
  });

  for (const [what, blocks, state] of [
    ["took out of its block", 1, "included"],
    ["took back after it was final, though nothing else is planned, at the next look", 2, "final"],
  ] as const) {
    it(`sends again what a reorg ${what}`, async () => {
      const box = outbox({ idleLookMs: 0 });
      const { id } = await box.plan(request());
      await box.tick();
      chain.mine(blocks);
      await box.tick();
      expect(await stateOf(id)).to.equal(state);
      chain.reorg(chain.blocks.length);
      await box.tick();
      expect(await stateOf(id)).to.equal("sent");
      chain.mine(2);
      await box.tick();
      expect(await stateOf(id)).to.equal("final");
      expect(new Set(chain.sent).size).to.equal(1);
    });
  }

  it("sends again what a deep reorg took back after it was final", async () => {
    const box = outbox();
    const { id } = await box.plan(request());
    await box.tick();
    chain.mine(2);
    await box.tick();
    expect(await stateOf(id)).to.equal("final");
    chain.reorg(3);
    const later = await box.plan(request());
    await box.tick();
    chain.mine(2);
    await box.tick();
    expect([await stateOf(id), await stateOf(later.id)]).to.deep.equal(["final", "final"]);
    expect(chain.nonces()).to.deep.equal([0, 1]);
  });

  it("asks the chain nothing while there is nothing to do, but first of all and now and then", async () => {
    const position = chain.position.bind(chain);
    let asked = 0;
    chain.position = (of) => {
      asked++;
      return position(of);
    };
    const box = outbox({ idleLookMs: Infinity });
    for (let n = 0; n < 3; n++) await box.tick();
    expect(asked).to.equal(1);
    const { id } = await box.plan(request());
    await box.tick();
    chain.mine(2);
    await box.tick();
    expect(await stateOf(id)).to.equal("final");
    asked = 0;
    for (let n = 0; n < 3; n++) await box.tick();
    expect(asked).to.equal(0);
    const often = outbox({ idleLookMs: 0 });
    for (let n = 0; n < 3; n++) await often.tick();
    expect(asked).to.equal(3);
  });

  it("fills a nonce that nothing of ours stands on", async () => {
    const box = outbox();
    await box.tick();
    await store.pool.query("UPDATE signer_lease SET next_nonce = 2 WHERE signer = $1", [signer.address]);
    const { id } = await box.plan(request());
    await box.tick();
    chain.mine(2);
    await box.tick();
    expect(chain.nonces()).to.deep.equal([0, 1, 2]);
    expect(await stateOf(id)).to.equal("final");
    const filler = parseTransaction(chain.blocks[0]?.[0] as `0x02${string}`);
    expect([filler.to, filler.value ?? 0n, filler.data ?? "0x"]).to.deep.equal([signer.address, 0n, "0x"]);
  });

  it("fills a hole between nonces that wait", async () => {
    const box = outbox();
    const lostOne = await box.plan(request());
    const { id } = await box.plan(request());
    await box.tick();
    await store.pool.query("DELETE FROM intents WHERE id = $1", [lostOne.id]);
    chain.pool.delete(0n);
    await box.tick();
    chain.mine(2);
    await box.tick();
    expect(chain.nonces()).to.deep.equal([0, 1]);
    expect(await stateOf(id)).to.equal("final");
  });

  it("takes another nonce once foreign use of its own is final", async () => {
    const box = outbox();
    const { id } = await box.plan(request());
    await box.tick();
    chain.mineForeign();
    await box.tick();
    expect(await stateOf(id), "not final yet: it may come back").to.equal("sent");
    chain.mine(2);
    await box.tick();
    await box.tick();
    expect((await box.intentById(id))?.nonce).to.equal(1n);
    chain.mine(2);
    await box.tick();
    expect(await stateOf(id)).to.equal("final");
  });

  it("forgets that a nonce looked foreign once its own bytes are found", async () => {
    const box = outbox();
    const { id } = await box.plan(request());
    await box.tick();
    const hash = (await store.intents.inFlight(signer.address))[0]?.transactions[0]?.hash as Hex;
    const receipt = chain.receipt.bind(chain);
    const blind = async () => {
      chain.receipt = async (asked) => (asked === hash ? null : receipt(asked)); // As while a reorg is under way.
      await box.tick();
      chain.receipt = receipt;
    };
    chain.confirmations = 4n;
    chain.mine();
    await blind();
    await box.tick();
    expect(await stateOf(id)).to.equal("included");
    chain.reorg(1);
    await box.tick();
    chain.mine(5);
    await blind();
    await box.tick();
    expect(await box.intentById(id)).to.include({ state: "final", nonce: 0n });
    expect(chain.nonces()).to.deep.equal([0]);
  });

  it("fails what reverts when it is mined, once that is final", async () => {
    const box = outbox();
    const wanted = request();
    await box.plan(wanted);
    await box.tick();
    const hash = (await store.intents.inFlight(signer.address))[0]?.transactions[0]?.hash as Hex;
    chain.revertsOnChain.add(hash);
    chain.mine();
    await box.tick();
    expect(await stateOf(wanted.id)).to.equal("included");
    chain.mine(2);
    await box.tick();
    expect((await box.intentById(wanted.id))?.error?.code).to.equal("outbox/reverted-on-chain");
    await box.plan(wanted);
    await box.tick();
    chain.mine(2);
    await box.tick();
    expect(await box.intentById(wanted.id)).to.include({ state: "final", nonce: 1n });
  });

  it("lets one replica write; the other stands by and takes over when it is released", async () => {
    const leader = outbox({ holder: "a" });
    const standby = outbox({ holder: "b" });
    await leader.tick();
    const { id } = await standby.plan(request());
    await standby.tick();
    expect([leader.status().leading, standby.status().leading]).to.deep.equal([true, false]);
    expect(await stateOf(id)).to.equal("planned");
    const ended = new AbortController();
    const running = leader.run(ended.signal);
    ended.abort();
    await running;
    await standby.tick();
    expect(standby.status().leading).to.equal(true);
  });

  it("ends the writes of a replica whose lease was taken", async () => {
    const stale = await store.intents.acquire(signer.address, "a", 60_000);
    if (!stale) throw new Error("no lease");
    const box = outbox({ holder: "a" });
    const { id } = await box.plan(request());
    await box.tick();
    const never = () => Promise.reject(new Error("must not sign"));
    expect(await refusal(store.intents.step(stale, [{ id, state: "final" }]))).to.equal("outbox/lease-lost");
    expect(await refusal(store.intents.sign(stale, [id], 0n, never))).to.equal("outbox/lease-lost");
    expect(await stateOf(id)).to.equal("sent");
  });

  const steps: readonly OutboxStep[] = ["planned", "stored", "handed-over", "sent", "included", "final"];
  for (const step of steps) {
    it(`has its effect exactly once when it crashes after "${step}"`, async () => {
      const crashing = outbox({
        onStep: (at) => {
          if (at === step) throw new CharterError("test/crash", step);
        },
      });
      const wanted = request();
      let crashed = false;
      const attempt = async (work: () => Promise<unknown>) => {
        if (crashed) return;
        if ((await refusal(work())) === "test/crash") crashed = true;
      };
      await attempt(() => crashing.plan(wanted));
      await attempt(() => crashing.tick());
      chain.mine();
      await attempt(() => crashing.tick());
      chain.mine(2);
      await attempt(() => crashing.tick());
      expect(crashed).to.equal(true);

      const healed = outbox();
      await healed.plan(wanted);
      await healed.tick();
      chain.mine(2);
      await healed.tick();
      expect(await stateOf(wanted.id)).to.equal("final");
      expect(chain.nonces()).to.deep.equal([0]);
      expect(new Set(chain.sent).size).to.equal(1);
    });
  }

  it("runs until it is told to stop", async () => {
    const box = outbox({ pollMs: 5 });
    const stop = new AbortController();
    const running = box.run(stop.signal);
    const { id } = await box.plan(request());
    while ((await stateOf(id)) !== "sent") await new Promise((done) => setImmediate(done));
    stop.abort();
    await running;
    expect(box.status().leading).to.equal(false);
  });
});
