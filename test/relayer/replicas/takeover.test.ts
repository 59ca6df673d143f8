import { createHash } from "node:crypto";

import { expect } from "chai";
import { parseEventLogs } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";

import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import { nodeInfoSchema } from "../../../protocol/session/messages.ts";
import type { NodeInfo } from "../../../protocol/session/messages.ts";
import { ProofSystem } from "../../../protocol/words/enums.ts";
import { parseBytes32, parseComposeHash, toHex } from "../../../protocol/words/hex.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { shardOf } from "../../../relayer/replicas/shards.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { createApp } from "../support/app.ts";
import { chainInfo, digestOf, newKey, send, Worker } from "../support/guest.ts";
import type { Program } from "../support/program.ts";
import { startStack } from "../support/stack.ts";
import type { RelayerReady, Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const digest = (text: string): Bytes32 => parseBytes32(toHex(createHash("sha256").update(text).digest()));
const COMPOSE_HASH = parseComposeHash(digest("taken over"));
const PLATFORM = "taken-over";
const GUESTS = 3;
const lower = ({ address }: { address: string }) => address.toLowerCase() as Address;

interface Replica extends Program<RelayerReady> {
  readonly name: string;
}

describe("three replicas on one database, whose shards' owners go", function () {
  this.timeout(180_000);
  let stack: Stack;
  let store: Store;
  let replicas: Replica[];
  let node: NodeInfo;
  let app: Address;

  before(async () => {
    stack = await startStack({ committeeSize: 1 });
    const environment = await stack.relayerEnvironment();
    replicas = await Promise.all(
      [1, 2, 3].map(async () => {
        const program = await stack.startRelayer(environment);
        const name = await until("it has told its name", async () => nameIn(program.log()));
        return { ...program, name };
      }),
    );
    store = await openStore(environment["DATABASE_URL"] as string);
    const key = newKey();
    const { url } = replicas[0]!.ready;
    expect((await workerAt(url).registerNode(newKey(), key)).short).to.equal("202 ok");
    node = await until("the node is final", async () => {
      const { status, body } = await send(url, "GET", `/nodes/${lower(key)}`);
      return status === 200 && nodeInfoSchema.parse(body);
    });
    const created = await createApp(stack, {
      composeHash: COMPOSE_HASH,
      noteDigest: digest("note"),
      platformId: node.platformId,
      proofSystems: [ProofSystem.Committee],
    });
    app = created.app;
    await final(created.blockNumber);
    // The ledger numbers the image with the first; those after it come in batches.
    const first = newKey();
    await register(url, first);
    await allLive([first]);
    await final(await stack.client.getBlockNumber({ cacheTime: 0 }));
  });
  after(async () => {
    for (const { pid } of [...(replicas ?? []), ...(stack?.signers ?? [])]) resume(pid);
    await store?.close();
    await stack?.stop();
  });

  const nameIn = (log: string): string | undefined => /"replica":"([0-9a-f-]{36})"/.exec(log)?.[1];
  const workerAt = (url: string) => new Worker(url, stack.pki, PLATFORM);
  const freeze = (pid: number) => process.kill(pid, "SIGSTOP");
  /** It may have ended. */
  function resume(pid: number): void {
    try {
      process.kill(pid, "SIGCONT");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
  const final = (block: bigint) =>
    until("final everywhere", async () => {
      const seen = await Promise.all(replicas.map(({ ready }) => chainInfo(ready.url)));
      return seen.every(({ finalized }) => finalized.number >= block);
    });
  const register = async (url: string, key: PrivateKeyAccount): Promise<Bytes32> => {
    const worker = workerAt(url);
    const evidence = await worker.evidence({
      purpose: "instance",
      subject: app,
      key: lower(key),
      composeHash: COMPOSE_HASH,
    });
    const answer = await worker.registerInstance({
      app,
      node: node.number,
      key: lower(key),
      signer: key,
      evidence,
    });
    expect(answer.short).to.equal("202 ok");
    return digestOf(evidence);
  };
  const isLive = (key: PrivateKeyAccount) =>
    stack.client.readContract({
      address: stack.deployment.attestationLedger,
      abi: attestationLedgerAbi,
      functionName: "isLive",
      args: [app, lower(key)],
    });
  const allLive = (keys: readonly PrivateKeyAccount[]) =>
    until("all live", async () => (await Promise.all(keys.map(isLive))).every(Boolean));
  /** How often each of these was entered. */
  const effects = async (digests: readonly Bytes32[]) => {
    const logs = parseEventLogs({
      abi: attestationLedgerAbi,
      eventName: ["InstanceProven", "InstanceClaimed"],
      logs: await stack.client.getLogs({ address: stack.deployment.attestationLedger, fromBlock: 0n }),
    });
    return digests.map(
      (each) => logs.filter(({ args }) => args.evidenceDigest.toLowerCase() === each).length,
    );
  };
  const once = (digests: readonly Bytes32[]) => digests.map(() => 1);
  /** Who has the lease on the app's shard now. */
  const owner = () =>
    until("somebody has the shard", async () => {
      const { rows } = await store.pool.query<{ holder: string }>(
        "SELECT holder FROM work_leases WHERE name = $1 AND expires_at >= now()",
        [shardOf(app)],
      );
      return replicas.find(({ name }) => name === rows[0]?.holder);
    });

  /** Guests come to a replica that does not own their app, and its owner has their proofs in hand when `go` takes it away. */
  async function takenAwayInTheMidst(go: (owner: Replica) => void) {
    const [signer] = stack.signers;
    const lost = await owner();
    const other = replicas.find((each) => each !== lost)!;
    freeze(signer!.pid); // So that nothing is collected yet.
    const keys = Array.from({ length: GUESTS }, newKey);
    const digests = await Promise.all(keys.map((key) => register(other.ready.url, key)));
    await until("the owner has them in hand", async () => {
      const { rows } = await store.pool.query(
        "SELECT FROM proofs WHERE evidence_digest = ANY($1) AND state = 'wanted' AND held_until > now()",
        [digests],
      );
      return rows.length === GUESTS;
    });
    const at = performance.now();
    go(lost);
    resume(signer!.pid);
    await until("another has it", async () => (await owner()) !== lost);
    console.log(`      another replica has the shard after ${Math.round(performance.now() - at)} ms`);
    await allLive(keys);
    console.log(`      all that was in hand is on chain after ${Math.round(performance.now() - at)} ms`);
    expect(await effects(digests)).to.deep.equal(once(digests));
    return { lost, keys, digests };
  }

  it("owner_frozenInTheMidst_isTakenOverAndItsLateWriteIsRefused", async () => {
    const { lost, digests } = await takenAwayInTheMidst(({ pid }) => freeze(pid));
    resume(lost.pid);
    await until("it has been told", async () => lost.log().includes("replica/lease-lost"));
    await final((await stack.client.getBlockNumber({ cacheTime: 0 })) + 1n);
    expect(await effects(digests)).to.deep.equal(once(digests));
  });

  it("owner_killedInTheMidst_isTakenOverAndEveryEffectIsThereOnce", async () => {
    const { lost, digests } = await takenAwayInTheMidst(({ pid }) => process.kill(pid, "SIGKILL"));
    replicas = replicas.filter((each) => each !== lost);
    await final((await stack.client.getBlockNumber({ cacheTime: 0 })) + 1n);
    expect(await effects(digests)).to.deep.equal(once(digests));
    // Its shards are with those that live, all of them.
    const { rows } = await store.pool.query<{ holder: string }>(
      "SELECT DISTINCT holder FROM work_leases WHERE expires_at >= now()",
    );
    expect(rows.map(({ holder }) => holder).toSorted()).to.deep.equal(
      replicas.map(({ name }) => name).toSorted(),
    );
  });
});
