import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

import { Inbox } from "../support/Inbox.ts";

const SERVER = fileURLToPath(new URL("../../../examples/llm-gateway/server.mjs", import.meta.url));
const KEY = "the-key-of-the-gateway";
const PROMPT = "what nobody but the model may read";
const WORDS = ["Noth", "ing ", "at all."];
const CHAT = { model: "model", messages: [{ role: "user", content: PROMPT }] };
const MAX_BYTES = 4_096;

interface Line {
  readonly ready?: true;
  readonly port?: number;
  readonly route?: string;
  readonly status?: number;
  readonly code?: string;
}

/** A model server as llama.cpp and vLLM answer: whole, or as server-sent events of which the test lets each one go. */
class ModelServer {
  readonly asked: { readonly headers: IncomingMessage["headers"]; readonly body: string }[] = [];
  /** Resolves before each word of a stream. */
  next: () => Promise<void> = () => Promise.resolve();
  /** Called instead of answering. */
  instead: ((response: ServerResponse) => void) | undefined;
  isLoaded = true;
  left = new Inbox<true>();
  readonly server: Server = createServer((asked, response) => void this.#answer(asked, response));

  async start(): Promise<string> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async #answer(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    response.once("close", () => response.writableFinished || this.left.put(true));
    if (asked.url === "/health") {
      response.writeHead(this.isLoaded ? 200 : 503).end("{}");
      return;
    }
    let body = "";
    for await (const chunk of asked) body += String(chunk);
    this.asked.push({ headers: asked.headers, body });
    if (this.instead) return this.instead(response);
    if (asked.url === "/v1/models") {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ object: "list", data: [{ id: "model", object: "model" }] }));
      return;
    }
    if ((JSON.parse(body) as { stream?: boolean }).stream !== true) {
      response.writeHead(200, { "content-type": "application/json" });
      const message = { role: "assistant", content: WORDS.join("") };
      response.end(JSON.stringify({ object: "chat.completion", choices: [{ index: 0, message }] }));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    for (const content of WORDS) {
      await this.next();
      const chunk = { object: "chat.completion.chunk", choices: [{ index: 0, delta: { content } }] };
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    }
    response.end("data: [DONE]\n\n");
  }
}

/** Words of the events that a text holds. */
const wordsOf = (text: string): string[] =>
  [...text.matchAll(/^data: (\{.*\})$/gm)].map(
    ([, json = ""]) =>
      (JSON.parse(json) as { choices: { delta: { content: string } }[] }).choices[0]?.delta.content ?? "",
  );

