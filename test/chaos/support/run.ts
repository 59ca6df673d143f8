import { setTimeout as wait } from "node:timers/promises";

import { expect } from "chai";
import { parseEventLogs } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";

import { attestationLedgerAbi } from "../../../protocol/abi/attestationLedger.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { Follower } from "../../../relayer/chain/follower.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { digestOf, newKey } from "../../relayer/support/guest.ts";
import { plain } from "../../support/plain.ts";
import { random } from "../../support/random.ts";
import type { Random } from "../../support/random.ts";
import { fateOf, headsOf, Miner, openWork } from "./advance.ts";
import type { OpenIntent } from "./advance.ts";
import { HONEST } from "./FaultyRpc.ts";
import { CONFIRMATIONS } from "./world.ts";
import type { World } from "./world.ts";

const MAX_REORG = 32;
const GUESTS = 3;
/** A run in which nothing moves for so long is stuck. By what happens, not by the clock: a machine may be ten times slower. */
const STUCK_MS = 180_000;
const SETTLE_POLL_MS = 60;
/** New evidence is given after so many refusals. */
const PATIENCE = 6;

/** What a run brought about, for its checks and for the report. */
interface Outcome {
  readonly accepted: Set<Bytes32>;
  readonly leases: { readonly app: Address; readonly number: bigint; readonly hash: Bytes32 }[];
  reorgs: number;
}

/**
 * One seeded run: guests come while processes die, endpoints fail and lie, the chain reorganizes and Postgres restarts;
 * then everything heals, and what was promised must have come true. The relayers live on into the next run.
 */
export async function chaosRun(world: World, seed: number): Promise<string> {
  const rng = random(seed);
  const outcome: Outcome = { accepted: new Set(), leases: [], reorgs: 0 };
  const before = world.replicas.ended.length;
  const { anvil } = world.stack;
  const height = async (): Promise<number> => Number(await anvil.rpc("eth_blockNumber"));
  const from = await height();
  const marks = [performance.now()];
  breakEndpoints(world, rng);
  world.replicas.reseed(random(seed + 1));
  world.replicas.crashes = true;
  world.replicas.kill(); // Its successor has a planned crash.
  const calm = new AbortController();
  const guests = Array.from({ length: GUESTS }, () => guest(world, rng, outcome, calm.signal));
  await disturb(world, rng, outcome);
  world.replicas.crashes = false;
  marks.push(performance.now());
  for (const endpoint of world.endpoints) endpoint.faults = HONEST;
  try {
    await settle(world, outcome, Promise.all(guests));
  } finally {
    calm.abort();
    await Promise.allSettled(guests);
  }
  marks.push(performance.now());
  await requireAllTrue(world, outcome);
  const ended = world.replicas.ended.slice(before);
  marks.push(performance.now());
  const [disturbed, settled, checked] = marks.slice(1).map((at, i) => Math.round(at - (marks[i] ?? 0)));
  const phases = `${disturbed} + ${settled} + ${checked} ms`;
  const blocks = (await height()) - from;
  return `${phases}, ${blocks} blocks, ${outcome.accepted.size} proofs, ${outcome.leases.length} leases, ${outcome.reorgs} reorgs, ended: ${ended.join(", ")}`;
}

/** One of the three lies, the others fail now and then. */
function breakEndpoints({ endpoints }: World, rng: Random): void {
  const liar = rng.below(endpoints.length);
  endpoints.forEach((endpoint, index) => {
    const lie = index === liar ? rng.pick([0, 0.3, 1]) : 0;
    endpoint.faults = { hang: 0.004, drop: 0.01, duplicate: 0.1, lie };
  });
}

/** Blocks and what goes wrong between them. */
async function disturb(world: World, rng: Random, outcome: Outcome): Promise<void> {
  const steps = 12 + rng.below(8);
  const restartAt = rng.chance(0.3) ? rng.below(steps) : -1;
  const killAt = rng.chance(0.4) ? rng.below(steps) : -1;
  const reorgAt = new Set([rng.below(steps), rng.below(steps)]);
  for (let step = 0; step < steps; step++) {
    if (step === restartAt) await world.restartPostgres();
    if (step === killAt) world.replicas.kill();
    if (reorgAt.has(step)) {
      // Blocks are taken back meanwhile, and the creation with them: then there is none to ask about.
      const ghost = await world.createGhost(seedless(rng)).catch(() => null);
      await world.reorg(1 + rng.below(MAX_REORG));
      outcome.reorgs++;
      if (ghost !== null) await requireUnknown(world, ghost);
    } else await world.mine(1 + rng.below(2));
    await wait(40 + rng.below(80));
  }
}

const seedless = (rng: Random): number => 2 + rng.below(2 ** 30);

/** An app that is not final, and will never be: no relayer knows it. */
async function requireUnknown(world: World, app: Address): Promise<void> {
  const key = newKey();
  for (const url of world.replicas.urls()) {
    try {
      const worker = world.worker(url);
      const evidence = await worker.evidence({
        purpose: "instance",
        subject: app,
        key: lower(key),
        composeHash: world.composeHash,
      });
      const { status } = await worker.registerInstance({
        app,
        node: world.node,
        key: lower(key),
        signer: key,
        evidence,
      });
      expect(status, "an app that never was final").to.be.at.least(400);
    } catch (error) {
      if (error instanceof Error && error.name === "AssertionError") throw error;
    }
  }
}

