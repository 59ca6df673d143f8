import Fastify from "fastify";

import type { GuestState } from "./state.ts";

export interface StatusServer {
  readonly url: string;
  close(): Promise<void>;
}

/** `GET /status` on a free loopback port: the guest's last state. */
export async function startStatusServer(current: () => GuestState): Promise<StatusServer> {
  const server = Fastify({ logger: false });
  server.get("/status", () => current());
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return { url, close: () => server.close() };
}
