import Fastify, { LogController } from "fastify";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { parseBootRequest } from "./parseBootRequest.ts";
import type { BootRequest } from "./parseBootRequest.ts";

/** What is decided about one boot; `unavailable` when the chain cannot be consulted now. */
export type BootDecision =
  | { readonly kind: "decided"; readonly isAllowed: boolean; readonly reason: string }
  | { readonly kind: "unavailable" };

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
  readonly decideApp: (request: BootRequest) => BootDecision;
  /** Undefined when the chain cannot be consulted now. */
  readonly info: () => BootAuthInfo | undefined;
  readonly logger: FastifyBaseLogger;
}

/** Byte-exact: dstack's clients compare these (DESIGN section 9). */
const UNAVAILABLE = "authorization backend unavailable";
const INVALID = "invalid authorization request";
const KMS_DENIED = "KMS is not allowed to boot on this device";

/** Boot info with every optional list full is below 40 KiB. */
const BODY_LIMIT = 65_536;

const answer = (isAllowed: boolean, reason: string, gatewayAppId: string): string =>
  JSON.stringify({ isAllowed, reason, gatewayAppId });

/**
 * dstack's boot authorization webhook (DESIGN section 9). It stands on a listener of its own, loopback by default,
 * because whoever reaches it is believed to be the local KMS.
 */
export function bootAuthServer({ decideApp, info, logger }: BootAuthOptions): FastifyInstance {
  const server = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: 10_000,
    connectionTimeout: 30_000,
  });

  // The body is parsed by one strict function, whatever the content type says; Fastify's own JSON errors have another
  // shape than dstack's.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));

  const parse = (body: unknown): BootRequest => parseBootRequest(typeof body === "string" ? body : "");

  server.post("/bootAuth/app", (request, reply) => {
    const decision = decideApp(parse(request.body));
    void reply.type("application/json; charset=utf-8");
    return decision.kind === "unavailable"
      ? answer(false, UNAVAILABLE, "")
      : answer(decision.isAllowed, decision.reason, info()?.gatewayAppId ?? "");
  });

  // No KMS is governed yet: nothing in the registry could allow one, so every KMS is denied.
  server.post("/bootAuth/kms", (request, reply) => {
    parse(request.body);
    const known = info();
    void reply.type("application/json; charset=utf-8");
    return known === undefined
      ? answer(false, UNAVAILABLE, "")
      : answer(false, KMS_DENIED, known.gatewayAppId);
  });

  server.get("/", (_request, reply) => {
    const known = info();
    if (known === undefined) return reply.code(500).send({ status: "error", message: UNAVAILABLE });
    return reply.send({ status: "ok", ...known });
  });

  server.setErrorHandler((error, request, reply) => {
    const status = (error as { statusCode?: number }).statusCode;
    const invalid = isCharterError(error) || (status !== undefined && status >= 400 && status < 500);
    if (!invalid) request.log.error({ err: error }, "boot authorization failed");
    void reply.type("application/json; charset=utf-8");
    // A defect of ours must deny, in words that a dstack client understands.
    return invalid
      ? reply.code(400).send(answer(false, INVALID, ""))
      : reply.code(200).send(answer(false, UNAVAILABLE, ""));
  });
  return server;
}
