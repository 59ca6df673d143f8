import { connect } from "node:net";
import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";

export interface Load {
  readonly url: string;
  readonly path: string;
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
  /** What every answer must contain: a refusal is quick, and no decision. */
  readonly mustContain: string;
}

export interface Loaded {
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
  readonly answers: number;
}

/**
 * One request at a time on each of a few keep-alive connections. Bare sockets, so that the client, which shares the
 * cores with what it measures, takes little of them; latencies are kept to the microsecond.
 */
export async function load(of: Load): Promise<Loaded> {
  const { hostname, port, host } = new URL(of.url);
  const request = Buffer.from(
    `POST ${of.path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(of.body)}\r\n\r\n${of.body}`,
  );
  const latencies: number[] = [];
  const until = performance.now() + of.seconds * 1_000;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: of.connections }, () =>
      run(connect(Number(port), hostname), request, of, until, latencies),
    ),
  );
  const elapsed = (performance.now() - started) / 1_000;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), perSecond: latencies.length / elapsed, answers: latencies.length };
}

function run(socket: Socket, request: Buffer, of: Load, until: number, latencies: number[]): Promise<void> {
  return new Promise((done, fail) => {
    let text = "";
    let sentAt = 0;
    const send = (): void => {
      sentAt = performance.now();
      socket.write(request);
    };
    socket.setNoDelay(true);
    socket.once("connect", send);
    socket.once("error", fail);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const head = text.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
      if (text.length < head + 4 + length) return;
      const now = performance.now();
      if (!text.includes(of.mustContain)) {
        socket.destroy();
        fail(new Error(`the answer is not what is measured: ${text}`));
        return;
      }
      latencies.push(now - sentAt);
      text = "";
      if (now >= until) {
        socket.end();
        done();
      } else send();
    });
  });
}
