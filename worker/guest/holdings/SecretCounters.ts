import { open, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { z } from "zod";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { SECRET_NAME } from "../../../protocol/keys/secretName.ts";
import { parseStrictJson } from "../../../protocol/words/strictJson.ts";

/** No named volume has such a name, and containers see named volumes alone. */
const FILE = ".charter-secret-counters";

const countersSchema = z.record(
  z.string().regex(SECRET_NAME),
  z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
);

/** Highest counter of each secret that an instance accepted, in the app's volume: so that the next one knows them. */
export class SecretCounters {
  readonly #path: string;

  /** @param volume where the volume is readable. */
  constructor(volume: string) {
    this.#path = join(volume, FILE);
  }

  /** Empty where nothing was kept yet. @throws CharterError `secret/counters-malformed`. */
  async read(): Promise<ReadonlyMap<string, number>> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
      throw error;
    }
    try {
      return new Map(Object.entries(countersSchema.parse(parseStrictJson(text, "counters of secrets"))));
    } catch (cause) {
      throw new CharterError(
        "secret/counters-malformed",
        "what the volume says of its app's secrets cannot be read",
        {},
        { cause },
      );
    }
  }

  /**
   * Keeps these where they are higher than what is kept: whole or not at all, and on the disk when it resolves. A file that a
   * power cut left empty would keep the app from ever starting again. @throws CharterError as `read`.
   */
  async raise(counters: ReadonlyMap<string, number>): Promise<void> {
    const kept = new Map(await this.read());
    for (const [name, counter] of counters) kept.set(name, Math.max(counter, kept.get(name) ?? 0));
    const next = `${this.#path}.next`;
    await writeFile(next, JSON.stringify(Object.fromEntries(kept)), { mode: 0o600, flush: true });
    await rename(next, this.#path);
    const directory = await open(dirname(this.#path));
    await directory.sync().finally(() => directory.close());
  }
}
