import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

/** Answers one request to /graphql. */
export type GraphqlHandler = (request: FastifyRequest, reply: FastifyReply) => Response | Promise<Response>;

const MAX_QUERY_BYTES = 32_768;

/**
 * Mounts `POST /graphql`, and `GET` for what browsers' EventSource can send.
 * @param open called at the first question: libraries for it are a third of what this program would load, and many a relayer
 * is asked none. Where it fails the question is answered so, and the next one calls it again.
 */
export function graphqlRoute(server: FastifyInstance, open: () => Promise<GraphqlHandler>): void {
  let opened: Promise<GraphqlHandler> | undefined;
  const handler = (): Promise<GraphqlHandler> =>
    (opened ??= open().catch((cause: unknown) => {
      opened = undefined;
      throw cause;
    }));
  server.route({
    url: "/graphql",
    method: ["GET", "POST"],
    bodyLimit: MAX_QUERY_BYTES,
    handler: async (request, reply) => (await handler())(request, reply),
  });
}
