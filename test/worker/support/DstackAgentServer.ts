import { createServer, type Server } from "node:http";
import { join } from "node:path";

/** The guest agent's own messages over its socket (dstack 0.5: JSON by POST). What it answers is up to the test. */
export class DstackAgentServer {
  readonly socket: string;
  readonly asked: { readonly path: string; readonly body: Record<string, unknown> }[] = [];
  answers: Record<string, (body: Record<string, unknown>) => unknown> = {};
  readonly #server: Server;

  constructor(dir: string) {
    this.socket = join(dir, "dstack.sock");
    this.#server = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => {
        const path = request.url ?? "";
        const body = JSON.parse(text) as Record<string, unknown>;
        this.asked.push({ path, body });
        void (async () => {
          const answer = JSON.stringify((await this.answers[path]?.(body)) ?? { error: "no such method" });
          response.setHeader("Content-Type", "application/json");
          response.setHeader("Content-Length", Buffer.byteLength(answer));
          response.end(answer);
        })();
      });
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(this.socket, done));
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}
