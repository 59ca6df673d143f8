import { Readable } from "node:stream";
import { expect } from "chai";

import type { ComposeHash } from "../../../protocol/words/hex.ts";
import { startStatusServer, type StatusServer } from "../../../worker/guest/statusServer.ts";

describe("the guest's status server", () => {
  let server: StatusServer;
  afterEach(() => server.close());

  it("answers the last state, and keeps logs that are not public to itself", async () => {
    server = await startStatusServer({ state: () => ({ state: "starting", pid: 7 }), logs: () => null });
    expect(await (await fetch(`${server.url}/status`)).json()).to.deep.equal({ state: "starting", pid: 7 });
    const answer = await fetch(`${server.url}/logs`);
    expect(answer.status).to.equal(403);
    expect(await answer.json()).to.have.nested.property("error.code", "logs/not-public");
  });

  it("answers which release runs, and how its note stands", async () => {
    const composeHash = `0x${"c0".repeat(32)}` as ComposeHash;
    const release = { number: 3, composeHash, note: { note: "missing", digest: null, tried: [] } } as const;
    server = await startStatusServer({
      state: () => ({ state: "starting", pid: 7 }),
      release: () => release,
      logs: () => null,
    });
    const answer = (await (await fetch(`${server.url}/status`)).json()) as unknown;
    expect(answer).to.deep.equal({ state: "starting", pid: 7, release });
  });

  it("streams public logs to eight at once: each is a process of its own", async () => {
    const streams: Readable[] = [];
    server = await startStatusServer({
      state: () => ({ state: "starting", pid: 7 }),
      logs: () => {
        const stream = new Readable({ read: () => undefined });
        stream.push("hello\n");
        streams.push(stream);
        return stream;
      },
    });
    const reading = Array.from({ length: 8 }, () => new AbortController());
    for (const { signal } of reading) await fetch(`${server.url}/logs`, { signal });
    const refused = await fetch(`${server.url}/logs`);
    expect(refused.status).to.equal(503);
    expect(await refused.json()).to.have.nested.property("error.code", "logs/too-many-readers");
    expect(streams).to.have.length(8);
    const closed = new Promise((done) => streams[0]?.once("close", done));
    reading[0]?.abort();
    await closed;
    const last = new AbortController();
    expect((await fetch(`${server.url}/logs`, { signal: last.signal })).status).to.equal(200);
    for (const each of [...reading, last]) each.abort();
  });

  it("streams public logs, and ends them when nobody reads any more", async () => {
    let signal: AbortSignal | undefined;
    server = await startStatusServer({
      state: () => ({ state: "starting", pid: 7 }),
      logs: (ended) => {
        signal = ended;
        const stream = new Readable({ read: () => undefined });
        stream.push("web_1 | hello\n");
        return stream;
      },
    });
    const reading = new AbortController();
    const answer = await fetch(`${server.url}/logs`, { signal: reading.signal });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    expect(Buffer.from(value as Uint8Array).toString("utf8")).to.equal("web_1 | hello\n");
    const ended = new Promise((done) => signal?.addEventListener("abort", done));
    reading.abort();
    await ended;
  });
});
