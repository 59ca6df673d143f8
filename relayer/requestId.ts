import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";

import type { FastifyInstance } from "fastify";

const requests = new AsyncLocalStorage<string>();
/** What another service may call a request: nothing that could forge a log line. */
const GIVEN = /^[A-Za-z0-9._-]{8,64}$/;

/** The id that a request came with (`x-request-id`), so that one id runs through several services; else a new one. */
export function newRequestId({ headers }: Pick<IncomingMessage, "headers">): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && GIVEN.test(given) ? given : randomUUID();
}

/** Id of the request that is being served; undefined outside of one. */
export const currentRequestId = (): string | undefined => requests.getStore();

/** Runs what follows from a request later, or elsewhere, under its id. */
export const underRequest = <T>(id: string | undefined, work: () => T): T =>
  id === undefined ? work() : requests.run(id, work);

/**
 * Names every request in its answer (`x-request-id`), and in all that is logged because of it. The server must have been
 * made with `genReqId: newRequestId`.
 */
export function nameRequests(server: FastifyInstance): void {
  server.addHook("onRequest", (request, reply, done) => {
    void reply.header("x-request-id", request.id);
    requests.run(request.id, done);
  });
}
