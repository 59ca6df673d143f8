import { spawn, type ChildProcess } from "node:child_process";
import { chmod, mkdir, rename, rm, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { CharterError } from "../../../protocol/errors/CharterError.ts";

/** statfs(2): file systems that are memory. */
const MEMORY: readonly number[] = [0x01021994 /* tmpfs */, 0x858458f6 /* ramfs */];

/**
 * Secrets as files in memory, a directory for each service. A process of its own that holds a pipe to us removes them
 * when we end without doing so, however that was.
 */
export class SecretFiles {
  readonly #root: string;
  readonly #services: readonly string[];
  #holder: ChildProcess | undefined;

  /** @param root a directory of this guest alone, in memory. */
  constructor(root: string, services: readonly string[]) {
    this.#root = root;
    this.#services = services;
  }

  /** Empty directories. @throws CharterError `secret/not-in-memory` where they would stand on a disk. */
  async open(): Promise<void> {
    const { type } = await statfs(dirname(this.#root));
    if (!MEMORY.includes(type)) {
      throw new CharterError("secret/not-in-memory", "secrets are written to memory only (tmpfs)", {
        directory: dirname(this.#root),
      });
    }
    await rm(this.#root, { recursive: true, force: true });
    await mkdir(this.#root, { mode: 0o700 });
    this.#holder = spawn("/bin/sh", ["-c", 'cat >/dev/null; rm -rf -- "$1"', "charter-secrets", this.#root], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#holder.on("error", () => undefined);
    this.#holder.stdin?.on("error", () => undefined);
    for (const service of this.#services) await makeReadable(this.directoryOf(service));
  }

  /** What a service's containers are given, read-only. */
  directoryOf(service: string): string {
    return join(this.#root, service);
  }

  /** Writes whole or not at all: a reader never sees half of a value. */
  async write(service: string, name: string, value: Uint8Array): Promise<void> {
    const file = join(this.directoryOf(service), name);
    const next = join(this.#root, `.${service}.${name}`);
    await writeFile(next, value, { mode: 0o600 });
    // Containers are any user; nobody else can pass through the directory above.
    await chmod(next, 0o444);
    await rename(next, file);
  }

  async remove(service: string, name: string): Promise<void> {
    await rm(join(this.directoryOf(service), name), { force: true });
  }

  async close(): Promise<void> {
    const holder = this.#holder;
    if (holder === undefined) return;
    this.#holder = undefined;
    await rm(this.#root, { recursive: true, force: true });
    holder.stdin?.end();
  }
}

async function makeReadable(directory: string): Promise<void> {
  await mkdir(directory);
  await chmod(directory, 0o755);
}
