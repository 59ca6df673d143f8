/**
 * Verdicts that a relayer verifies, persists, has batched and brings to finality, on one machine with everything that they
 * pass: a committee of one signer (a process of its own with its own database, which verifies each quote again), a real
 * chain with a block a second, and a real Postgres. Every key and every quote is another; collateral is what is kept, and
 * certificate chains of platforms that were seen. Then the growth from 1,000 to 100,000 known instances.
 * `--verdicts N` (20,000 each way), `--platforms N` (20), `--at-once N` (256): admissions that are under way, below the
 * verifier's own bound, `--warm N` (500): verdicts before the first that is counted, for a service has started long ago.
 */
import { createHash } from "node:crypto";
import { parseArgs } from "node:util";

import pino from "pino";
import { parseEventLogs } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import type { PrivateKeyAccount } from "viem/accounts";

import { attestationLedgerAbi } from "../protocol/abi/attestationLedger.ts";
import { quoteDigest } from "../protocol/evidence/dcap/quoteDigest.ts";
import { instanceEntryTypes, ledgerDomain } from "../protocol/session/domains.ts";
import type { EvidenceMessage, InstanceRegistration } from "../protocol/session/messages.ts";
import { nodeInfoSchema } from "../protocol/session/messages.ts";
import { ProofSystem } from "../protocol/words/enums.ts";
import { fromHex, parseBytes32, parseComposeHash, toHex } from "../protocol/words/hex.ts";
import type { Address, Bytes32 } from "../protocol/words/hex.ts";
import { proofPipeline } from "../relayer/batches/proofPipeline.ts";
import { createChainClient } from "../relayer/chain/client.ts";
import { Follower } from "../relayer/chain/follower.ts";
import { committeeNow } from "../relayer/committee/Committee.ts";
import { collectSignatures } from "../relayer/committee/collectSignatures.ts";
import { readRelayerConfig } from "../relayer/config.ts";
import { decideLease } from "../relayer/decisions/lease.ts";
import type { LeaseSession } from "../relayer/decisions/lease.ts";
import { instanceAdmission } from "../relayer/evidence/admitInstance.ts";
import { finalBlocksOf } from "../relayer/evidence/finalBlocks.ts";
import { evidenceJudge } from "../relayer/evidence/judgeEvidence.ts";
import { evidenceVerifier } from "../relayer/evidence/verifier.ts";
import { proofMaker } from "../relayer/evidence/proofMaker.ts";
import { inLanes } from "../relayer/inLanes.ts";
import { intentId } from "../relayer/outbox/intent.ts";
import { Outbox } from "../relayer/outbox/outbox.ts";
import { viemOutboxChain } from "../relayer/outbox/viemChain.ts";
import { ReplicaWork } from "../relayer/replicas/ReplicaWork.ts";
import { openStore } from "../relayer/store/store.ts";
import { createApp } from "../test/relayer/support/app.ts";
import { send, Worker } from "../test/relayer/support/guest.ts";
import { startStack } from "../test/relayer/support/stack.ts";
import { until } from "../test/relayer/support/until.ts";
import { stopDatabases } from "../test/support/postgres.ts";
import { millisEach, processorParts, type Parts } from "./support/processorParts.ts";
import { measureGrowth, slope } from "./support/relayerGrowth.ts";
import { addToReport, type Figure } from "./support/report.ts";
import { steadyRate } from "./support/steadyRate.ts";
import type { Passage } from "./support/steadyRate.ts";

const { values } = parseArgs({
  options: {
    verdicts: { type: "string", default: "20000" },
    platforms: { type: "string", default: "20" },
    warm: { type: "string", default: "500" },
    "at-once": { type: "string", default: "256" },
  },
});
const VERDICTS = Number(values.verdicts);
const PLATFORMS = Number(values.platforms);
const WARM = Number(values.warm);
const AT_ONCE = Number(values["at-once"]);
/** Verdicts that may go by themselves in the end, not in a batch. */
const ALONE = 10;

