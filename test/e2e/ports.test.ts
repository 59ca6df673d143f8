import { createServer, type AddressInfo, type Server } from "node:net";

import { expect } from "chai";

import { freePort } from "../../scripts/devnet/freePort.ts";

/** Listens on a port of loopback. */
const occupy = (port: number): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.listen(port, "127.0.0.1", () => resolve(server));
  });

describe("freePort", () => {
  it("gives the wanted port where it is free, and another where it is in use", async () => {
    const server = await occupy(0);
    const { port } = server.address() as AddressInfo;
    const other = await freePort(port);
    expect(other).to.be.greaterThan(0).and.not.to.equal(port);
    await new Promise((resolve) => server.close(resolve));
    expect(await freePort(port)).to.equal(port);
  });
});
