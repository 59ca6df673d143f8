import rateLimit from "@fastify/rate-limit";
import Fastify, { LogController } from "fastify";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { AttestedKeys } from "../keys/openAttestedKeys.ts";
import { signerRoute } from "./routes/signer.ts";
import { nameRequests, newRequestId } from "../requestId.ts";
import { installErrorHandler } from "./errors.ts";
import { limitName, type IsProxy } from "./limits/clientAddress.ts";
import { graphqlRoute, type GraphqlHandler } from "./graphql/route.ts";
import { ipfsRoutes } from "./ipfs/routes.ts";
import type { IpfsOptions } from "./ipfs/routes.ts";
import { endpointRoutes, type EndpointOptions } from "./routes/endpoints.ts";
import { healthRoutes } from "./routes/health.ts";
import { releaseRoute } from "./routes/releases.ts";
import type { HealthOptions } from "./routes/health.ts";
import { sessionRoutes } from "./routes/sessions.ts";
import type { SessionOptions } from "./routes/sessions.ts";
import { secretRoutes } from "./routes/secrets.ts";
import type { SecretOptions } from "./routes/secrets.ts";
import { sessionSocket } from "./routes/sessionSocket.ts";
import type { SessionSocketOptions } from "./routes/sessionSocket.ts";

export interface ApiOptions {
  readonly logger: FastifyBaseLogger;
  /** Per client address: everything that has no budget of its own. */
  readonly maxRequestsPerMinute: number;
  /** Reverse proxies whose word for the client's address counts. */
  readonly isProxy: IsProxy;
  readonly sessions: SessionOptions;
  readonly sessionSocket: Omit<SessionSocketOptions, "isProxy">;
  readonly endpoints: EndpointOptions;
  readonly secrets: SecretOptions;
  readonly ipfs: IpfsOptions;
  readonly health: HealthOptions;
  readonly attestedKeys: AttestedKeys;
  /** Called at the first question to /graphql. */
  readonly graphql: () => Promise<GraphqlHandler>;
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
    genReqId: newRequestId,
    bodyLimit: BODY_LIMIT,
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
    routerOptions: { maxParamLength: 128 },
    trustProxy: (address) => options.isProxy(address),
  });
  nameRequests(server);
  installErrorHandler(server);
  await server.register(rateLimit, {
    max: options.maxRequestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: ({ ip }) => limitName(ip),
    errorResponseBuilder: (_request, { after, ttl }) =>
      new CharterError("api/too-many-requests", "too many requests; wait before the next", {
        after,
        retryAfterSeconds: Math.ceil(ttl / 1_000),
      }),
  });
  await server.register(async (scope) => ipfsRoutes(scope, options.ipfs));
  await server.register(async (scope) => sessionRoutes(scope, options.sessions));
  releaseRoute(server, options.sessions);
  await server.register(async (scope) => secretRoutes(scope, options.secrets));
  sessionSocket(server, { ...options.sessionSocket, isProxy: options.isProxy });
  await server.register(async (scope) => endpointRoutes(scope, options.endpoints));
  await server.register(async (scope) => healthRoutes(scope, options.health));
  signerRoute(server, options.attestedKeys);
  await server.register(async (scope) => graphqlRoute(scope, options.graphql));
  if (options.webDir !== undefined) {
    const { servePage } = await import("./page.ts"); // Most relayers serve none.
    await servePage(server, options.webDir);
  }
  return server;
}
