import { createReadStream, createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { CharterError, isCharterError } from "../protocol/errors/CharterError.ts";
import { restoreBackup, saveBackup } from "./store/backup.ts";
import { openStore } from "./store/store.ts";

/**
 * `node relayer/backup.ts save <file>` and `… restore <file>`, over `DATABASE_URL`. The file holds signed transactions and
 * no key; it is complete or not there at all.
 */
async function run(
  [command, file]: readonly string[],
  databaseUrl = process.env.DATABASE_URL,
): Promise<object> {
  if (!databaseUrl || !file || (command !== "save" && command !== "restore")) {
    throw new CharterError("config/invalid", "expected DATABASE_URL, and `save <file>` or `restore <file>`");
  }
  const store = await openStore(databaseUrl);
  try {
    if (command === "restore") {
      return { restored: file, rows: await restoreBackup(store.pool, linesOf(file)) };
    }
    let rows = -1; // The header is no row.
    const lines = async function* (): AsyncGenerator<string> {
      for await (const line of saveBackup(store.pool)) {
        rows += 1;
        yield `${line}\n`;
      }
    };
    const unfinished = `${file}.unfinished`;
    await pipeline(Readable.from(lines()), createWriteStream(unfinished, { mode: 0o600 }));
    await rename(unfinished, file);
    return { saved: file, rows };
  } finally {
    await store.close();
  }
}

/** Opened when it is read first: lines that nobody waits for yet would be lost. */
async function* linesOf(file: string): AsyncGenerator<string> {
  yield* createInterface({ input: createReadStream(file), crlfDelay: Infinity });
}

try {
  process.stdout.write(`${JSON.stringify(await run(process.argv.slice(2)))}\n`);
} catch (error) {
  if (!isCharterError(error)) throw error;
  process.stderr.write(`${JSON.stringify({ error: error.toJSON() })}\n`);
  process.exitCode = 1;
}
