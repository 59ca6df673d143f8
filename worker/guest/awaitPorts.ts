import { createSocket } from "node:dgram";
import { createServer } from "node:net";

import type { Clock } from "../clock.ts";
import type { PublishedPort } from "./compose/parseCompose.ts";

const AGAIN_MS = 200;

export interface AwaitPortsSeams {
  readonly clock: Clock;
  /** Told once, with the ports that others hold. */
  readonly onTaken: (ports: readonly PublishedPort[]) => void;
  readonly isFree?: (port: PublishedPort) => Promise<boolean>;
}

/**
 * Resolves when the ports that an app publishes are free, or the signal is given: in an upgrade the predecessor holds
 * them until its successor says that it waits for nothing else.
 */
export async function awaitPorts(
  ports: readonly PublishedPort[],
  { clock, onTaken, isFree = isPortFree }: AwaitPortsSeams,
  signal: AbortSignal,
): Promise<void> {
  let isTold = false;
  while (!signal.aborted) {
    const free = await Promise.all(ports.map(isFree));
    const taken = ports.filter((_, i) => !free[i]);
    if (taken.length === 0) return;
    if (!isTold) onTaken(taken);
    isTold = true;
    await clock.sleep(AGAIN_MS, signal);
  }
}

/** On every interface, as Compose publishes it. A port that cannot be asked about counts as free: the engine says why. */
function isPortFree({ port, transport }: PublishedPort): Promise<boolean> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => resolve(error.code !== "EADDRINUSE");
    if (transport === "udp") {
      const socket = createSocket("udp4").once("error", failed);
      socket.bind(port, () => socket.close(() => resolve(true)));
    } else {
      const server = createServer().once("error", failed);
      server.listen({ port, host: "0.0.0.0", exclusive: true }, () => server.close(() => resolve(true)));
    }
  });
}
