import { Counter, Gauge, Histogram, Registry } from "prom-client";

import type { EndpointHealth } from "../chain/Endpoint.ts";
import type { FollowerStatus } from "../chain/follower.ts";
import type { FailingSoon } from "../evidence/nodeForecast.ts";
import type { IntentState } from "../outbox/intent.ts";

interface MetricsSource {
  readonly status: () => FollowerStatus;
  readonly headAgeSeconds: () => number;
  /** RPC endpoints by position. */
  readonly endpoints?: () => readonly EndpointHealth[];
  /** What the outbox's account holds. */
  readonly balanceWei?: () => Promise<bigint>;
  readonly intents: () => Promise<Readonly<Record<IntentState, number>>>;
  /** Proofs of accepted evidence by state. */
  readonly proofs?: () => Promise<Readonly<Record<string, number>>>;
  /** By platform family, which begins with the kind of TEE: seconds until something of the collateral in use ends. */
  readonly collateralSecondsLeft?: () => ReadonlyMap<string, number>;
  /** By platform family: seconds until something of its collateral on chain ends, 0 where none is valid. */
  readonly onchainSecondsLeft?: () => ReadonlyMap<string, number>;
  /** Nodes whose evidence will fail within a week, by reason; null until it was looked for. */
  readonly failingSoon?: () => FailingSoon | null;
  /** Shards of apps and upkeep that this replica holds. */
  readonly workHeld?: () => number;
}

/** What an operator watches. One registry per service: nothing global, so that tests may run several. */
export interface Metrics {
  readonly registry: Registry;
  leaseDecided(outcome: { granted: boolean; reason: string; seconds: number }): void;
  bootDecided(outcome: { outcome: "allowed" | "denied" | "unavailable"; seconds: number }): void;
  /** `result`: "accepted" or the code of the refusal. */
  evidenceJudged(purpose: "instance" | "node", result: string): void;
  signerRejected(code: string): void;
  /** A committee signed a batch of so many verdicts. */
  batched(count: number): void;
  /** A fetch of collateral for this kind of TEE failed with this code. */
  collateralFailed(code: string, kind: string): void;
  /** An upsert of this piece of collateral, or a new judgement ("rejudge"), was planned. */
  upkeepPlanned(piece: string): void;
  /** So many rows of this table were deleted. */
  pruned(table: string, rows: number): void;
}

/** Nodes that are named for one reason: a chain may have thousands, and whoever watches needs the first. */
const MAX_NAMED = 100;

