import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { CharterError } from "../../protocol/errors/CharterError.ts";

/**
 * Takes a devnet's folder for this process. @throws CharterError `devnet/already-running` while another process that
 * is alive has it.
 */
export function takeDataDir(dir: string): { release: () => void } {
  mkdirSync(dir, { recursive: true });
  const lock = join(dir, "pid");
  const holder = readPid(lock);
  if (holder !== null && isAlive(holder)) {
    throw new CharterError("devnet/already-running", `another process has this devnet: ${holder}`, {
      dir,
      pid: holder,
    });
  }
  rmSync(lock, { force: true });
  const file = openSync(lock, "wx");
  writeFileSync(file, String(process.pid));
  closeSync(file);
  return { release: () => rmSync(lock, { force: true }) };
}

/**
 * Where Postgres keeps its data. Root lends Postgres another account, which cannot enter a checkout under /root; then
 * the data lies under /var/lib/charter, named after the folder.
 */
export function postgresDir(dir: string): string {
  if (process.getuid?.() !== 0) return join(dir, "postgres");
  const name = createHash("sha256").update(resolve(dir)).digest("hex").slice(0, 16);
  return `/var/lib/charter/devnet-${name}`;
}

function readPid(lock: string): number | null {
  try {
    const pid = Number(readFileSync(lock, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