describe("the gateway of examples/llm-gateway", function () {
  this.timeout(30_000);
  let dir: string;
  let model: ModelServer;
  let child: ChildProcess;
  let lines: Inbox<Line>;
  let written: string;
  let url: string;

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "charter-gateway-"));
    model = new ModelServer();
    lines = new Inbox();
    written = "";
    child = spawn(process.execPath, [SERVER], {
      env: {
        PORT: "0",
        HOST: "127.0.0.1",
        UPSTREAM: await model.start(),
        KEY_FILE: join(dir, "key"),
        MAX_BYTES: String(MAX_BYTES),
        MAX_ANSWER_BYTES: "65536",
        MAX_AT_ONCE: "2",
        SILENCE_MS: "1000",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stderr?.on("data", (chunk: Buffer) => (written += chunk.toString()));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      written += line;
      lines.put(JSON.parse(line) as Line);
    });
    const { port } = await lines.until(({ ready }) => ready === true);
    url = `http://127.0.0.1:${port}`;
  });
  beforeEach(() => {
    writeFileSync(join(dir, "key"), `${KEY}\n`);
    model.instead = undefined;
    model.isLoaded = true;
    model.next = () => Promise.resolve();
    model.asked.length = 0;
  });
  after(async () => {
    child.kill("SIGTERM");
    const [code] = (await once(child, "exit")) as [number | null];
    model.server.closeAllConnections();
    model.server.close();
    rmSync(dir, { recursive: true });
    expect(code).to.equal(0);
  });

  const post = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${KEY}`, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const codeOf = async (answer: Response) => {
    const { error } = (await answer.json()) as { error: { code: string; type: string; message: string } };
    expect(error.message).to.be.a("string");
    return [answer.status, error.code];
  };

  it("hands on a whole answer, and nothing of the client's headers", async () => {
    const answer = await post(CHAT, { cookie: "a=b", "x-forwarded-for": "198.51.100.1" });
    expect(answer.status).to.equal(200);
    const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] };
    expect(choices[0]?.message.content).to.equal(WORDS.join(""));
    const [asked] = model.asked;
    expect(JSON.parse(asked?.body ?? "")).to.deep.equal(CHAT);
    expect(asked?.headers).to.not.have.any.keys("authorization", "cookie", "x-forwarded-for");
  });

  it("hands on each event of a stream before the next one is there", async () => {
    let go: () => void = () => undefined;
    model.next = () => new Promise((done) => (go = done));
    const answer = await post({ ...CHAT, stream: true });
    expect(answer.headers.get("content-type")).to.equal("text/event-stream");
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (let i = 1; i <= WORDS.length; i++) {
      go();
      while (wordsOf(text).length < i) text += decoder.decode((await reader.read()).value);
      expect(wordsOf(text)).to.deep.equal(WORDS.slice(0, i));
    }
    for (let isOver = false; !isOver;) {
      const { done, value } = await reader.read();
      text += decoder.decode(value);
      isOver = done;
    }
    expect(text.endsWith("data: [DONE]\n\n")).to.equal(true);
  });

  it("lets go of the model when the client leaves", async () => {
    model.next = () => new Promise(() => undefined);
    const left = new AbortController();
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ ...CHAT, stream: true }),
      signal: left.signal,
    });
    expect(answer.status).to.equal(200);
    left.abort();
    await model.left.until(() => true);
    await lines.until(({ code }) => code === "client_left");
  });

  it("serves whoever has the key, as it is now, and nobody where none is set", async () => {
    expect(await codeOf(await post(CHAT, { authorization: "Bearer other" }))).to.deep.equal([
      401,
      "invalid_api_key",
    ]);
    expect(await codeOf(await post(CHAT, { authorization: KEY }))).to.deep.equal([401, "invalid_api_key"]);
    expect(await codeOf(await fetch(`${url}/v1/models`))).to.deep.equal([401, "invalid_api_key"]);
    writeFileSync(join(dir, "key"), "rotated");
    expect(await codeOf(await post(CHAT))).to.deep.equal([401, "invalid_api_key"]);
    expect((await post(CHAT, { authorization: "Bearer rotated" })).status).to.equal(200);
    for (const empty of ["", "\n"]) {
      writeFileSync(join(dir, "key"), empty);
      expect(await codeOf(await post(CHAT, { authorization: "Bearer " }))).to.deep.equal([
        503,
        "key_not_set",
      ]);
    }
    rmSync(join(dir, "key"));
    expect(await codeOf(await post(CHAT))).to.deep.equal([503, "key_not_set"]);
    expect(model.asked).to.have.length(1);
  });

  it("refuses what is no question before the model hears of it", async () => {
    expect(await codeOf(await post("{"))).to.deep.equal([400, "malformed_json"]);
    expect(await codeOf(await post({ model: "model" }))).to.deep.equal([400, "no_messages"]);
    expect(await codeOf(await post({ ...CHAT, messages: [] }))).to.deep.equal([400, "no_messages"]);
    expect(await codeOf(await post({ ...CHAT, stream: "yes" }))).to.deep.equal([400, "malformed_stream"]);
    expect(await codeOf(await post(`${JSON.stringify(CHAT)}${" ".repeat(MAX_BYTES)}`))).to.deep.equal([
      413,
      "request_too_large",
    ]);
    expect(await codeOf(await fetch(`${url}/v1/embeddings`, { method: "POST" }))).to.deep.equal([
      404,
      "not_found",
    ]);
    expect(await codeOf(await fetch(`${url}/constructor`))).to.deep.equal([404, "not_found"]);
    expect(model.asked).to.deep.equal([]);
  });

  it("takes no more than it said, of a body that names no length", async () => {
    const status = await new Promise<number | undefined>((done, fail) => {
      const asked = request(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${KEY}`, "transfer-encoding": "chunked" },
      });
      asked.once("response", (answer) => done(answer.statusCode));
      asked.once("error", fail);
      asked.write("x".repeat(MAX_BYTES + 1)); // And no end of it.
    });
    expect(status).to.equal(413);
  });

  it("refuses more at once than it was told, and serves again when a place is free", async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((done) => (go = done));
    model.next = () => gate;
    const [first, second] = await Promise.all([
      post({ ...CHAT, stream: true }),
      post({ ...CHAT, stream: true }),
    ]);
    expect(await codeOf(await post(CHAT))).to.deep.equal([429, "too_many_requests"]);
    go();
    expect(wordsOf(await first.text())).to.deep.equal(WORDS);
    expect(wordsOf(await second.text())).to.deep.equal(WORDS);
    expect((await post(CHAT)).status).to.equal(200);
  });

  it("says by a code that the model server fails, is silent, or breaks off, and how", async () => {
    model.instead = (response) => response.writeHead(500).end("a trace with the prompt");
    expect(await codeOf(await post(CHAT))).to.deep.equal([502, "model_unavailable"]);
    model.instead = (response) => response.destroy();
    expect(await codeOf(await post(CHAT))).to.deep.equal([502, "model_unavailable"]);
    model.instead = () => undefined;
    expect(await codeOf(await post(CHAT))).to.deep.equal([502, "model_unavailable"]);
    // A refusal of the model's own is the client's to read.
    model.instead = (response) => response.writeHead(400, { "content-type": "application/json" }).end("{}");
    expect((await post(CHAT)).status).to.equal(400);
  });

  it("ends a stream that broke off by an event that says so, and never by [DONE]", async () => {
    for (const bend of [
      (response: ServerResponse) => setImmediate(() => response.destroy()),
      (response: ServerResponse) => response.write("data: more\n\n".repeat(10_000)),
    ]) {
      model.instead = (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write("data: {}\n\n", () => bend(response));
      };
      const text = await (await post({ ...CHAT, stream: true })).text();
      const last = text.trim().split("\n\n").at(-1) ?? "";
      const { error } = JSON.parse(last.slice("data: ".length)) as { error: { code: string } };
      expect(error.code).to.equal("model_unavailable");
      expect(text).not.to.include("[DONE]");
    }
  });

  it("lists models, and is healthy when the model is loaded", async () => {
    const headers = { authorization: `Bearer ${KEY}` };
    const { data } = (await (await fetch(`${url}/v1/models`, { headers })).json()) as {
      data: { id: string }[];
    };
    expect(data.map(({ id }) => id)).to.deep.equal(["model"]);
    expect((await fetch(`${url}/health`)).status).to.equal(200);
    model.isLoaded = false;
    const waiting = await fetch(`${url}/health`);
    expect([waiting.status, await waiting.json()]).to.deep.equal([503, { status: "model not ready" }]);
  });

  it("logs a route, a status and a code of each request, and nothing that anybody said", async () => {
    await fetch(`${url}/health?${encodeURIComponent(PROMPT)}`);
    await fetch(`${url}/${encodeURIComponent(PROMPT)}`);
    await lines.until(({ code, route }) => route === "none" && code === "not_found");
    expect(
      lines.all.some(({ route, status }) => route === "POST /v1/chat/completions" && status === 200),
    ).to.equal(true);
    for (const said of [PROMPT, encodeURIComponent(PROMPT), KEY, "rotated", WORDS[0] as string, "trace"]) {
      expect(written).not.to.include(said);
    }
  });
});
