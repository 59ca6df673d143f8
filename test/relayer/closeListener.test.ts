import { once } from "node:events";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";

import { expect } from "chai";
import Fastify from "fastify";

import { closeListener } from "../../relayer/program.ts";

describe("closeListener", () => {
  it("connectionThatSaysNothing_doesNotKeepItOpen", async () => {
    const server = Fastify();
    await server.listen({ host: "127.0.0.1", port: 0 });
    const { port } = server.server.address() as AddressInfo;
    const silent = connect(port, "127.0.0.1");
    const slow = connect(port, "127.0.0.1");
    slow.write("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{");
    await Promise.all([once(silent, "connect"), once(slow, "connect")]);
    const cut = Promise.all(
      [silent, slow].map((socket) => {
        socket.on("error", () => undefined); // Cut off, which it may notice as a reset.
        return new Promise((resolve) => socket.resume().once("close", resolve));
      }),
    );
    await closeListener(server, 50);
    await cut;
  });

  it("requestUnderWay_isAnswered", async () => {
    const server = Fastify();
    let release: (() => void) | undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let begun: (() => void) | undefined;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    server.get("/", async () => {
      begun?.();
      await released;
      return "done";
    });
    const url = await server.listen({ host: "127.0.0.1", port: 0 });
    const answer = fetch(url).then((response) => response.text());
    await beginning;
    const closed = closeListener(server, 60_000);
    release?.();
    expect(await answer).to.equal("done");
    await closed;
  });
});
