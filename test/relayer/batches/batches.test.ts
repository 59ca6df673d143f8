import { createHash } from "node:crypto";

import { expect } from "chai";
import { parseEventLogs } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";

import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import { nodeInfoSchema, type NodeInfo } from "../../../protocol/session/messages.ts";
import { ProofSystem } from "../../../protocol/words/enums.ts";
import { parseBytes32, parseComposeHash, toHex } from "../../../protocol/words/hex.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { createApp } from "../support/app.ts";
import { chainInfo, newKey, send, Worker } from "../support/guest.ts";
import type { Program } from "../support/program.ts";
import { startStack, type RelayerReady, type Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const digest = (text: string): Bytes32 => parseBytes32(toHex(createHash("sha256").update(text).digest()));
const composeHash = parseComposeHash(digest('{"manifest_version":2,"name":"batched"}'));
const lower = ({ address }: { address: string }) => address.toLowerCase() as Address;

describe("batches on a real chain, by a committee of three processes", function () {
  this.timeout(180_000);
  let stack: Stack;
  let environment: Record<string, string>;
  let relayer: Program<RelayerReady>;
  let worker: Worker;
  let node: NodeInfo;
  let app: Address;

  before(async () => {
    stack = await startStack();
    // Five close a batch at once; long enough for a loaded machine to bring fewer of them together.
    const limits = { CHARTER_BATCH_MAX_SIZE: "5", CHARTER_BATCH_MAX_AGE_MS: "10000" };
    environment = { ...(await stack.relayerEnvironment()), ...limits };
    relayer = await stack.startRelayer(environment);
    worker = new Worker(relayer.ready.url, stack.pki, "batched");
    const key = newKey();
    expect((await worker.registerNode(newKey(), key)).short).to.equal("202 ok");
    node = await until("the node is final", async () => {
      const { status, body } = await send(relayer.ready.url, "GET", `/nodes/${lower(key)}`);
      return status === 200 && nodeInfoSchema.parse(body);
    });
    const created = await createApp(stack, {
      composeHash,
      noteDigest: digest("note"),
      platformId: node.platformId,
      proofSystems: [ProofSystem.Committee],
    });
    app = created.app;
    await final(created.blockNumber);
  });
  after(() => stack?.stop());

  const final = (block: bigint) =>
    until("final", async () => (await chainInfo(relayer.ready.url)).finalized.number >= block);
  const isLive = (key: PrivateKeyAccount) =>
    stack.client.readContract({
      address: stack.deployment.attestationLedger,
      abi: attestationLedgerAbi,
      functionName: "isLive",
      args: [app, lower(key)],
    });
  const events = async () =>
    parseEventLogs({
      abi: attestationLedgerAbi,
      logs: await stack.client.getLogs({ address: stack.deployment.attestationLedger, fromBlock: 0n }),
    });
  const counted = async () => {
    const all = await events();
    const named = (name: string) => all.filter(({ eventName }) => eventName === name);
    return {
      attested: named("InstanceProven").length,
      claimed: named("InstanceClaimed").length,
      batches: named("BatchPosted").map(({ args }) => (args as { count: number }).count),
    };
  };
  const register = async (key: PrivateKeyAccount) => {
    const evidence = await worker.evidence({
      purpose: "instance",
      subject: app,
      key: lower(key),
      composeHash,
    });
    return worker.registerInstance({ app, node: node.number, key: lower(key), signer: key, evidence });
  };
  const keys = (count: number) => Array.from({ length: count }, newKey);
  const allLive = (of: readonly PrivateKeyAccount[]) =>
    until("all live", async () => (await Promise.all(of.map(isLive))).every(Boolean));

  it("lone_verdict_isAttestedByItself", async () => {
    const [key] = keys(1);
    expect((await register(key!)).short).to.equal("202 ok");
    await allLive([key!]);
    expect(await counted()).to.deep.equal({ attested: 1, claimed: 0, batches: [] });
    // The ledger's number of the image: as of the chain's own head, since the relayer's may be older than what made it live.
    await final(await stack.client.getBlockNumber({ cacheTime: 0 }));
  });

  it("severalVerdicts_ofAKnownImage_comeInOneBatchAndOneClaim", async () => {
    const before = await counted();
    const five = keys(5);
    const answers = await Promise.all(five.map(register));
    expect(answers.map(({ short }) => short)).to.deep.equal(five.map(() => "202 ok"));
    await allLive(five);
    const { attested, claimed, batches } = await counted();
    expect([attested, claimed, batches]).to.deep.equal([before.attested, 5, [5]]);
    const claims = (await events()).filter(({ eventName }) => eventName === "InstanceClaimed");
    expect(new Set(claims.map(({ transactionHash }) => transactionHash)).size).to.equal(1);
  });

  it("relayerKilled_betweenAcceptanceAndProof_losesNothing", async () => {
    await relayer.stop();
    relayer = await stack.startRelayer({ ...environment, CHARTER_CRASH_AT: "proofs.taken:1" });
    worker = new Worker(relayer.ready.url, stack.pki, "batched");
    const three = keys(3);
    const answers = await Promise.all(three.map(register));
    expect(answers.map(({ short }) => short)).to.deep.equal(three.map(() => "202 ok"));
    await relayer.exited;
    expect(await Promise.all(three.map(isLive))).to.deep.equal([false, false, false]);
    relayer = await stack.startRelayer(environment);
    worker = new Worker(relayer.ready.url, stack.pki, "batched");
    // What a dead replica had taken is free after some seconds.
    await allLive(three);
  });

  it("oneSignerGone_batchesGoOn", async () => {
    await stack.signers[0]!.stop();
    const two = keys(2);
    await Promise.all(two.map(register));
    await allLive(two);
    expect((await counted()).batches.at(-1)).to.equal(2);
    const metrics = await (await fetch(`${stack.signers[1]!.ready.url}/metrics`)).text();
    expect(metrics).to.contain('charter_committee_requests_total{purpose="batch",result="accepted"}');
    expect((await send(stack.signers[1]!.ready.url, "GET", "/ready")).body).to.deep.equal({
      ready: true,
      store: true,
      chain: true,
    });
  });
});
