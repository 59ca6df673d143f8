import { expect } from "chai";
import { parseTransaction } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address, Bytes32, Hex } from "../../../protocol/words/hex.ts";
import { localSigner } from "../../../relayer/outbox/signers/localSigner.ts";
import { Outbox } from "../../../relayer/outbox/outbox.ts";
import type { OutboxOptions } from "../../../relayer/outbox/outbox.ts";
import type { TransactionSigner } from "../../../relayer/outbox/seams.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { FakeChain } from "./fakeChain.ts";

const TO = `0x${"11".repeat(20)}` as Address;
let intents = 0;
const request = () => ({
  id: `0x${(0xdd0000 + ++intents).toString(16).padStart(64, "0")}` as Bytes32,
  to: TO,
  data: "0x1234" as Hex,
  label: "test",
});
const error = (code: string) => new CharterError(code, "as the test has it");

describe("outbox abort rules", function () {
  this.timeout(60_000);
  let store: Store;
  let chain: FakeChain;
  let signer: TransactionSigner;
  let now: number;

  before(async () => {
    store = await openStore(await freshDatabase());
  });
  after(() => store.close());
  beforeEach(() => {
    chain = new FakeChain();
    now = 1_000;
    signer = localSigner(privateKeyToAccount(generatePrivateKey()));
  });

  const outbox = (options: Partial<OutboxOptions> = {}) =>
    new Outbox({ chainId: 31_337, chain, store: store.intents, signer, now: () => now, ...options });
  const standing = async (id: Bytes32) => {
    const intent = await store.intents.byId(id);
    return [intent?.state, intent?.error?.code ?? null];
  };
  /** What was mined at each nonce: to whom, and how many bytes of data. */
  const mined = () =>
    chain.blocks.flat().map((raw) => {
      const { to, data } = parseTransaction(raw as `0x02${string}`);
      return [to?.toLowerCase(), data ?? "0x"];
    });

  it("deadline_passedBeforeSigning_failsWithoutANonce", async () => {
    const box = outbox();
    const { id } = await box.plan({ ...request(), deadline: 1_000 });
    await box.tick();
    expect(await standing(id)).to.deep.equal(["failed", "outbox/deadline"]);
    expect(chain.sent).to.deep.equal([]);
  });

  it("deadline_passedWhileItWaits_usesTheNonceUpAndShowsReplaced", async () => {
    const box = outbox();
    const { id } = await box.plan({ ...request(), deadline: 1_001 });
    const { id: next } = await box.plan(request());
    await box.tick();
    now = 1_001;
    await box.tick();
    chain.mine(3);
    await box.tick();
    expect(await standing(id)).to.deep.equal(["replaced", "outbox/deadline"]);
    expect(await standing(next)).to.deep.equal(["final", null]);
    expect(mined()).to.deep.equal([
      [signer.address, "0x"],
      [TO, "0x1234"],
    ]);
  });

  it("deadline_passedButTheCallWasMinedAllTheSame_isFinal", async () => {
    const box = outbox();
    const { id } = await box.plan({ ...request(), deadline: 1_001 });
    await box.tick();
    const [call] = chain.sent;
    now = 1_001;
    await box.tick();
    chain.pool.set(0n, call!);
    chain.mine(3);
    await box.tick();
    expect(await standing(id)).to.deep.equal(["final", null]);
  });

  it("bump_contractWouldRefuseNow_cancelsInsteadOfPayingMore", async () => {
    const box = outbox({ bumpAfterBlocks: 1 });
    const { id } = await box.plan(request());
    await box.tick();
    chain.pool.clear();
    chain.mine();
    chain.failing = { simulate: error("outbox/reverted") };
    await box.tick();
    chain.mine(3);
    await box.tick();
    expect(await standing(id)).to.deep.equal(["replaced", "outbox/reverted"]);
    expect(mined()).to.deep.equal([[signer.address, "0x"]]);
  });

  it("send_nodeWillNeverTakeIt_cancelsAtOnceAndFreesWhatComesAfter", async () => {
    const box = outbox();
    const { id } = await box.plan(request());
    chain.failing = { send: error("outbox/unacceptable") };
    await box.tick();
    expect(await standing(id)).to.deep.equal(["signed", "outbox/unacceptable"]);
    const { id: next } = await box.plan(request());
    chain.failing = {};
    await box.tick();
    chain.mine(3);
    await box.tick();
    expect(await standing(id)).to.deep.equal(["replaced", "outbox/unacceptable"]);
    expect(await standing(next)).to.deep.equal(["final", null]);
  });

  it("send_refusedAgainAndAgain_givesUp", async () => {
    const box = outbox({ maxRefusals: 3 });
    const { id } = await box.plan(request());
    chain.failing = { send: error("outbox/refused") };
    for (let i = 0; i < 3; i++) await box.tick();
    expect(await standing(id)).to.deep.equal(["signed", "outbox/refused"]);
    chain.failing = {};
    await box.tick();
    chain.mine(3);
    await box.tick();
    expect(await standing(id)).to.deep.equal(["replaced", "outbox/given-up"]);
  });

  it("simulate_refusedAgainAndAgain_failsWithoutANonce", async () => {
    const box = outbox({ maxRefusals: 1 });
    chain.failing = { simulate: error("outbox/refused") };
    const { id } = await box.plan(request());
    await box.tick();
    expect(await standing(id)).to.deep.equal(["failed", "outbox/given-up"]);
    expect((await store.intents.byId(id))?.nonce).to.equal(null);
  });

  it("simulate_endpointsDisagree_isNoRefusalHoweverOften", async () => {
    const box = outbox({ maxRefusals: 1 });
    chain.failing = { simulate: error("chain/endpoints-disagree") };
    const { id } = await box.plan(request());
    await box.tick();
    expect(await standing(id)).to.deep.equal(["planned", "chain/endpoints-disagree"]);
    expect((await store.intents.byId(id))?.refusals).to.equal(0);
  });

  it("replaced_plannedAgain_hasItsEffectOnANewNonce", async () => {
    const box = outbox();
    const wanted = request();
    await box.plan({ ...wanted, deadline: 1_001 });
    await box.tick();
    now = 1_001;
    await box.tick();
    chain.mine(3);
    await box.tick();
    expect((await box.plan(wanted)).state).to.equal("planned");
    await box.tick();
    chain.mine(3);
    await box.tick();
    expect(await standing(wanted.id)).to.deep.equal(["final", null]);
    expect(mined()).to.deep.equal([
      [signer.address, "0x"],
      [TO, "0x1234"],
    ]);
  });

  it("cancel_crashedBeforeItWasSent_isSentByWhoComesNext", async () => {
    const wanted = { ...request(), deadline: 1_001 };
    await outbox({ holder: "a" }).plan(wanted);
    await outbox({ holder: "a" }).tick();
    now = 1_001;
    const crashing = outbox({
      holder: "a",
      onStep: (step) => {
        if (step === "stored") throw new CharterError("test/crash", step);
      },
    });
    await crashing.tick().catch(() => undefined);
    const healed = outbox({ holder: "a" });
    await healed.tick();
    chain.mine(3);
    await healed.tick();
    expect(await standing(wanted.id)).to.deep.equal(["replaced", "outbox/deadline"]);
  });

  it("included_notFinal_holdsUpNobody", async () => {
    chain.confirmations = 100n;
    const box = outbox({ maxInFlight: 1 });
    const { id } = await box.plan(request());
    await box.tick();
    const { id: next } = await box.plan(request());
    await box.tick();
    expect((await standing(next))[0]).to.equal("planned");
    chain.mine();
    await box.tick();
    expect([(await standing(id))[0], (await standing(next))[0]]).to.deep.equal(["included", "sent"]);
  });

  it("begin_balanceForSome_signsOnlyThose", async () => {
    const box = outbox();
    const all = [request(), request(), request()];
    for (const each of all) await box.plan(each);
    chain.balanceWei = 2n * ((50_000n * 5n) / 4n) * 100n;
    await box.tick();
    const states = await Promise.all(all.map(async ({ id }) => (await standing(id)).join(" ")));
    expect(states.toSorted()).to.deep.equal(["planned outbox/insufficient-funds", "sent ", "sent "]);
  });

  it("pass_oneAnswerLongerThanItsLease_keepsIt", async () => {
    const box = outbox({ leaseMs: 200, holder: "slow" });
    const { id } = await box.plan(request());
    const position = chain.position.bind(chain);
    let others = 0;
    chain.position = async (of) => {
      for (let i = 0; i < 8; i++) {
        await new Promise((done) => setTimeout(done, 60));
        if ((await store.intents.acquire(signer.address, "other", 1_000)) !== null) others++;
      }
      return position(of);
    };
    await box.tick();
    expect([others, (await standing(id))[0]]).to.deep.equal([0, "sent"]);
  });

  it("pass_longerThanItsLease_renewsItOnTheWay", async () => {
    const box = outbox({ leaseMs: 150, concurrency: 1, holder: "slow" });
    for (let i = 0; i < 6; i++) await box.plan(request());
    const simulate = chain.simulate.bind(chain);
    let others = 0;
    chain.simulate = async () => {
      await new Promise((done) => setTimeout(done, 60));
      if ((await store.intents.acquire(signer.address, "other", 1_000)) !== null) others++;
      return simulate();
    };
    await box.tick();
    expect([others, chain.sent.length]).to.deep.equal([0, 6]);
  });
});
