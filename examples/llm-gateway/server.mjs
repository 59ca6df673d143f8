// A gateway with OpenAI's API in front of a model server that only it can reach: POST /v1/chat/completions (whole or as
// server-sent events), GET /v1/models, GET /health. It asks for a key, bounds what it takes, and logs no word of a prompt.
import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";

const number = (name, otherwise) => {
  const value = Number(process.env[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name}: expected a whole number`);
  return value;
};
const UPSTREAM = new URL(process.env.UPSTREAM ?? "http://model:8080");
/** Where a guest puts the secret once somebody has set it. Without it nobody is served. */
const KEY_FILE = process.env.KEY_FILE ?? "/run/secrets/GATEWAY_KEY";
/** Of a request's body, and of an answer's. */
const MAX_BYTES = number("MAX_BYTES", 1_048_576);
const MAX_ANSWER_BYTES = number("MAX_ANSWER_BYTES", 33_554_432);
/** Requests that the model works on at once. */
const MAX_AT_ONCE = number("MAX_AT_ONCE", 8);
/** A model server that says nothing for so long is given up. */
const SILENCE_MS = number("SILENCE_MS", 120_000);
const HEALTH_MS = 3_000;

/** A refusal in OpenAI's form: `code` is fixed for each reason. */
class Refusal extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const NO_MODEL = (why) => new Refusal(502, "model_unavailable", `the model server ${why}`);

const LEFT = () => new Refusal(499, "client_left", "the client left");

const bodyOf = ({ status, code, message }) => ({
  error: { message, type: status < 500 ? "invalid_request_error" : "server_error", code },
});

const sha256 = (text) => createHash("sha256").update(text).digest();

/** Read anew for every request: a key that is rotated counts at once, and one that was removed lets nobody in. */
function requireKey(authorization) {
  let key = "";
  try {
    key = readFileSync(KEY_FILE, "utf8").trim();
  } catch {
    // Below.
  }
  if (key === "") throw new Refusal(503, "key_not_set", "nobody has set the gateway's key yet");
  // Hashes have one length, whatever was sent.
  if (!timingSafeEqual(sha256(`Bearer ${key}`), sha256(authorization ?? ""))) {
    throw new Refusal(401, "invalid_api_key", "not the key");
  }
}

async function readBody(request) {
  const tooLarge = () => new Refusal(413, "request_too_large", `expected at most ${MAX_BYTES} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > MAX_BYTES) throw tooLarge();
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Nothing of the content is looked at: only that the model server is asked for what it serves. */
function requireChat(body) {
  let json;
  try {
    json = JSON.parse(body.toString("utf8"));
  } catch {
    throw new Refusal(400, "malformed_json", "expected a JSON object");
  }
  if (
    typeof json !== "object" ||
    json === null ||
    !Array.isArray(json.messages) ||
    json.messages.length === 0
  )
    throw new Refusal(400, "no_messages", "expected `messages`, a list of at least one");
  if (json.stream !== undefined && typeof json.stream !== "boolean")
    throw new Refusal(400, "malformed_stream", "expected `stream` to be true or false");
}

/** Asks the model server; resolves with its answer's head. Nothing of the client's headers goes on. */
function ask(method, path, body, signal) {
  return new Promise((done, fail) => {
    const headers =
      body === undefined ? {} : { "content-type": "application/json", "content-length": body.length };
    const asked = httpRequest(new URL(path, UPSTREAM), { method, headers, signal }, done);
    asked.setTimeout(SILENCE_MS, () => asked.destroy(new Error("silent")));
    asked.once("error", (error) =>
      fail(NO_MODEL(error.message === "silent" ? "is silent" : "cannot be reached")),
    );
    asked.end(body);
  });
}

/** Hands the answer on as it comes, no faster than the client takes it. */
async function handOn(answer, response) {
  const type = answer.headers["content-type"] ?? "application/json";
  if (answer.statusCode >= 500) throw NO_MODEL(`answered ${answer.statusCode}`);
  response.statusCode = answer.statusCode;
  response.setHeader("content-type", type);
  response.setHeader("cache-control", "no-store");
  response.flushHeaders();
  const closed = new Promise((done) => response.once("close", done));
  let length = 0;
  for await (const chunk of answer) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw NO_MODEL(`answered more than ${MAX_ANSWER_BYTES} bytes`);
    if (!response.write(chunk)) await Promise.race([once(response, "drain"), closed]);
    if (response.destroyed) return;
  }
  if (!answer.complete) throw NO_MODEL("broke off");
  response.end();
}

