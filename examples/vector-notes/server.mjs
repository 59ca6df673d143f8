// Notes that are found by what they are about: SQLite with the vector extension sqlite-vec, in one file below /data.
// POST /notes takes a text; GET /notes?near=TEXT answers the nearest ones; GET / counts them.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import * as sqliteVec from "sqlite-vec";

const DIMENSIONS = 256;
const MAX_BYTES = 65_536;
const DATA = process.env.DATA_DIR ?? "/data";
/** Where a guest puts the secret, once somebody has set it; without it anybody may write. */
const TOKEN = process.env.TOKEN_FILE ?? "/run/secrets/NOTES_TOKEN";

mkdirSync(DATA, { recursive: true });
const database = new DatabaseSync(join(DATA, "notes.db"), { allowExtension: true });
sqliteVec.load(database);
database.exec(`
  PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
  CREATE VIRTUAL TABLE IF NOT EXISTS vectors USING vec0(embedding float[${DIMENSIONS}]);`);
const insertNote = database.prepare("INSERT INTO notes (text) VALUES (?)");
const insertVector = database.prepare("INSERT INTO vectors (rowid, embedding) VALUES (?, ?)");
const count = database.prepare("SELECT count(*) AS notes FROM notes");
const nearest = database.prepare(`
  SELECT notes.id, notes.text, distance
  FROM (SELECT rowid, distance FROM vectors WHERE embedding MATCH ? AND k = 5)
  JOIN notes ON notes.id = rowid ORDER BY distance`);

/** Letters in threes, counted and normalized: no model, so that the example needs nothing from anywhere. */
function embed(text) {
  const vector = new Float32Array(DIMENSIONS);
  const padded = ` ${text.toLowerCase().replaceAll(/\s+/g, " ").trim()} `;
  for (let i = 0; i + 3 <= padded.length; i++) {
    let hash = 2166136261;
    for (const character of padded.slice(i, i + 3))
      hash = Math.imul(hash ^ character.charCodeAt(0), 16777619);
    vector[(hash >>> 0) % DIMENSIONS] += 1;
  }
  const length = Math.hypot(...vector) || 1;
  return new Uint8Array(vector.map((value) => value / length).buffer);
}

function add(text) {
  database.exec("BEGIN");
  try {
    const { lastInsertRowid } = insertNote.run(text);
    insertVector.run(BigInt(lastInsertRowid), embed(text));
    database.exec("COMMIT");
    return { id: Number(lastInsertRowid) };
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

/** Read anew for every request: a secret that is rotated counts at once. */
const mayWrite = (authorization) =>
  !existsSync(TOKEN) || authorization === `Bearer ${readFileSync(TOKEN, "utf8").trim()}`;

async function readText(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8").trim() || null;
}

async function answer(request) {
  const url = new URL(request.url ?? "/", "http://notes");
  if (request.method === "GET" && url.pathname === "/")
    return [200, { ...count.get(), release: process.env.RELEASE }];
  if (request.method === "GET" && url.pathname === "/notes") {
    const near = url.searchParams.get("near") ?? "";
    return [200, { notes: nearest.all(embed(near)) }];
  }
  if (request.method === "POST" && url.pathname === "/notes") {
    if (!mayWrite(request.headers.authorization)) return [401, { error: "not the token" }];
    const text = await readText(request);
    return text === null ? [400, { error: "expected a text of at most 64 KiB" }] : [201, add(text)];
  }
  return [404, { error: "not here" }];
}

const server = createServer((request, response) => {
  answer(request)
    .catch((error) => [500, { error: error instanceof Error ? error.message : String(error) }])
    .then(([status, body]) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(`${JSON.stringify(body)}\n`);
    });
});
server.listen(Number(process.env.PORT ?? 8080));
process.once("SIGTERM", () => {
  server.close(() => {
    database.close();
    process.exit(0);
  });
  server.closeAllConnections();
});
