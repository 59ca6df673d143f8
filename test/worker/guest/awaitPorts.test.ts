import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

import { expect } from "chai";

import { machineClock } from "../../../worker/clock.ts";
import { awaitPorts } from "../../../worker/guest/awaitPorts.ts";
import type { PublishedPort } from "../../../worker/guest/compose/parseCompose.ts";

interface Held extends PublishedPort {
  readonly release: () => Promise<unknown>;
}

/** A free port that the system chose, held until it is released. */
async function holdTcp(): Promise<Held> {
  const server = createServer().listen(0, "0.0.0.0");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { port, transport: "tcp", release: () => new Promise((done) => server.close(done)) };
}

async function holdUdp(): Promise<Held> {
  const socket = createSocket("udp4").bind(0);
  await once(socket, "listening");
  let isOpen = true;
  const release = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await new Promise<void>((done) => socket.close(done));
  };
  return { port: socket.address().port, transport: "udp", release };
}

describe("ports that an app publishes", () => {
  let held: Held[];
  beforeEach(async () => {
    held = [await holdTcp(), await holdUdp()];
  });
  afterEach(async () => {
    for (const { release } of held) await release();
  });

  it("are waited for while others hold them, which is told once", async () => {
    const told: (readonly PublishedPort[])[] = [];
    let pauses = 0;
    const sleep = async (): Promise<void> => {
      await held[pauses++]?.release();
      if (pauses > 5) throw new Error("the ports are free, and it waits");
    };
    const onTaken = (ports: readonly PublishedPort[]): void => void told.push(ports);
    await awaitPorts(held, { clock: { ...machineClock(), sleep }, onTaken }, new AbortController().signal);
    expect(told).to.deep.equal([held]);
    expect(pauses).to.equal(2);
  });

  it("that are free are not waited for", async () => {
    for (const { release } of held) await release();
    const sleep = (): Promise<void> => Promise.reject(new Error("it waited"));
    const onTaken = (): void => expect.fail("they are free");
    await awaitPorts(held, { clock: { ...machineClock(), sleep }, onTaken }, new AbortController().signal);
  });

  it("end the wait when the guest is asked to stop", async () => {
    const stop = new AbortController();
    await awaitPorts(held, { clock: machineClock(), onTaken: () => stop.abort() }, stop.signal);
    expect(stop.signal.aborted).to.equal(true);
  });
});
