import { randomUUID } from "node:crypto";

import type { FastifyBaseLogger } from "fastify";

import { bootAuthServer } from "./api/bootAuth/server.ts";
import { bootAuthorizer } from "./api/bootAuth/authorizer.ts";
import { Changes } from "./api/graphql/changes.ts";
import { healthReport } from "./api/healthReport.ts";
import { createMetrics } from "./api/metrics.ts";
import { registerServiceMetrics } from "./api/serviceMetrics.ts";
import { nodeByKey } from "./api/routes/sessions.ts";
import { apiServer } from "./api/server.ts";
import { proofPipeline } from "./batches/proofPipeline.ts";
import { openChain } from "./chain/client.ts";
import { Follower } from "./chain/follower.ts";
import { quoteBytes } from "../protocol/evidence/index.ts";
import { bounded } from "./bounded.ts";
import { committeeNow } from "./committee/Committee.ts";
import { collectSignatures } from "./committee/collectSignatures.ts";
import type { CommitteeQuestion, ProvenVerdict } from "./committee/collectSignatures.ts";
import type { RelayerConfig } from "./config.ts";
import { armCrash, crashPoint } from "./crashPoints.ts";
import { NodePolls } from "./decisions/NodePolls.ts";
import { NodeReports } from "./decisions/NodeReports.ts";
import { PlacementDesk } from "./decisions/PlacementDesk.ts";
import { instanceAdmission } from "./evidence/admitInstance.ts";
import { nodeAdmission } from "./evidence/admitNode.ts";
import { CollateralKeeper } from "./evidence/CollateralKeeper.ts";
import { finalBlocksOf } from "./evidence/finalBlocks.ts";
import { countedJudge, evidenceJudge } from "./evidence/judgeEvidence.ts";
import { evidenceOfGpus, evidenceOfNodes } from "./evidence/knownEvidence.ts";
import { NodeForecast } from "./evidence/nodeForecast.ts";
import { platformFamily } from "./evidence/platformFamily.ts";
import { proofMaker } from "./evidence/proofMaker.ts";
import { evidenceVerifier } from "./evidence/verifier.ts";
import { leaseService } from "./leases/leaseService.ts";
import { LoggedSteps } from "./outbox/loggedSteps.ts";
import { secretService } from "./secrets/secretService.ts";
import { Outbox } from "./outbox/outbox.ts";
import { viemOutboxChain } from "./outbox/viemChain.ts";
import { closeListener, listen, type Closers, type Started } from "./program.ts";
import { Pruner } from "./retention/Pruner.ts";
import { liveNodeKeys } from "./retention/liveNodeKeys.ts";
import { ReplicaWork } from "./replicas/ReplicaWork.ts";
import { KEEPER } from "./replicas/shards.ts";
import { embeddedDatabase } from "./store/embeddedDatabase.ts";
import { intentsAtFeeCap, outboxAges } from "./store/outboxAges.ts";
import { openStore } from "./store/store.ts";
import type { VerdictMessage } from "../protocol/session/messages.ts";
import type { Bytes32 } from "../protocol/words/hex.ts";

/** Evidence that is judged, proven and planned at once; more would only wait for threads and signers. */
const MAX_ADMISSIONS = 256;
/** How often leases and sessions that are over are forgotten. */
const SWEEP_MS = 30_000;

/** How long a dead replica's transactions wait for another to go on with them. */
const SIGNER_LEASE_MS = 5_000;

const unixSeconds = (): number => Math.floor(Date.now() / 1_000);

/**
 * Starts the whole service: store, follower, outbox, then the two listeners. What it starts is put on `closers` at once,
 * so that a failure or a signal half-way leaves nothing behind.
 * @throws CharterError `chain/…`, `store/…`, `config/…`.
 */
