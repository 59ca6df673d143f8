import { resolve } from "node:path";

import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** Serves the built explorer page at `/`: it may load nothing from elsewhere and be framed by nobody. */
export async function servePage(server: FastifyInstance, directory: string): Promise<void> {
  await server.register(fastifyStatic, {
    root: resolve(directory),
    setHeaders: (reply) => {
      reply.header("content-security-policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'");
      reply.header("x-content-type-options", "nosniff");
      reply.header("referrer-policy", "no-referrer");
    },
  });
}
