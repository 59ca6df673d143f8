import type { FastifyInstance } from "fastify";
import type { z } from "zod";

import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";

/** Codes whose HTTP status says more than "your request is wrong". */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  "lease/denied": 403,
  "instance/denied": 403,
  "ipfs/not-publishable": 403,
  "evidence/replayed": 409,
  "committee/conflicting-verdict": 409,
  "ipfs/too-large": 413,
  "api/too-many-requests": 429,
  "api/unauthorized": 401,
  "lease/nonce-replayed": 409,
  "secret/signer-not-named": 403,
  "secret/counter-stale": 409,
  "secret/too-many": 413,
  "committee/not-enough-signatures": 503,
  "relayer/busy": 503,
  "relayer/not-ready": 503,
  "keys/agent-failed": 503,
  "keys/agent-malformed": 503,
};

/** Families of codes that say: a service behind us failed, ask again later. */
const UNAVAILABLE = /^(chain|collateral|store)\//;

/** HTTP status of an error raised on purpose. */
export function statusOf(error: CharterError): number {
  const listed = STATUS_BY_CODE[error.code];
  if (listed !== undefined) return listed;
  if (error.code.endsWith("/unknown")) return 404;
  return UNAVAILABLE.test(error.code) ? 503 : 400;
}

/** Fastify's own refusals (body too large, malformed JSON, …) in our shape. */
function fromFastify(error: { statusCode: number; code?: string; message: string }): CharterError {
  const codes: Readonly<Record<number, string>> = {
    404: "api/unknown",
    413: "api/body-too-large",
    415: "api/media-type",
  };
  return new CharterError(codes[error.statusCode] ?? "api/invalid-request", error.message, {});
}

/**
 * One error handler for every route: a `CharterError` leaves as `{ error }` with a 4xx or 503; anything else is a
 * defect of ours, is logged whole and leaves as a 500 that names nothing but the request.
 */
export function installErrorHandler(server: FastifyInstance): void {
  server.setErrorHandler((error, request, reply) => {
    if (isCharterError(error)) {
      request.log.info({ code: error.code, details: error.details }, error.message);
      const after = error.details["retryAfterSeconds"];
      if (typeof after === "number") reply.header("retry-after", after);
      return reply.code(statusOf(error)).send({ error: error.toJSON() });
    }
    const failure = error as { statusCode?: number; code?: string; message: string };
    if (failure.statusCode !== undefined && failure.statusCode >= 400 && failure.statusCode < 500) {
      const status = failure.statusCode;
      return reply
        .code(status)
        .send({ error: fromFastify({ ...failure, message: failure.message, statusCode: status }).toJSON() });
    }
    request.log.error({ err: error }, "unexpected failure");
    const masked = new CharterError(
      "api/internal",
      "an internal failure; the log has it under this request id",
      {
        requestId: request.id,
      },
    );
    return reply.code(500).send({ error: masked.toJSON() });
  });
  server.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .send({ error: new CharterError("api/unknown", "there is nothing at this address").toJSON() }),
  );
}

/** What is said of one wrong field: names that a sender made up would else come back, and into the log, at any length. */
const MAX_ISSUE_CHARACTERS = 200;

/** Parses a message by its schema. @throws CharterError `api/invalid-message` with the path of every wrong field. */
export function parseMessage<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CharterError("api/invalid-message", "the message has another shape than documented", {
    issues: parsed.error.issues
      .slice(0, 20)
      .map(({ path, message }) => `${path.map(String).join(".")}: ${message}`.slice(0, MAX_ISSUE_CHARACTERS)),
  });
}