let atOnce = 0;

/** Holds one of the places at the model for as long as the work takes; whoever finds none free is told so at once. */
async function withPlace(work) {
  if (atOnce >= MAX_AT_ONCE)
    throw new Refusal(429, "too_many_requests", `at most ${MAX_AT_ONCE} requests at once`);
  atOnce++;
  try {
    return await work();
  } finally {
    atOnce--;
  }
}

async function pass(method, path, body, response) {
  // A client that leaves frees the model.
  const left = new AbortController();
  response.once("close", () => left.abort());
  let answer;
  try {
    answer = await ask(method, path, body, left.signal);
    await handOn(answer, response);
  } catch (error) {
    if (left.signal.aborted) throw LEFT();
    throw error instanceof Refusal ? error : NO_MODEL("broke off");
  } finally {
    answer?.destroy();
  }
}

/** The model server's own word, as llama.cpp and vLLM give it: 200 once the model is loaded. */
async function health() {
  try {
    const answer = await fetch(new URL("/health", UPSTREAM), { signal: AbortSignal.timeout(HEALTH_MS) });
    await answer.body?.cancel();
    return answer.status === 200 ? "ok" : "model not ready";
  } catch {
    return "model not reachable";
  }
}

const json = (response, status, body) => {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(`${JSON.stringify(body)}\n`);
};

/** Routes by exact name: the log names them, and nothing else of a URL. */
const ROUTES = {
  "GET /health": async (_request, response) => {
    const status = await health();
    json(response, status === "ok" ? 200 : 503, { status });
  },
  "GET /v1/models": async (request, response) => {
    requireKey(request.headers.authorization);
    await withPlace(() => pass("GET", "/v1/models", undefined, response));
  },
  "POST /v1/chat/completions": async (request, response) => {
    requireKey(request.headers.authorization);
    await withPlace(async () => {
      const body = await readBody(request);
      requireChat(body);
      await pass("POST", "/v1/chat/completions", body, response);
    });
  },
};

/** After the head has gone an error can only be an event of the stream (after whatever was cut off), or a broken line. */
function refuse(response, refusal) {
  if (response.destroyed) return;
  if (!response.headersSent) return json(response, refusal.status, bodyOf(refusal));
  const type = String(response.getHeader("content-type"));
  if (type.startsWith("text/event-stream")) response.end(`\n\ndata: ${JSON.stringify(bodyOf(refusal))}\n\n`);
  else response.destroy();
}

const server = createServer(async (request, response) => {
  const startedAt = performance.now();
  const name = `${request.method} ${(request.url ?? "").split("?")[0]}`;
  const route = Object.hasOwn(ROUTES, name) ? name : "none";
  let code;
  try {
    if (route === "none") throw new Refusal(404, "not_found", "not here");
    await ROUTES[route](request, response);
  } catch (error) {
    const own = () =>
      response.destroyed ? LEFT() : new Refusal(500, "internal", "an error of the gateway's own");
    const refusal = error instanceof Refusal ? error : own();
    ({ code } = refusal);
    // What is left of a body that was refused is not read: the connection ends with the answer.
    if (!request.complete) response.shouldKeepAlive = false;
    refuse(response, refusal);
  }
  const milliseconds = Math.round(performance.now() - startedAt);
  console.log(JSON.stringify({ route, status: response.statusCode, code, milliseconds }));
});
server.headersTimeout = 10_000;
server.requestTimeout = 60_000;
server.maxHeadersCount = 64;
server.listen(Number(process.env.PORT ?? 8080), process.env.HOST, () => {
  console.log(JSON.stringify({ ready: true, port: server.address().port }));
});
process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
