import type { FastifyInstance } from "fastify";

import { requireAdmin } from "../limits/requireAdmin.ts";

import type { HealthReport } from "../graphql/liveSchema.ts";
import type { Metrics } from "../metrics.ts";

export interface HealthOptions {
  readonly metrics: Metrics;
  readonly report: () => HealthReport;
  /** Who may read `/metrics`; without it nobody. */
  readonly adminToken: string | undefined;
  /** Rejects when the store does not answer. */
  readonly pingStore: () => Promise<void>;
}

/**
 * `/health`: the process lives (always 200; the body says how it is). `/ready`: it may be given work (503 while the chain
 * is not followed or the store is down). `/metrics`: Prometheus text, for whoever has the admin token; where none is set
 * there is nothing at that address.
 */
export function healthRoutes(server: FastifyInstance, options: HealthOptions): void {
  const { metrics, report, pingStore, adminToken } = options;
  server.get("/health", () => report());

  server.get("/ready", async (_request, reply) => {
    const store = await pingStore().then(
      () => true,
      () => false,
    );
    const chain = report();
    const ready = store && chain.ready;
    return reply.code(ready ? 200 : 503).send({ ready, store, chain: chain.ready, error: chain.error });
  });

  if (adminToken === undefined) return;
  server.get("/metrics", async ({ headers }, reply) => {
    requireAdmin(headers.authorization, adminToken);
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}
