import { collectDefaultMetrics, Counter, Gauge } from "prom-client";
import type { Registry } from "prom-client";

import type { FollowerStatus } from "../chain/follower.ts";
import type { IntentState } from "../outbox/intent.ts";
import type { OutboxStatus } from "../outbox/outbox.ts";

/** What of the running service is read when metrics are scraped. */
export interface ServiceSource {
  readonly status: () => FollowerStatus;
  /** Unix seconds. */
  readonly now: () => number;
  readonly outbox: () => OutboxStatus;
  /** Seconds that the oldest intent of each open state has been in it. */
  readonly outboxAges: () => Promise<ReadonlyMap<IntentState, number>>;
  /** Intents that wait because the market asks for more than the caps allow. */
  readonly atFeeCap: () => Promise<number>;
  /** Leases that may still run, keys that are remembered, and sessions that are open. */
  readonly leases: () => { readonly active: number; readonly keys: number; readonly sessions: number };
  /** Verifications that were taken and not answered. */
  readonly verifications: () => number;
  readonly placements: () => {
    readonly placed: number;
    readonly drained: number;
    readonly silent: number;
    readonly closed: number;
  };
  /** GraphQL subscriptions that are open. */
  readonly streams: () => number;
}

export interface ServiceMetrics {
  /** The subgraph did not answer. */
  subgraphFailed(): void;
}

/** What cannot be told now (the chain is not followed yet) is absent, and takes nothing else with it. */
function known(read: () => number | undefined): number | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Registers what says how the service itself does: queues, lags, who leads, and the process. */
export function registerServiceMetrics(registry: Registry, source: ServiceSource): ServiceMetrics {
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const gauge = (name: string, help: string, read: () => number | undefined): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        const value = known(read);
        if (value === undefined) this.reset();
        else this.set(value);
      },
    });
  };
  gauge("charter_final_age_seconds", "Age of the final block: grants rest on it", () => {
    const { final } = source.status();
    return final === null ? undefined : source.now() - final.timestamp;
  });
  gauge("charter_final_lag_blocks", "Blocks between the newest block seen and the final one", () => {
    const { newest, final } = source.status();
    return newest === null || final === null ? undefined : Number(newest.number - final.number);
  });
  new Gauge({
    name: "charter_chain_error",
    help: "1 for the code of the last failure to follow the chain, while it lasts",
    labelNames: ["code"],
    registers,
    collect() {
      this.reset();
      const { lastError } = source.status();
      if (lastError !== null) this.set({ code: lastError.code }, 1);
    },
  });
  gauge("charter_outbox_leading", "Whether this replica writes for the outbox's account", () =>
    source.outbox().leading ? 1 : 0,
  );
  new Gauge({
    name: "charter_outbox_error",
    help: "1 for the code of the last pass over the outbox that failed, until one succeeds",
    labelNames: ["code"],
    registers,
    collect() {
      this.reset();
      const { lastError } = source.outbox();
      if (lastError !== null) this.set({ code: lastError.code }, 1);
    },
  });
  new Gauge({
    name: "charter_intent_age_seconds",
    help: "How long the oldest intent of a state has been in it",
    labelNames: ["state"],
    registers,
    async collect() {
      this.reset();
      const ages = await source.outboxAges().catch(() => new Map<IntentState, number>());
      for (const [state, seconds] of ages) this.set({ state }, seconds);
    },
  });
  new Gauge({
    name: "charter_intents_at_fee_cap",
    help: "Intents that wait at the highest fee allowed (CHARTER_MAX_FEE_GWEI, CHARTER_MAX_PRIORITY_FEE_GWEI)",
    registers,
    async collect() {
      const count = await source.atFeeCap().catch(() => undefined);
      if (count === undefined) this.reset();
      else this.set(count);
    },
  });
  gauge(
    "charter_leases_active",
    "Leases that this process granted and that may still run",
    () => source.leases().active,
  );
  gauge(
    "charter_keys_known",
    "Instance keys whose evidence this process remembers",
    () => source.leases().keys,
  );
  gauge("charter_sessions_open", "Guests' sessions that this process holds", () => source.leases().sessions);
  gauge("charter_verifications_open", "Verifications that were taken and not answered", () =>
    source.verifications(),
  );
  gauge("charter_placements", "Slots that are placed on a node", () => source.placements().placed);
  gauge("charter_nodes_drained", "Nodes that their operators drain", () => source.placements().drained);
  gauge("charter_nodes_silent", "Nodes whose agents are not heard", () => source.placements().silent);
  gauge(
    "charter_nodes_closed",
    "Nodes that take on nothing new by their own word",
    () => source.placements().closed,
  );
  gauge("charter_graphql_streams_open", "GraphQL subscriptions that are open", () => source.streams());
  const subgraph = new Counter({
    name: "charter_subgraph_failures_total",
    help: "Questions to the subgraph that it did not answer",
    registers,
  });
  return { subgraphFailed: () => subgraph.inc() };
}
