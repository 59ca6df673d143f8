import rateLimit from "@fastify/rate-limit";
import Fastify, { LogController } from "fastify";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { committeeRequestSchema } from "../../protocol/session/messages.ts";
import type { CommitteeAnswer, CommitteeRequest } from "../../protocol/session/messages.ts";
import { installErrorHandler, parseMessage } from "../api/errors.ts";

interface Options {
  readonly logger: FastifyBaseLogger;
  readonly maxRequestsPerMinute: number;
  readonly sign: (request: CommitteeRequest) => Promise<CommitteeAnswer>;
  /** Rejects when the store does not answer. */
  readonly pingStore: () => Promise<void>;
}

/** Evidence at its largest, see relayer/api/routes/sessions.ts. */
const BODY_LIMIT = 4 * 1_048_576;

/** A signer's listener: `POST /committee/sign` and `GET /health`. */
export async function signerServer(options: Options): Promise<FastifyInstance> {
  const server = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
  });
  installErrorHandler(server);
  await server.register(rateLimit, {
    max: options.maxRequestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { after }) =>
      new CharterError("api/too-many-requests", "too many requests; wait before the next", { after }),
  });
  server.post("/committee/sign", async ({ body }) =>
    options.sign(parseMessage(committeeRequestSchema, body)),
  );
  server.get("/health", async () => {
    await options.pingStore();
    return { status: "ok" };
  });
  return server;
}
