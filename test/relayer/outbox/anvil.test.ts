import { expect } from "chai";
import { concatHex, encodeErrorResult, parseAbi } from "viem";
import type { PublicClient } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

import { nodeRegistryAbi } from "../../../protocol/abi/nodeRegistry.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address, Bytes32, Hex } from "../../../protocol/words/hex.ts";
import { createChainClient } from "../../../relayer/chain/client.ts";
import { localSigner } from "../../../relayer/outbox/signers/localSigner.ts";
import { Outbox } from "../../../relayer/outbox/outbox.ts";
import type { OutboxOptions, OutboxStep } from "../../../relayer/outbox/outbox.ts";
import type { TransactionSigner } from "../../../relayer/outbox/seams.ts";
import { viemOutboxChain } from "../../../relayer/outbox/viemChain.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { startAnvil } from "../../support/anvil.ts";
import type { Anvil } from "../../support/anvil.ts";
import { placeEmitter } from "../../support/emitter.ts";
import { freshDatabase } from "../../support/postgres.ts";
import { refusal } from "../../support/refusal.ts";
import { startJsonRpc } from "../support/jsonRpc.ts";

const TARGET = `0x${"7a".repeat(20)}` as Address;
const REFUSING = `0x${"7b".repeat(20)}` as Address;
const TOPIC: Hex = `0x${"5e".repeat(32)}`;
let intents = 0;

/** Code that reverts with these bytes. */
const reverting = (data: Hex): Hex => {
  const length = ((data.length - 2) / 2).toString(16).padStart(4, "0");
  // codecopy(0, 12, length); revert(0, length)
  return `0x61${length}80600c5f395ffd${"00".repeat(2)}${data.slice(2)}` as Hex;
};

