import Fastify, { LogController } from "fastify";
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { nameRequests, newRequestId } from "../../requestId.ts";
import type { Listener } from "./listener.ts";
import { parseBootRequest } from "./parseBootRequest.ts";
import type { BootRequest } from "./parseBootRequest.ts";

/** What is decided about one boot; `unavailable` when the chain cannot be consulted now. */
export type BootDecision =
  | {
      readonly kind: "decided";
      readonly isAllowed: boolean;
      readonly reason: string;
      readonly gatewayAppId: string;
    }
  | { readonly kind: "unavailable" };

type Awaitable<T> = T | Promise<T>;

/** What `GET /` tells, in dstack's words. */
export interface BootAuthInfo {
  readonly kmsContractAddr: string;
  /** Scheme and host only: the rest of an RPC's URL is often a secret. */
  readonly ethRpcUrl: string;
  readonly gatewayAppId: string;
  readonly chainId: number;
  readonly appAuthImplementation: string;
  readonly appImplementation: string;
}

export interface BootAuthOptions {
  readonly decideApp: (request: BootRequest) => Awaitable<BootDecision>;
  readonly decideKms: (request: BootRequest) => Awaitable<BootDecision>;
  /** Undefined when the chain cannot be consulted now. */
  readonly info: () => Awaitable<BootAuthInfo | undefined>;
  /** Absent: plain HTTP, which is for loopback (listener.ts). */
  readonly tls?: Listener["tls"];
  readonly logger: FastifyBaseLogger;
}

/** Byte-exact: dstack's clients compare these (DESIGN section 9). */
const UNAVAILABLE = "authorization backend unavailable";
const INVALID = "invalid authorization request";

/** Boot info with every optional list full is below 40 KiB. */
const BODY_LIMIT = 65_536;

const answer = (isAllowed: boolean, reason: string, gatewayAppId: string): string =>
  JSON.stringify({ isAllowed, reason, gatewayAppId });

/**
 * dstack's boot authorization webhook (DESIGN section 9). It stands on a listener of its own, loopback by default,
 * because whoever reaches it is believed to be the local KMS.
 */
export function bootAuthServer({
  decideApp,
  decideKms,
  info,
  tls,
  logger,
}: BootAuthOptions): FastifyInstance {
  const options = {
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: newRequestId,
    bodyLimit: BODY_LIMIT,
    requestTimeout: 10_000,
    connectionTimeout: 30_000,
  };
  const server: FastifyInstance = tls
    ? Fastify({
        ...options,
        https: { ...tls, requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3" },
      })
    : Fastify(options);
  nameRequests(server);

  // The body is parsed by one strict function, whatever the content type says; Fastify's own JSON errors have another
  // shape than dstack's.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));

  const answering =
    (decide: BootAuthOptions["decideApp"]) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<string> => {
      const { body } = request;
      const decision = await decide(parseBootRequest(typeof body === "string" ? body : ""));
      void reply.type("application/json; charset=utf-8");
      return decision.kind === "unavailable"
        ? answer(false, UNAVAILABLE, "")
        : answer(decision.isAllowed, decision.reason, decision.gatewayAppId);
    };
  server.post("/bootAuth/app", answering(decideApp));
  server.post("/bootAuth/kms", answering(decideKms));

  server.get("/", async (_request, reply) => {
    const known = await info();
    if (known === undefined) return reply.code(500).send({ status: "error", message: UNAVAILABLE });
    return reply.send({ status: "ok", ...known });
  });

  server.setErrorHandler((error, request, reply) => {
    const status = (error as { statusCode?: number }).statusCode;
    const isRefused = isCharterError(error) && error.code === "bootauth/invalid-request";
    const invalid = isRefused || (status !== undefined && status >= 400 && status < 500);
    if (!invalid) request.log.error({ err: error }, "boot authorization failed");
    void reply.type("application/json; charset=utf-8");
    // A defect of ours must deny, in words that a dstack client understands.
    return invalid
      ? reply.code(400).send(answer(false, INVALID, ""))
      : reply.code(200).send(answer(false, UNAVAILABLE, ""));
  });
  return server;
}
