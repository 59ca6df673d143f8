import { createServer } from "node:net";

/** The wanted port when it is free on loopback, else one that the system gives. */
export async function freePort(wanted = 0): Promise<number> {
  return (await tryPort(wanted)) ?? ((await tryPort(0)) as number);
}

function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(null));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      const got = typeof address === "object" && address ? address.port : null;
      server.close(() => resolve(got));
    });
  });
}