describe("outbox on a real chain", function () {
  this.timeout(60_000);
  let anvil: Anvil;
  let client: PublicClient;
  let store: Store;
  let signer: TransactionSigner;

  before(async () => {
    anvil = await startAnvil(["--no-mining"]);
    client = createChainClient([anvil.url]);
    store = await openStore(await freshDatabase());
    await placeEmitter(anvil, TARGET);
  });
  after(async () => {
    await store.close();
    await anvil.stop();
  });
  beforeEach(async () => {
    signer = localSigner(privateKeyToAccount(generatePrivateKey()));
    await anvil.rpc("anvil_setBalance", signer.address, "0x8ac7230489e80000");
    await mine(1);
  });

  const mine = (blocks: number) => anvil.rpc("anvil_mine", `0x${blocks.toString(16)}`);
  const outbox = (options: Partial<OutboxOptions> = {}) =>
    new Outbox({
      chainId: 31_337,
      chain: viemOutboxChain(client, 2),
      store: store.intents,
      signer,
      holder: "replica",
      ...options,
    });
  const request = (to: Address = TARGET) => {
    const id = `0x${(0xabc000 + ++intents).toString(16).padStart(64, "0")}` as Bytes32;
    // The emitter logs the id: so the chain itself says how often the effect happened.
    return { id, to, data: concatHex(["0x02", TOPIC, id]), label: "test" };
  };
  const effects = async (id: Bytes32) =>
    (await anvil.rpc<unknown[]>("eth_getLogs", { fromBlock: "0x0", address: TARGET, topics: [TOPIC, id] }))
      .length;
  const stateOf = async (id: Bytes32) => (await store.intents.byId(id))?.state;

  it("brings an intent from planned to final", async () => {
    const box = outbox();
    const { id } = await box.plan(request());
    await box.tick();
    expect(await stateOf(id)).to.equal("sent");
    await mine(1);
    await box.tick();
    expect(await stateOf(id)).to.equal("included");
    await mine(2);
    await box.tick();
    expect(await stateOf(id)).to.equal("final");
    expect(await effects(id)).to.equal(1);
  });

  const steps: readonly OutboxStep[] = ["planned", "stored", "handed-over", "sent", "included", "final"];
  for (const step of steps) {
    it(`has its effect exactly once when it crashes after "${step}"`, async () => {
      const wanted = request();
      let crashed = false;
      const crashing = outbox({
        onStep: (at) => {
          if (at === step) throw new CharterError("test/crash", step);
        },
      });
      const attempt = async (work: () => Promise<unknown>) => {
        if (!crashed) crashed = (await refusal(work())) === "test/crash";
      };
      await attempt(() => crashing.plan(wanted));
      await attempt(() => crashing.tick());
      await mine(1);
      await attempt(() => crashing.tick());
      await mine(2);
      await attempt(() => crashing.tick());
      expect(crashed).to.equal(true);

      const healed = outbox();
      await healed.plan(wanted);
      await healed.tick();
      await mine(3);
      await healed.tick();
      expect(await stateOf(wanted.id)).to.equal("final");
      expect(await effects(wanted.id)).to.equal(1);
      expect(await client.getTransactionCount({ address: signer.address })).to.equal(1);
    });
  }

  it("takes it for no refusal that endpoints disagree about a call", async () => {
    const asks = (method: string, params: unknown[]) => anvil.rpc(method, ...params);
    const other = await startJsonRpc({
      eth_getBlockByNumber: (...params: unknown[]) => asks("eth_getBlockByNumber", params),
      eth_call: { error: { code: 3, message: "execution reverted", data: "0x08c379a0" } },
    });
    const chain = viemOutboxChain(createChainClient([anvil.url, other.url], 2), 2);
    const { to, data } = request();
    expect(await refusal(chain.simulate({ from: signer.address, to, data }))).to.equal(
      "chain/endpoints-disagree",
    );
    await other.stop();
  });

  it("survives a reorg that takes its block away", async () => {
    const box = outbox();
    const { id } = await box.plan(request());
    await box.tick();
    await mine(1);
    await box.tick();
    expect(await stateOf(id)).to.equal("included");
    await anvil.rpc("anvil_reorg", 1, []);
    expect(await effects(id)).to.equal(0);
    await box.tick();
    expect(await stateOf(id)).to.equal("sent");
    await mine(3);
    await box.tick();
    expect(await stateOf(id)).to.equal("final");
    expect(await effects(id)).to.equal(1);
  });

  it("replaces bytes that wait too long", async () => {
    const box = outbox({ bumpAfterBlocks: 1 });
    const { id } = await box.plan(request());
    await box.tick();
    const [waiting] = await store.intents.inFlight(signer.address);
    await anvil.rpc("anvil_dropTransaction", waiting?.transactions[0]?.hash);
    await mine(1);
    await box.tick();
    await mine(3);
    await box.tick();
    const done = await box.intentById(id);
    expect(done?.state).to.equal("final");
    expect(done?.transactionHash).not.to.equal(waiting?.transactions[0]?.hash);
    expect(await effects(id)).to.equal(1);
  });

  it("fails at once with the contract's own error", async () => {
    const data = encodeErrorResult({ abi: nodeRegistryAbi, errorName: "KeyInUse", args: [TARGET, 7] });
    await anvil.rpc("anvil_setCode", REFUSING, reverting(data));
    const box = outbox();
    const { id } = await box.plan(request(REFUSING));
    await box.tick();
    const failed = await box.intentById(id);
    expect(failed?.state).to.equal("failed");
    expect(failed?.error?.code).to.equal("outbox/reverted");
    expect(failed?.error?.details["error"]).to.equal("KeyInUse");
    expect(failed?.nonce).to.equal(null);
  });

  it("fails on an error that it does not know, and on one without data", async () => {
    const box = outbox();
    const unknown = encodeErrorResult({ abi: parseAbi(["error Surprise()"]), errorName: "Surprise" });
    for (const data of [unknown, "0x"] as const) {
      await anvil.rpc("anvil_setCode", REFUSING, reverting(data));
      const { id } = await box.plan(request(REFUSING));
      await box.tick();
      const failed = await box.intentById(id);
      expect([failed?.state, failed?.error?.code, failed?.error?.details["error"]]).to.deep.equal([
        "failed",
        "outbox/reverted",
        null,
      ]);
    }
  });

  it("keeps trying with an empty account, and says why", async () => {
    await anvil.rpc("anvil_setBalance", signer.address, "0x0");
    const box = outbox();
    const { id } = await box.plan(request());
    await box.tick();
    const waiting = await box.intentById(id);
    expect([waiting?.state, waiting?.error?.code]).to.deep.equal(["planned", "outbox/insufficient-funds"]);
    await anvil.rpc("anvil_setBalance", signer.address, "0x8ac7230489e80000");
    for (let i = 0; i < 100 && (await stateOf(id)) === "planned"; i++) {
      await new Promise((done) => setTimeout(done, 100)); // It rests for a moment after a failure that may pass.
      await box.tick();
    }
    await mine(3);
    await box.tick();
    expect(await stateOf(id)).to.equal("final");
  });

  it("believes no revert and no nonce that one of three endpoints makes up", async () => {
    const forward =
      (method: string) =>
      (...params: unknown[]) =>
        anvil.rpc(method, ...params);
    const liar = await startJsonRpc({
      eth_getBlockByNumber: forward("eth_getBlockByNumber"),
      eth_sendRawTransaction: forward("eth_sendRawTransaction"),
      eth_getTransactionReceipt: null,
      eth_getTransactionCount: "0x7fff",
      eth_getBalance: "0x0",
      eth_estimateGas: "0x1",
      eth_maxPriorityFeePerGas: "0x1",
      eth_call: { error: { code: 3, message: "execution reverted", data: "0x08c379a0" } },
    });
    try {
      const three = createChainClient([liar.url, anvil.url, anvil.url]);
      const box = outbox({ chain: viemOutboxChain(three, 2) });
      const { id } = await box.plan(request());
      await box.tick();
      expect([await stateOf(id), (await box.intentById(id))?.nonce]).to.deep.equal(["sent", 0n]);
      await mine(3);
      await box.tick();
      expect([await stateOf(id), await effects(id)]).to.deep.equal(["final", 1]);
      expect(liar.calls.map(({ method }) => method)).to.include.members([
        "eth_call",
        "eth_getTransactionCount",
      ]);
    } finally {
      await liar.stop();
    }
  });

  it("waits while the node is away", async () => {
    const box = outbox({ chain: viemOutboxChain(createChainClient(["http://127.0.0.1:1"]), 2) });
    const { id } = await box.plan(request());
    expect(await refusal(box.tick())).to.equal("chain/unreachable");
    expect(await stateOf(id)).to.equal("planned");
  });
});
