import type { Readable } from "node:stream";
import Fastify from "fastify";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { ComposeHash } from "../../protocol/words/hex.ts";
import type { NoteStanding } from "./note/NoteStanding.ts";
import type { GuestState } from "./state.ts";

/** What containers write, until the signal is given; null where nobody may read it, or nothing runs. */
export type LogSource = (ended: AbortSignal) => Readable | null;

/** Each reader of logs is a process of the engine's client. */
const MAX_LOG_READERS = 8;

export interface StatusServer {
  readonly url: string;
  close(): Promise<void>;
}

/** The release that this guest runs, and what is known of its note. */
export interface StatusRelease {
  readonly number: number;
  readonly composeHash: ComposeHash;
  readonly note: NoteStanding;
}

export interface StatusSources {
  /** The guest's last state. */
  readonly state: () => GuestState;
  /** What is run. */
  readonly release?: () => StatusRelease;
  readonly logs: LogSource;
}

/**
 * On a free loopback port: `GET /status` answers the guest's last state and its release; `GET /logs` streams what the containers write,
 * as plain text, only where the manifest says `public_logs` (403 `logs/not-public` otherwise), to eight readers at once (503
 * `logs/too-many-readers`).
 */
export async function startStatusServer({ state, release, logs }: StatusSources): Promise<StatusServer> {
  const server = Fastify({ logger: false, forceCloseConnections: true });
  server.get("/status", () => ({ ...state(), ...(release === undefined ? {} : { release: release() }) }));
  let readers = 0;
  server.get("/logs", (request, reply) => {
    if (readers >= MAX_LOG_READERS) {
      const error = new CharterError("logs/too-many-readers", "logs are read by as many as may at once", {
        expected: MAX_LOG_READERS,
      });
      return reply.code(503).send({ error });
    }
    const ended = new AbortController();
    const stream = logs(ended.signal);
    if (stream === null) {
      const error = new CharterError("logs/not-public", "the manifest does not make logs public", {});
      return reply.code(403).send({ error });
    }
    readers++;
    reply.raw.once("close", () => {
      readers--;
      ended.abort();
    });
    return reply.type("text/plain; charset=utf-8").header("x-content-type-options", "nosniff").send(stream);
  });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return { url, close: () => server.close() };
}
