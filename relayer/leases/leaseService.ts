import type { FastifyBaseLogger } from "fastify";

import { nodeChannelCrypto } from "../../protocol/crypto/node.ts";
import { KeyGuard } from "../api/limits/KeyGuard.ts";
import type { Metrics } from "../api/metrics.ts";
import type { Follower } from "../chain/follower.ts";
import type { RelayerConfig } from "../config.ts";
import { crashPoint } from "../crashPoints.ts";
import { decideLease, type LeaseDecision, type LeaseSession } from "../decisions/lease.ts";
import type { Store } from "../store/store.ts";
import { LeaseDesk } from "./LeaseDesk.ts";
import { LeaseTicker } from "./LeaseTicker.ts";
import { ManifestTerms } from "./ManifestTerms.ts";
import { heapBySessions } from "./sessions/heapBySessions.ts";
import { HeldSessions } from "./sessions/HeldSessions.ts";
import { SharedLeases } from "./SharedLeases.ts";
import { touchedBy } from "./touched.ts";

/** Leases decided within this share one signature, which costs more than all else that ten of them need. */
const TICK_MS = 50;

interface Options {
  readonly config: RelayerConfig;
  readonly store: Store;
  readonly follower: Follower;
  readonly logger: FastifyBaseLogger;
  readonly metrics: Pick<Metrics, "leaseDecided">;
  /** Name of this replica. */
  readonly replica: string;
  /** Unix seconds. */
  readonly now: () => number;
}

/** All that gives leases, and what is asked of it elsewhere. */
export interface LeaseService {
  readonly decide: (session: LeaseSession, now: number) => LeaseDecision;
  readonly desk: LeaseDesk;
  /** Of all replicas. */
  readonly leases: SharedLeases;
  readonly guard: KeyGuard;
  readonly held: HeldSessions;
}

/** Puts together who decides on leases, who signs them, and the sessions in which guests ask for them. */
export function leaseService({
  config,
  store,
  follower,
  logger,
  metrics,
  replica,
  now,
}: Options): LeaseService {
  const { maxHeadAgeSeconds, maxLeaseSeconds, leaseAccount } = config;
  const { chainId, attestationLedger: ledger } = config.deployment;
  const decide = (session: LeaseSession, at: number): LeaseDecision => {
    const projection = follower.projection();
    const headAgeSeconds = follower.headAgeSeconds(at);
    const bounds = { maxHeadAgeSeconds, headAgeSeconds, maxLeaseSeconds };
    return decideLease({ projection, session, now: at, chainId, ...bounds });
  };
  const terms = new ManifestTerms(store.blobs);
  const desk = new LeaseDesk({
    chainId,
    ledger,
    decide,
    now,
    maxLeaseSeconds: (composeHash) => terms.maxLeaseSeconds(composeHash),
    nonceSeconds: maxLeaseSeconds,
    recall: async (app, key) => {
      const kept = await store.evidence.instance(app, key);
      return kept === null ? undefined : { app, key, ...kept };
    },
    ticker: new LeaseTicker({
      chainId,
      ledger,
      signer: leaseAccount,
      later: (run) => setTimeout(run, TICK_MS),
    }),
    onGranted: (lease) => leases.granted(lease),
    onDecided: (outcome) => {
      metrics.leaseDecided(outcome);
      const { granted, reason } = outcome;
      logger[granted ? "debug" : "info"]({ granted, reason }, "lease decided");
      crashPoint("lease.decided");
    },
  });
  const leases = new SharedLeases({
    store: store.leases,
    replica,
    own: (app) => desk.granted(app),
    now,
    onFailed: (cause) => logger.warn({ err: cause }, "leases could not be shared with other replicas"),
  });
  const guard = new KeyGuard({ perKey: config.maxRequestsPerKey });
  const held = new HeldSessions({
    chainId,
    ledger,
    crypto: nodeChannelCrypto,
    signer: leaseAccount,
    maxSessions: config.maxSessions,
    idleSeconds: 2 * maxLeaseSeconds,
    knows: (app, key) => desk.knows(app, key),
    nodeOf: (app, key) => desk.nodeOf(app, key),
    objection: (app, key) => desk.objection(app, key),
    grant: (app, key, nonce) => desk.grant(app, key, nonce),
    guarded: (key, address, work) => guard.run({ key, address }, work),
    onCount: heapBySessions(),
    onDefect: (error) => logger.error({ err: error }, "unexpected failure in a session"),
  });
  follower.onUpdate((_projection, news) => {
    const touched = touchedBy(news);
    if (touched !== null) held.redecide(touched);
  });
  return { decide, desk, leases, guard, held };
}