const sha256 = (text: string): Bytes32 => parseBytes32(toHex(createHash("sha256").update(text).digest()));
const composeHash = parseComposeHash(sha256('{"manifest_version":2,"name":"bench"}'));
const lower = ({ address }: { address: string }): Address => address.toLowerCase() as Address;
const newKey = (): PrivateKeyAccount => privateKeyToAccount(generatePrivateKey());
const unixSeconds = (): number => Math.floor(Date.now() / 1_000);
const logger = pino({ level: "silent" });
/** Processor time of each, all parts together and by part. */
const partFigures = (of: string, parts: Parts): Figure[] => [
  { name: `${of}.cpuMillisEach`, value: Object.values(parts).reduce((a, b) => a + b), unit: "ms" },
  ...Object.entries(parts).map(([part, value]) => ({
    name: `${of}.cpuMillisEach.${part}`,
    value,
    unit: "ms",
  })),
];

const stack = await startStack({ committeeSize: 1 });
try {
  const { deployment } = stack;
  const { chainId, attestationLedger: ledger } = deployment;
  // Nodes and the app come by the whole program; it stops before the measurement.
  const unlimited = { CHARTER_MAX_REQUESTS_PER_MINUTE: "999999", CHARTER_MAX_REQUESTS_PER_KEY: "999999" };
  const environment: Record<string, string> = { ...(await stack.relayerEnvironment()), ...unlimited };
  const config = readRelayerConfig(environment);
  const program = await stack.startRelayer(environment);
  const workers = Array.from(
    { length: PLATFORMS },
    (_, n) => new Worker(program.ready.url, stack.pki, `bench ${n}`),
  );
  const nodes = await inLanes(workers, 8, async (worker) => {
    const key = newKey();
    const { short } = await worker.registerNode(newKey(), key);
    if (short !== "202 ok") throw new Error(`a node was refused: ${short}`);
    return until("the node is final", async () => {
      const { status, body } = await send(program.ready.url, "GET", `/nodes/${lower(key)}`);
      return status === 200 && nodeInfoSchema.parse(body);
    });
  });
  const { app } = await createApp(stack, {
    composeHash,
    noteDigest: sha256("note"),
    platformId: nodes.map(({ platformId }) => platformId),
    proofSystems: [ProofSystem.Committee],
    maxEvidenceAgeBlocks: 8_000n,
  });
  const first = newKey();
  const quoted = async (n: number, key: PrivateKeyAccount): Promise<EvidenceMessage> =>
    (workers[n % PLATFORMS] as Worker).evidence({
      purpose: "instance",
      subject: app,
      key: lower(key),
      composeHash,
    });
  // The first one by the whole program, alone: the ledger numbers the image.
  await until("the app is final", async () => {
    const evidence = await quoted(0, first);
    const entry = { app, node: nodes[0]?.number ?? 0, key: lower(first), signer: first, evidence };
    return (await (workers[0] as Worker).registerInstance(entry)).short === "202 ok";
  });
  await until("live", async () =>
    stack.client.readContract({
      address: ledger,
      abi: attestationLedgerAbi,
      functionName: "isLive",
      args: [app, lower(first)],
    }),
  );

  console.log(`making evidence of 2 × ${VERDICTS} instances on ${PLATFORMS} platforms`);
  const registrations = await inLanes(
    Array.from({ length: WARM + 2 * VERDICTS }, (_, n) => n),
    16,
    // As it comes over a network: what waits here weighs nothing on the heap of the relayer that is measured.
    async (n): Promise<Buffer> => {
      const key = newKey();
      const evidence = await quoted(n, key);
      const keySignature = await key.signTypedData({
        domain: ledgerDomain(chainId, ledger),
        types: instanceEntryTypes,
        primaryType: "InstanceEntry",
        message: { app, evidenceDigest: quoteDigest(fromHex(evidence.quote)) },
      });
      const node = nodes[n % PLATFORMS]?.number ?? 0;
      return Buffer.from(JSON.stringify({ app, node, key: lower(key), evidence, keySignature }));
    },
  );
  await program.stop();

  const client = createChainClient([stack.anvil.url]);
  const store = await openStore(config.databaseUrl ?? "");
  const follower = new Follower({ client, store, deployment, finality: "finalized" });
  await follower.start();
  const verifier = evidenceVerifier({ vendors: config, store, logger });
  const signer = config.outboxSigner;
  const chain = viemOutboxChain(client, "finalized");
  const outbox = new Outbox({ chainId, chain, store: store.intents, signer });
  const work = new ReplicaWork({ store: store.work, replica: "bench" });
  await work.tick();
  const pipeline = proofPipeline({
    deployment,
    client,
    projection: () => follower.projection(),
    store,
    leases: () => work.shards(),
    outbox,
    signer: signer.address,
    // For one that stays alone, as the last may.
    proofs: proofMaker({
      prove: (question, verdict) => {
        const projection = follower.projection();
        const committee = committeeNow({ projection, client, deployment, now: unixSeconds() });
        const asked = { urls: config.committeeUrls, chainId, verifier: deployment.committeeVerifier };
        return collectSignatures(question, verdict, { ...asked, committee });
      },
    }),
    limits: { maxSize: 1_000, maxAgeMs: 1_000 },
    claims: "nobody",
    committeeUrls: config.committeeUrls,
    nodeByKey: () => undefined,
    logger: { warn: (...said: unknown[]) => console.error(...said) },
    onSignerRejected: (url, code, details) => console.error(url, code, details),
    onBatched: () => undefined,
    onStep: () => undefined,
    now: unixSeconds,
  });
  const sessions: LeaseSession[] = [];
  const judge = evidenceJudge({
    chainId,
    ledger,
    nodeRegistry: deployment.nodeRegistry,
    blocks: finalBlocksOf(client, "finalized"),
    verify: verifier.verify,
    verifyGpu: verifier.verifyGpu,
  });
  const admission = instanceAdmission({
    deployment,
    projection: () => follower.projection(),
    judge,
    evidence: store.evidence,
    decide: (session, now) =>
      decideLease({
        projection: follower.projection(),
        session,
        now,
        chainId,
        maxHeadAgeSeconds: 60,
        maxLeaseSeconds: 60,
      }),
    admit: (session) => sessions.push(session),
    onAccepted: () => pipeline.wake(),
    now: unixSeconds,
  });
  const stopping = new AbortController();
  const running = [follower, outbox, pipeline, work].map((each) => each.run(stopping.signal));

  const inDoneBatches = async (): Promise<number> => {
    const { rows } = await store.pool.query<{ sum: string | null }>(
      "SELECT sum(count) FROM batches WHERE state = 'done'",
    );
    return Number(rows[0]?.sum ?? 0);
  };
  const signerPids = stack.signers.map(({ pid }) => pid);
  /** While all stages are busy, and from the first to the finality of the last; processor time of every part, all on the same cores. */
  const measured = async (
    all: readonly Buffer[],
    admit: (each: InstanceRegistration) => Promise<unknown>,
  ): Promise<{
    readonly perSecond: number;
    readonly wholePerSecond: number;
    readonly cpuMillis: Parts;
  }> => {
    const before = (await store.proofs.counts()).planned;
    // The few batches are asked first: counting the proofs takes the database as long as some hundred of them.
    const batchedBefore = await inDoneBatches();
    const begun = performance.now();
    const used = processorParts(signerPids);
    const passages: Passage[] = [];
    let accepted = 0;
    const input = inLanes(all, AT_ONCE, async (each) => {
      await admit(JSON.parse(each.toString()) as InstanceRegistration);
      accepted++;
    });
    const isThrough = async (): Promise<boolean> => {
      const final = (await inDoneBatches()) - batchedBefore;
      passages.push({ at: performance.now(), accepted, final });
      return final >= all.length - ALONE && (await store.proofs.counts()).planned >= before + all.length;
    };
    const output = (async (): Promise<void> => {
      while (!(await isThrough())) await new Promise((resolve) => setTimeout(resolve, 100));
    })();
    await Promise.all([input, output]);
    const seconds = (performance.now() - begun) / 1_000;
    const wholePerSecond = all.length / seconds;
    // So few have no middle: the lower figure stands for both.
    const steady = steadyRate(passages, all.length);
    const perSecond = steady ?? wholePerSecond;
    const rate =
      steady === undefined ? "too few to count a rate" : `${Math.round(steady)} a second while all were busy`;
    console.log(`${all.length} verdicts: final in ${seconds.toFixed(1)} s, ${rate}`);
    const cpuMillis = millisEach(used, processorParts(signerPids), all.length);
    return { perSecond, wholePerSecond, cpuMillis };
  };
  const judged = async (each: InstanceRegistration): Promise<void> => {
    const { key, node, evidence, keySignature } = each;
    const verdict = await judge({ purpose: "instance", subject: app, key }, evidence);
    const { evidenceDigest } = verdict;
    const binding = { digest: evidenceDigest, purpose: "instance", subject: app, key, node } as const;
    const system = ProofSystem.Committee;
    await store.evidence.accept({ ...binding, verdict, evidence, acceptedAt: unixSeconds() }, [
      {
        id: intentId({ chainId, contract: ledger, subject: app, key, evidenceDigest, system }),
        evidenceDigest,
        system,
        batchable: true,
        combines: false,
        keySignature,
        operatorSignature: null,
      },
    ]);
    pipeline.wake();
  };
  await measured(registrations.slice(0, WARM), judged);
  const from = await client.getBlockNumber();
  const verdicts = await measured(registrations.slice(WARM, WARM + VERDICTS), judged);
  const admissions = await measured(registrations.slice(WARM + VERDICTS), admission);

  const logs = await client.getLogs({ address: ledger, fromBlock: from });
  const posted = parseEventLogs({ abi: attestationLedgerAbi, eventName: "BatchPosted", logs });
  const receipts = await Promise.all(
    posted.map(({ transactionHash: hash }) => client.getTransactionReceipt({ hash })),
  );
  const gas = receipts.reduce((sum, { gasUsed }) => sum + Number(gasUsed), 0);
  const batched = posted.reduce((sum, { args }) => sum + args.count, 0);
  stopping.abort();
  await Promise.all(running);
  await verifier.close();

  const growth = measureGrowth(follower.projection(), sessions[0] as LeaseSession, chainId);
  await store.close();
  console.log("instances   heap MiB   decision µs");
  for (const { instances, bytes, decisionMicros } of growth) {
    const mib = (bytes / 2 ** 20).toFixed(1);
    console.log(
      `${String(instances).padStart(9)} ${mib.padStart(10)} ${decisionMicros.toFixed(1).padStart(13)}`,
    );
  }
  const perInstance = slope(growth.map(({ instances, bytes }) => [instances, bytes]));
  const decisionSlope = slope(growth.map(({ instances, decisionMicros }) => [instances, decisionMicros]));
  const figures: Figure[] = [
    { name: "verdictsPerSecond", value: verdicts.perSecond, unit: "/s", target: ">= 1000" },
    // From the first that comes to the last that is final: blocks that become final are waited for at its end.
    { name: "verdicts.wholeRunPerSecond", value: verdicts.wholePerSecond, unit: "/s" },
    ...partFigures("verdicts", verdicts.cpuMillis),
    { name: "admissionsPerSecond", value: admissions.perSecond, unit: "/s" },
    ...partFigures("admissions", admissions.cpuMillis),
    { name: "batch.verdicts", value: batched / Math.max(1, posted.length), unit: "" },
    { name: "batch.gasPerVerdict", value: gas / Math.max(1, batched), unit: "gas" },
    ...growth.flatMap(({ instances, bytes, decisionMicros }) => [
      { name: `growth.${instances}.heapMiB`, value: bytes / 2 ** 20, unit: "MiB" },
      { name: `growth.${instances}.decisionMicros`, value: decisionMicros, unit: "µs" },
    ]),
    { name: "growth.bytesPerInstance", value: perInstance, unit: "B" },
    { name: "growth.decisionMicrosPer1000", value: decisionSlope * 1_000, unit: "µs" },
  ];
  addToReport("relayer", ["verdicts", "admissions", "batch.", "growth."], figures);
} finally {
  await stack.stop();
  await stopDatabases();
}
