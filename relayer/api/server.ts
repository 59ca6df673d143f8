import rateLimit from "@fastify/rate-limit";
import Fastify, { LogController } from "fastify";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import type { GraphQLSchema } from "graphql";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { installErrorHandler } from "./errors.ts";
import { graphqlRoutes } from "./graphql/yoga.ts";
import { ipfsRoutes } from "./ipfs/routes.ts";
import type { IpfsOptions } from "./ipfs/routes.ts";
import { healthRoutes } from "./routes/health.ts";
import type { HealthOptions } from "./routes/health.ts";
import { servePage } from "./page.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import type { SessionOptions } from "./routes/sessions.ts";

export interface ApiOptions {
  readonly logger: FastifyBaseLogger;
  readonly maxRequestsPerMinute: number;
  readonly sessions: SessionOptions;
  readonly ipfs: IpfsOptions;
  readonly health: HealthOptions;
  readonly schema: GraphQLSchema;
  /** Folder of the built explorer. */
  readonly webDir: string | undefined;
}

/** Small messages by default; the routes that take evidence or bytes name their own limit. */
const BODY_LIMIT = 16_384;

/** The public listener: workers, readers, graph-node and the explorer. Boot authorization has its own. */
export async function apiServer(options: ApiOptions): Promise<FastifyInstance> {
  const server = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
    routerOptions: { maxParamLength: 128 },
  });
  installErrorHandler(server);
  await server.register(rateLimit, {
    max: options.maxRequestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { after }) =>
      new CharterError("api/too-many-requests", "too many requests; wait before the next", { after }),
  });
  await server.register(async (scope) => ipfsRoutes(scope, options.ipfs));
  await server.register(async (scope) => sessionRoutes(scope, options.sessions));
  await server.register(async (scope) => healthRoutes(scope, options.health));
  await server.register(async (scope) => graphqlRoutes(scope, options.schema));
  if (options.webDir !== undefined) {
    await servePage(server, options.webDir);
  }
  return server;
}