/** Builds the registry; gauges of the chain and the outbox are read when scraped. */
export function createMetrics(source: MetricsSource): Metrics {
  const {
    status,
    headAgeSeconds,
    intents,
    endpoints = () => [],
    balanceWei,
    collateralSecondsLeft = () => new Map<string, number>(),
    onchainSecondsLeft = () => new Map<string, number>(),
    failingSoon = () => null,
    proofs = () => Promise.resolve<Readonly<Record<string, number>>>({}),
    workHeld = () => 0,
  } = source;
  const registry = new Registry();
  const registers = [registry];

  new Gauge({
    name: "charter_block_number",
    help: "Number of the newest block seen and of the final one",
    labelNames: ["height"],
    registers,
    collect() {
      const { newest, final } = status();
      if (newest !== null) this.set({ height: "newest" }, Number(newest.number));
      if (final !== null) this.set({ height: "final" }, Number(final.number));
    },
  });
  new Gauge({
    name: "charter_head_age_seconds",
    help: "Age of the newest block seen; nothing is granted when it is too old",
    registers,
    collect() {
      if (status().newest !== null) this.set(headAgeSeconds());
    },
  });
  new Gauge({
    name: "charter_reorgs_total",
    help: "Reorganisations followed since start",
    registers,
    collect() {
      this.set(status().reorgs);
    },
  });
  new Gauge({
    name: "charter_work_held",
    help: "Shards of apps and upkeep that this replica does; together they are always the same number",
    registers,
    collect() {
      this.set(workHeld());
    },
  });
  new Gauge({
    name: "charter_deep_reorgs_total",
    help: "Reorganisations that took back a final block, since start: nothing is granted until they are settled",
    registers,
    collect() {
      this.set(status().deepReorgs);
    },
  });
  const ofEndpoints = (
    name: string,
    help: string,
    read: (endpoint: EndpointHealth) => number | null,
  ): void => {
    new Gauge({
      name,
      help,
      labelNames: ["endpoint"],
      registers,
      collect() {
        for (const endpoint of endpoints()) {
          const value = read(endpoint);
          if (value !== null) this.set({ endpoint: endpoint.index }, value);
        }
      },
    });
  };
  ofEndpoints(
    "charter_rpc_up",
    "Whether an RPC endpoint answers, by its position in the list",
    ({ usable }) => (usable ? 1 : 0),
  );
  ofEndpoints("charter_rpc_seconds", "Smoothed time of an RPC endpoint's answers", ({ latencyMs }) =>
    latencyMs === null ? null : latencyMs / 1_000,
  );
  ofEndpoints(
    "charter_rpc_contradicted_total",
    "Answers of an RPC endpoint that a majority contradicted",
    ({ contradicted }) => contradicted,
  );
  new Gauge({
    name: "charter_collateral_seconds_left",
    help: "Seconds until something of the collateral in use ends: evidence of that family is refused from then on",
    labelNames: ["kind", "family"],
    registers,
    collect() {
      this.reset();
      for (const [family, seconds] of collateralSecondsLeft()) {
        this.set({ kind: family.slice(0, family.indexOf(":")), family }, seconds);
      }
    },
  });
  new Gauge({
    name: "charter_onchain_collateral_seconds_left",
    help: "Seconds until something of a family's collateral on chain ends: its direct proofs are suspended from then on",
    labelNames: ["family"],
    registers,
    collect() {
      this.reset();
      for (const [family, seconds] of onchainSecondsLeft()) this.set({ family }, seconds);
    },
  });
  const upkeep = new Counter({
    name: "charter_onchain_upkeep_planned_total",
    help: "Upserts of collateral on chain and new judgements of records that were planned, by what they bring",
    labelNames: ["piece"],
    registers,
  });
  new Gauge({
    name: "charter_nodes_failing_soon",
    help: "Nodes whose evidence is refused today (refused), will be judged worse by what is announced (next-set), or rests on what ends in 7 days",
    labelNames: ["reason"],
    registers,
    collect() {
      for (const [reason, nodes] of Object.entries(failingSoon() ?? {})) this.set({ reason }, nodes.length);
    },
  });
  new Gauge({
    name: "charter_node_failing_soon",
    help: `1 for each node that charter_nodes_failing_soon counts; of each reason at most the ${MAX_NAMED} lowest numbers`,
    labelNames: ["node", "reason"],
    registers,
    collect() {
      this.reset();
      for (const [reason, nodes] of Object.entries(failingSoon() ?? {})) {
        for (const node of nodes.slice(0, MAX_NAMED)) this.set({ node, reason }, 1);
      }
    },
  });
  const collateralFailures = new Counter({
    name: "charter_collateral_failures_total",
    help: "Fetches of collateral that failed, by kind of TEE and error code",
    labelNames: ["kind", "code"],
    registers,
  });
  new Gauge({
    name: "charter_intents",
    help: "Intents of the outbox by state",
    labelNames: ["state"],
    registers,
    async collect() {
      // Absent while the store does not answer; the rest is told.
      const counts = await intents().catch(() => ({}));
      for (const [state, count] of Object.entries(counts)) this.set({ state }, count);
    },
  });
  new Gauge({
    name: "charter_proofs",
    help: "Proofs of accepted evidence by state: wanted ones are still to be made, failed ones were given up",
    labelNames: ["state"],
    registers,
    async collect() {
      const counts = await proofs().catch(() => ({}));
      for (const [state, count] of Object.entries(counts)) this.set({ state }, count);
    },
  });
  const pruned = new Counter({
    name: "charter_pruned_rows_total",
    help: "Rows deleted because they were over for longer than CHARTER_KEEP_DAYS, by table",
    labelNames: ["table"],
    registers,
  });
  const batches = new Histogram({
    name: "charter_batch_verdicts",
    help: "Verdicts in the batches that the committee signed",
    buckets: [2, 10, 50, 100, 500, 1_000],
    registers,
  });
  new Gauge({
    name: "charter_signer_balance_ether",
    help: "What the account that pays for transactions holds; absent while the chain does not answer",
    registers,
    async collect() {
      this.reset();
      const balance = await balanceWei?.().catch(() => undefined);
      if (balance !== undefined) this.set(Number(balance) / 1e18);
    },
  });
  const leases = new Counter({
    name: "charter_lease_decisions_total",
    help: "Lease requests by outcome and reason",
    labelNames: ["outcome", "reason"],
    registers,
  });
  const boots = new Counter({
    name: "charter_boot_decisions_total",
    help: "Boot authorizations by outcome",
    labelNames: ["outcome"],
    registers,
  });
  const seconds = new Histogram({
    name: "charter_decision_seconds",
    help: "Time from a request to its decision",
    labelNames: ["kind"],
    buckets: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
    registers,
  });
  const evidence = new Counter({
    name: "charter_evidence_total",
    help: "Evidence judged, by purpose and result",
    labelNames: ["purpose", "result"],
    registers,
  });
  const signers = new Counter({
    name: "charter_committee_rejected_answers_total",
    help: "Answers of committee signers that did not count",
    labelNames: ["code"],
    registers,
  });

  return {
    registry,
    leaseDecided({ granted, reason, seconds: took }) {
      leases.inc({ outcome: granted ? "granted" : "denied", reason });
      seconds.observe({ kind: "lease" }, took);
    },
    bootDecided({ outcome, seconds: took }) {
      boots.inc({ outcome });
      seconds.observe({ kind: "boot" }, took);
    },
    evidenceJudged: (purpose, result) => evidence.inc({ purpose, result }),
    signerRejected: (code) => signers.inc({ code }),
    batched: (count) => batches.observe(count),
    collateralFailed: (code, kind) => collateralFailures.inc({ kind, code }),
    upkeepPlanned: (piece) => upkeep.inc({ piece }),
    pruned: (table, rows) => pruned.inc({ table }, rows),
  };
}
