import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import pino from "pino";

import { CharterError, isCharterError } from "../protocol/errors/CharterError.ts";
import { errorForLog } from "./errorForLog.ts";
import { currentRequestId } from "./requestId.ts";

/** What a program started, so far: ended in reverse order. */
export class Closers {
  readonly #closers: { readonly what: string; readonly close: () => Promise<void> }[] = [];

  add(what: string, close: () => Promise<void>): void {
    this.#closers.push({ what, close });
  }

  /** Ends everything, the last first; one that fails does not keep the others. */
  async closeAll(logger: FastifyBaseLogger): Promise<void> {
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      try {
        await closer.close();
      } catch (error) {
        logger.error({ err: error, what: closer.what }, "could not be ended cleanly");
      }
    }
  }
}

export interface Started {
  /** Printed as `{"ready":true,…}`. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Rejects when something that must go on for the program's whole life has failed. */
  readonly failed: Promise<never>;
}

/** Lines are written together once there are this many bytes, or this often. */
const LOG_BUFFER_BYTES = 4_096;
const LOG_FLUSH_MS = 200;

/**
 * pino to stderr: stdout belongs to the ready line. Nothing that is a key is ever given to it. A level that is none is
 * told by the configuration; until then it is "info". Writing each line by itself took a fifth of a boot decision, so
 * lines are gathered for a moment; what is gathered is written when the process ends.
 */
export function createLogger(name: string, asked = "info"): FastifyBaseLogger {
  const level = asked === "silent" || asked in pino.levels.values ? asked : "info";
  const stderr = pino.destination({
    dest: 2,
    sync: false,
    minLength: LOG_BUFFER_BYTES,
    periodicFlush: LOG_FLUSH_MS,
  });
  const mixin = (): object => {
    const requestId = currentRequestId();
    return requestId === undefined ? {} : { requestId };
  };
  const serializers = { err: errorForLog };
  return pino({ name, level, base: { name, pid: process.pid }, mixin, serializers }, stderr);
}

/** A stop that hangs is cut short after this. */
const STOP_TIMEOUT_MS = 15_000;

/**
 * Runs one of our programs: one ready line on stdout when up; SIGTERM and SIGINT stop it in order, also half-way
 * through its start; a typed error at start is printed on stderr and exits with 1.
 */
export async function runProgram(
  logger: FastifyBaseLogger,
  start: (closers: Closers) => Promise<Started>,
): Promise<void> {
  const closers = new Closers();
  let stop: (signal: string) => void = () => undefined;
  const stopped = new Promise<string>((resolve) => (stop = resolve));
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));

  let exitCode = 0;
  const starting = start(closers);
  try {
    const started = await Promise.race([starting, stopped]);
    if (typeof started !== "string") {
      process.stdout.write(`${JSON.stringify({ ready: true, ...started.ready })}\n`);
      const signal = await Promise.race([stopped, started.failed]);
      logger.info({ signal }, "stopping");
    } else {
      logger.info({ signal: started }, "stopping before the start was complete");
    }
  } catch (error) {
    exitCode = 1;
    reportFailure(logger, error);
  }
  const timer = setTimeout(() => {
    logger.error("the stop took too long");
    process.exit(1);
  }, STOP_TIMEOUT_MS);
  await starting.catch(() => undefined); // So that what it still starts is ended too.
  await closers.closeAll(logger);
  clearTimeout(timer);
  process.exitCode = exitCode;
  // Keep-alive sockets of clients may outlive a stop; nothing of ours does.
  setTimeout(() => process.exit(exitCode), 250).unref();
}

function reportFailure(logger: FastifyBaseLogger, error: unknown): void {
  if (!isCharterError(error)) {
    logger.fatal({ err: error }, "unexpected failure");
    return;
  }
  logger.fatal({ code: error.code, details: error.details }, error.message);
  process.stderr.write(`${JSON.stringify({ error: error.toJSON() })}\n`);
}

/** How long requests that are under way when a listener stops may take. */
const CLOSE_GRACE_MS = 5_000;

/**
 * Stops a listener: what is under way is answered, within a while. Whoever opened a connection and says nothing on it must
 * not keep what comes after from being ended in order.
 */
export async function closeListener(server: FastifyInstance, graceMs = CLOSE_GRACE_MS): Promise<void> {
  const cutting = setTimeout(() => server.server.closeAllConnections(), graceMs);
  try {
    await server.close();
  } finally {
    clearTimeout(cutting);
  }
}

/**
 * Listens, and gives the URL. @throws CharterError `config/port-in-use`, `config/cannot-listen`.
 */
export async function listen(server: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    await server.listen({ host, port });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "EADDRINUSE") {
      throw new CharterError(
        "config/port-in-use",
        `port ${port} of ${host} is in use`,
        { host, port },
        { cause },
      );
    }
    throw new CharterError(
      "config/cannot-listen",
      `cannot listen on ${host}, port ${port}`,
      { host, port, code },
      { cause },
    );
  }
  const address = server.addresses()[0];
  const shown = host.includes(":") ? `[${host}]` : host;
  const bound = typeof address === "object" ? address.port : port;
  const scheme = server.initialConfig.https ? "https" : "http";
  return `${scheme}://${shown}:${bound}`;
}