/** Gives evidence until it is accepted, then asks for leases until all is calm. */
async function guest(world: World, rng: Random, outcome: Outcome, calm: AbortSignal): Promise<void> {
  const key = newKey();
  const { app, node, composeHash, replicas } = world;
  let evidence: Awaited<ReturnType<ReturnType<World["worker"]>["evidence"]>> | undefined;
  let accepted = false;
  for (let attempt = 1; !calm.aborted; attempt++) {
    const url = replicas.urls().at(rng.below(2) - 1);
    try {
      if (url === undefined) throw new Error("nobody is there");
      const worker = world.worker(url);
      if (!accepted) {
        if (attempt % PATIENCE === 0) evidence = undefined;
        evidence ??= await worker.evidence({
          purpose: "instance",
          subject: app,
          key: lower(key),
          composeHash,
        });
        const answer = await worker.registerInstance({ app, node, key: lower(key), signer: key, evidence });
        accepted = answer.status < 300;
        if (accepted) outcome.accepted.add(digestOf(evidence));
      } else {
        const { status, body } = await worker.lease(app, key);
        const { blockNumber, blockHash } = body as { blockNumber?: string; blockHash?: Bytes32 };
        if (status === 200 && blockHash !== undefined)
          outcome.leases.push({ app, number: BigInt(blockNumber ?? 0), hash: blockHash });
        if (outcome.accepted.size >= GUESTS && outcome.leases.length >= 2 * GUESTS) return;
      }
    } catch {
      // It died, hung up, or is not there yet: as a guest, try again.
    }
    await wait(150);
  }
}

/** Mines until every accepted proof is on chain and final, and nothing is under way. */
async function settle(world: World, outcome: Outcome, guests: Promise<unknown>): Promise<void> {
  const { rpc } = world.stack.anvil;
  const miner = new Miner({ rpc, mine: (blocks) => world.mine(blocks) }, CONFIRMATIONS);
  let guestsDone = false;
  void guests.then(() => (guestsDone = true));
  let seen = "";
  let movedAt = performance.now();
  for (;;) {
    const open = await openWork(world.store());
    if (guestsDone && open.length === 0) {
      const seen = await proofsOnChain(world);
      if ([...outcome.accepted].every((digest) => seen.has(digest))) return;
    }
    const { accepted, leases } = outcome;
    // A relayer that comes or goes is no progress: one that dies again and again brings nothing about.
    const now = JSON.stringify([accepted.size, leases.length, open]);
    if (now !== seen) [seen, movedAt] = [now, performance.now()];
    if (performance.now() - movedAt > STUCK_MS) throw await stuck(world, outcome, guestsDone, open);
    await miner.advance(open);
    await wait(SETTLE_POLL_MS);
  }
}

/** All that tells why a run does not go on. */
async function stuck(
  world: World,
  { accepted, leases }: Outcome,
  guestsDone: boolean,
  open: readonly OpenIntent[],
): Promise<Error> {
  const seen = await proofsOnChain(world);
  const missing = [...accepted].filter((digest) => !seen.has(digest));
  const standing = { guestsDone, accepted: accepted.size, leases: leases.length, missing, open };
  const fate = await fateOf(world.store(), missing);
  const heads = await headsOf(world.store(), world.replicas.urls());
  return new Error(`not settled: ${JSON.stringify({ ...standing, fate, heads }, null, 1)}`);
}

/** Transactions on the canonical chain per evidence digest. */
async function proofsOnChain({ stack }: World): Promise<Map<string, Set<string>>> {
  const logs = parseEventLogs({
    abi: attestationLedgerAbi,
    eventName: ["InstanceProven", "InstanceClaimed"],
    logs: await stack.client.getLogs({ address: stack.deployment.attestationLedger, fromBlock: 0n }),
  });
  const found = new Map<string, Set<string>>();
  for (const { args, transactionHash, logIndex, eventName } of logs) {
    const digest = args.evidenceDigest.toLowerCase();
    const effects = found.get(digest) ?? new Set();
    effects.add(eventName === "InstanceProven" ? `${transactionHash} ${logIndex}` : transactionHash);
    found.set(digest, effects);
  }
  return found;
}

async function requireAllTrue(world: World, outcome: Outcome): Promise<void> {
  const { stack, rebuilt } = world;
  const { client, deployment } = stack;
  const effects = await proofsOnChain(world);
  for (const digest of outcome.accepted) expect(effects.get(digest)?.size, `proof of ${digest}`).to.equal(1);
  for (const [digest, { size }] of effects) expect(size, `effects of ${digest}`).to.equal(1);

  const head = await client.getBlockNumber();
  for (const { number, hash } of outcome.leases) {
    const block = await client.getBlock({ blockNumber: number });
    expect(block.hash, `the block that a lease cites, ${number}`).to.equal(hash);
    expect(Number(head - number)).to.be.at.least(CONFIRMATIONS);
  }

  await rebuilt.pool.query("DELETE FROM blocks");
  await rebuilt.pool.query("DELETE FROM chain_cursor");
  const follower = (store: Store) => new Follower({ client, store, deployment, finality: CONFIRMATIONS });
  const [kept, fresh] = [follower(world.store()), follower(rebuilt)];
  await fresh.start();
  await kept.start();
  expect(plain(kept.projection()), "the projection and a fresh rebuild").to.deep.equal(
    plain(fresh.projection()),
  );
  expect(kept.status().deepReorgs).to.equal(0);
}

const lower = ({ address }: PrivateKeyAccount): Address => address.toLowerCase() as Address;
