import rateLimit from "@fastify/rate-limit";
import Fastify, { LogController } from "fastify";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { committeeJudgeSchema, committeeSignSchema } from "../../protocol/session/messages.ts";
import type {
  BatchAnswer,
  CommitteeAnswer,
  CommitteeBatchRequest,
  CommitteeJudged,
  CommitteeJudgeRequest,
  CommitteeRequest,
} from "../../protocol/session/messages.ts";
import type { SignerMetrics } from "./signerMetrics.ts";
import type { AttestedKeys } from "../keys/openAttestedKeys.ts";
import { signerRoute } from "../api/routes/signer.ts";
import { installErrorHandler, parseMessage } from "../api/errors.ts";

interface Options {
  readonly logger: FastifyBaseLogger;
  readonly maxRequestsPerMinute: number;
  readonly sign: (request: CommitteeRequest) => Promise<CommitteeAnswer>;
  readonly judge: (request: CommitteeJudgeRequest) => Promise<CommitteeJudged>;
  readonly signBatch: (request: CommitteeBatchRequest) => Promise<BatchAnswer>;
  readonly metrics: SignerMetrics;
  readonly attestedKeys?: AttestedKeys;
  /** Rejects when the chain does not answer. */
  readonly pingChain: () => Promise<unknown>;
  /** Rejects when the store does not answer. */
  readonly pingStore: () => Promise<void>;
}

/** Evidence at its largest, see relayer/api/routes/sessions.ts. */
const BODY_LIMIT = 4 * 1_048_576;

/** A signer's listener: `POST /committee/sign` and `/committee/judge`, `GET /health`, `/ready`, `/metrics` and `/signer`. */
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
  const { metrics } = options;
  server.post("/committee/sign", async ({ body }): Promise<CommitteeAnswer | BatchAnswer> => {
    const request = parseMessage(committeeSignSchema, body);
    return metrics.counted<CommitteeAnswer | BatchAnswer>(request.purpose, () =>
      request.purpose === "batch" ? options.signBatch(request) : options.sign(request),
    );
  });
  server.post("/committee/judge", async ({ body }) => {
    const request = parseMessage(committeeJudgeSchema, body);
    const answer = await metrics.counted("judge", () => options.judge(request));
    for (const each of answer.judged) metrics.judged("refused" in each ? each.refused : "accepted");
    return answer;
  });
  signerRoute(server, options.attestedKeys ?? {});
  server.get("/health", async () => {
    await options.pingStore();
    return { status: "ok" };
  });
  server.get("/ready", async (_request, reply) => {
    const [store, chain] = await Promise.all(
      [options.pingStore(), options.pingChain()].map((ping) =>
        ping.then(
          () => true,
          () => false,
        ),
      ),
    );
    const ready = store === true && chain === true;
    return reply.code(ready ? 200 : 503).send({ ready, store, chain });
  });
  server.get("/metrics", async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );
  return server;
}