export async function startRelayer(
  config: RelayerConfig,
  logger: FastifyBaseLogger,
  closers: Closers,
): Promise<Started> {
  const { deployment, maxHeadAgeSeconds } = config;
  const { chainId, attestationLedger: ledger, nodeRegistry, committeeVerifier } = deployment;

  if (config.crashAt !== undefined) armCrash(config.crashAt, chainId);
  const store = await openStore(config.databaseUrl ?? (await embeddedDatabase(config.dataDir, closers)));
  closers.add("database", () => store.close());

  const { client, endpoints, heads, close } = openChain(config.rpcUrls, config.rpcQuorum);
  closers.add("RPC sockets", () => Promise.resolve(close()));
  const follower = new Follower({
    client,
    store,
    deployment,
    finality: config.finality,
    heads,
    settlement: config.settlement,
    onTakenBack: ({ number, hash }) =>
      logger.error({ number: Number(number), hash }, "a final block was taken back: nothing is granted"),
  });
  await follower.start(); // Pins chain id and genesis hash: before it a test root counts for nothing.
  const replica = randomUUID();
  logger.info({ replica }, "this replica's name in the leases of the database");
  const onFailed = (cause: unknown) => logger.warn({ err: cause }, "this replica could not renew its leases");
  const work = new ReplicaWork({ store: store.work, replica, onFailed });
  const outboxChain = viemOutboxChain(client, config.finality);
  const steps = new LoggedSteps(logger);
  const outbox = new Outbox({
    chainId,
    chain: outboxChain,
    store: store.intents,
    signer: config.outboxSigner,
    holder: replica,
    leaseMs: SIGNER_LEASE_MS,
    ...config.feeCaps,
    onStep: (step, intent) => {
      steps.step(step, intent);
      crashPoint(`outbox.${step}`);
    },
  });
  const plan = steps.planning((request) => outbox.plan(request));
  const metrics = createMetrics({
    status: () => follower.status(),
    headAgeSeconds: () => follower.headAgeSeconds(),
    endpoints,
    balanceWei: () => outboxChain.balance(config.outboxSigner.address),
    intents: () => outbox.counts(),
    proofs: () => store.proofs.counts(),
    collateralSecondsLeft: () => verifier.secondsLeft(),
    onchainSecondsLeft: () => keeper?.secondsLeft() ?? new Map<string, number>(),
    failingSoon: () => nodeForecast.latest,
    workHeld: () => work.held().length,
  });

  const verifier = evidenceVerifier({
    vendors: config,
    store,
    logger,
    onFetchFailed: (code, kind) => metrics.collateralFailed(code, kind),
  });
  closers.add("verifier", () => verifier.close());
  const nodeEvidence = () =>
    evidenceOfNodes(follower.projection().final.state.nodes.values(), store.evidence);
  const nodeForecast = new NodeForecast({
    evidence: async () => [
      ...(await nodeEvidence()),
      ...(await evidenceOfGpus(store.evidence, unixSeconds())),
    ],
    forecast: (evidence) => verifier.forecast(evidence),
    now: unixSeconds,
    onFailed: (cause) => logger.warn({ err: cause }, "a node's evidence could not be looked at ahead"),
  });
  const judge = countedJudge(
    evidenceJudge({
      chainId,
      ledger,
      nodeRegistry,
      blocks: finalBlocksOf(client, config.finality),
      verify: verifier.verify,
      verifyGpu: verifier.verifyGpu,
    }),
    (purpose, result) => {
      metrics.evidenceJudged(purpose, result);
      crashPoint("admission.judged");
    },
  );
  const onSignerRejected = (url: string, code: string, details: unknown): void => {
    metrics.signerRejected(code);
    logger.warn({ url, code, details }, "a signer's answer does not count");
  };
  const prove = async (question: CommitteeQuestion, verdict: VerdictMessage): Promise<ProvenVerdict> => {
    return collectSignatures(question, verdict, {
      urls: config.committeeUrls,
      chainId,
      verifier: committeeVerifier,
      committee: committeeNow({ projection: follower.projection(), client, deployment, now: unixSeconds() }),
      onRejected: (url, error) => onSignerRejected(url, error.code, error.details),
    });
  };
  const keeper = collateralKeeper();
  const proofs = proofMaker({
    prove,
    ...(keeper === undefined
      ? {}
      : { direct: { keeper, records: () => follower.projection().final.state.records.values() } }),
  });
  const { decide, desk, leases, guard, held } = leaseService({
    ...{ config, store, follower, logger, metrics, replica },
    now: unixSeconds,
  });
  const pipeline = proofPipeline({
    ...{ deployment, client, store, outbox, proofs, logger, onSignerRejected, leases: () => work.shards() },
    projection: () => follower.projection(),
    signer: config.outboxSigner.address,
    ...{ limits: config.batches, claims: config.claims, committeeUrls: config.committeeUrls },
    nodeByKey: (key) => {
      const node = nodeByKey(follower.projection().newest.state, key);
      return node?.retired === true ? undefined : node;
    },
    onBatched: (count, ids, intent) => {
      metrics.batched(count);
      for (const id of ids) steps.batched(id, intent);
    },
    onStep: (step) => crashPoint(`proofs.${step}`),
    onClaim: (step) => crashPoint(`claims.${step}`),
    now: unixSeconds,
  });
  const shared = {
    deployment,
    judge,
    evidence: store.evidence,
    onAccepted: (ids: readonly Bytes32[]) => {
      crashPoint("admission.accepted");
      steps.wanted(ids);
      pipeline.wake();
    },
    now: unixSeconds,
  };
  const report = () => healthReport(follower, chainId, maxHeadAgeSeconds);
  const placementDesk = new PlacementDesk({
    chainId,
    nodeRegistry,
    projection: () => follower.projection(),
    nodes: store.nodes,
    leases: (app) => leases.live(app),
    now: unixSeconds,
    silentSeconds: config.nodeSilentSeconds,
    handoverSeconds: config.handoverSeconds,
    onFailed: (cause) => logger.warn({ err: cause }, "what is known of nodes could not be shared"),
  });
  await placementDesk.share();
  await leases.share();
  const reports = new NodeReports({ chainId, nodeRegistry, nodes: store.nodes, now: unixSeconds });
  const changes = new Changes(follower);
  const serviceMetrics = registerServiceMetrics(metrics.registry, {
    status: () => follower.status(),
    now: unixSeconds,
    outbox: () => outbox.status(),
    outboxAges: () => outboxAges(store.pool),
    atFeeCap: () => intentsAtFeeCap(store.pool),
    leases: () => ({ active: desk.granted().length, keys: desk.size, sessions: held.size }),
    verifications: () => verifier.open(),
    placements: () => placementDesk.counts(),
    streams: () => changes.open,
  });
  const api = await apiServer({
    logger,
    maxRequestsPerMinute: config.maxRequestsPerMinute,
    graphql: async () => {
      const { graphqlService } = await import("./api/graphql/service.ts");
      return graphqlService({
        logger,
        live: {
          changes,
          projection: () => follower.projection(),
          leases: (app) => leases.live(app),
          placements: () => placementDesk.all(),
          reports: (keys) => reports.said(keys),
          health: report,
          logsOf: (app) => store.chain.logsOf(app),
        },
        subgraphUrl: config.subgraphUrl,
        onSubgraphFailed: (cause) => {
          serviceMetrics.subgraphFailed();
          logger.warn({ err: cause }, "the subgraph did not answer");
        },
      });
    },
    webDir: config.webDir,
    isProxy: config.isProxy,
    health: { metrics, report, pingStore: () => store.ping(), adminToken: config.adminToken },
    attestedKeys: config.attestedKeys,
    sessionSocket: { held, maxPerMinute: config.budgets.sessions },
    secrets: secretService({ chainId, ledger, store, desk, guard, follower, config, now: unixSeconds }),
    endpoints: {
      ...{ chainId, ledger, guard, now: unixSeconds, maxRequestsPerMinute: config.budgets.leases },
      store: store.endpoints,
      mayRun: (app, key) => desk.mayRun(app, key),
    },
    ipfs: {
      blobs: store.blobs,
      newestState: () => follower.projection().newest.state,
      publishers: config.publishers,
      chainId,
      appRegistry: deployment.appRegistry,
    },
    sessions: {
      ...{ deployment, reports, placements: placementDesk },
      polls: new NodePolls({ chainId, nodeRegistry, guard, placements: placementDesk, now: unixSeconds }),
      projection: () => follower.projection(),
      outlookOf: (node) => nodeForecast.outlookOf(node),
      onUpdate: (listener) => void follower.onUpdate(listener),
      guard,
      budgets: config.budgets,
      admitNode: bounded("admissions", MAX_ADMISSIONS, nodeAdmission({ ...shared, client })),
      admitInstance: bounded(
        "admissions",
        MAX_ADMISSIONS,
        instanceAdmission({
          ...shared,
          projection: () => follower.projection(),
          decide,
          admit: (session) => desk.admit(session),
        }),
      ),
      lease: async (request) => {
        const signed = await desk.request(request);
        crashPoint("lease.signed");
        return signed;
      },
    },
  });
  const bootAuth = bootAuthServer({
    logger,
    tls: config.bootAuth.tls,
    ...(await bootAuthorizer({
      client,
      follower,
      config,
      logger,
      onDecided: (outcome) => metrics.bootDecided(outcome),
    })),
  });

  /** Absent where direct proofs have no verifier. */
  function collateralKeeper(): CollateralKeeper | undefined {
    const { dcapCollateral, dcapVerifier } = deployment;
    if (dcapCollateral === undefined || dcapVerifier === undefined) return undefined;
    return new CollateralKeeper({
      chainId,
      dcapCollateral,
      dcapVerifier,
      client,
      state: () => follower.projection().newest.state,
      published: (family) => verifier.published(family),
      families: async () =>
        (await nodeEvidence())
          .filter(({ evidence: { kind } }) => kind === "tdx" || kind === "sgx")
          .map(({ evidence }) => platformFamily(quoteBytes(evidence.quote))),
      plan,
      intentById: (id) => outbox.intentById(id),
      now: unixSeconds,
      onPlanned: (piece) => metrics.upkeepPlanned(piece),
      onFailed: (cause) => logger.warn({ err: cause }, "collateral on chain could not be kept fresh"),
    });
  }

  const pruner = new Pruner({
    ...{ pool: store.pool, store: store.prune, deployment, keepDays: config.keepDays, now: unixSeconds },
    lease: () => work.lease(KEEPER),
    liveNodes: () => liveNodeKeys(follower.projection()),
    onPruned: (table, rows) => metrics.pruned(table, rows),
    onFailed: (cause) => logger.warn({ err: cause }, "rows that are over could not be deleted"),
  });
  const stopping = new AbortController();
  const running = [
    follower.run(stopping.signal),
    outbox.run(stopping.signal),
    pipeline.run(stopping.signal),
    nodeForecast.run(stopping.signal),
    placementDesk.run(stopping.signal),
    leases.run(stopping.signal),
    work.run(stopping.signal),
    work.whileHeld(KEEPER, (signal) => pruner.run(signal), stopping.signal),
    ...(keeper === undefined
      ? []
      : [work.whileHeld(KEEPER, (signal) => keeper.run(signal), stopping.signal)]),
  ];
  const sweeping = setInterval(() => desk.sweep(), SWEEP_MS);
  closers.add("lease desk", async () => clearInterval(sweeping));
  closers.add("follower and outbox", async () => {
    stopping.abort();
    await Promise.all(running);
  });
  closers.add("listener", () => {
    changes.close(); // Streams end when their source does, and the listener waits for them.
    return closeListener(api);
  });
  const url = await listen(api, config.host, config.port);
  closers.add("boot authorization listener", () => closeListener(bootAuth));
  const bootAuthUrl = await listen(bootAuth, config.bootAuth.host, config.bootAuthPort);
  const failed = Promise.race(running).then(() => new Promise<never>(() => undefined));
  return { ready: { url, bootAuthUrl }, failed };
}
