import type { FastifyInstance } from "fastify";

import type { HealthReport } from "../graphql/liveSchema.ts";
import type { Metrics } from "../metrics.ts";

export interface HealthOptions {
  readonly metrics: Metrics;
  readonly report: () => HealthReport;
  /** Rejects when the store does not answer. */
  readonly pingStore: () => Promise<void>;
}

/**
 * `/health`: the process lives (always 200; the body says how it is). `/ready`: it may be given work (503 while the chain
 * is not followed or the store is down). `/metrics`: Prometheus text.
 */
export function healthRoutes(server: FastifyInstance, { metrics, report, pingStore }: HealthOptions): void {
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

  server.get("/metrics", async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
}
