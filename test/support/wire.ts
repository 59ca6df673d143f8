import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** A TCP wire to a port of loopback that a test can cut. */
export interface Wire {
  readonly port: number;
  /** Ends what is open. */
  cut(): void;
  /** While true nothing passes, in either direction, and nobody is told: as behind a switch that failed. */
  isSilent: boolean;
  stop(): Promise<void>;
}

export async function wireTo(port: number): Promise<Wire> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on("data", (chunk) => {
        if (!wire.isSilent) to.write(chunk);
      });
      from.on("error", () => to.destroy());
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const wire: Wire = {
    port: (server.address() as AddressInfo).port,
    cut: () => open.forEach((socket) => socket.destroy()),
    isSilent: false,
    stop: () => {
      wire.cut();
      return new Promise((done) => server.close(() => done()));
    },
  };
  return wire;
}
