import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generatePrivateKey, privateKeyToAccount, type PrivateKeyAccount } from "viem/accounts";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Hex } from "../../protocol/words/hex.ts";

/**
 * The key that this node is registered by, made at first start and readable by its owner only.
 * @throws CharterError `node/key-invalid` when the file holds something else: it is never replaced silently.
 */
export function loadOrCreateNodeKey(workdir: string): PrivateKeyAccount {
  const path = join(workdir, "node.key");
  // With nothing written: on a full disk the agent must start again.
  const made = nodeKeyIfMade(workdir);
  if (made !== null) return made;
  mkdirSync(workdir, { recursive: true });
  const draft = `${path}.${process.pid}`;
  // On the disk before it is registered: a node whose key a power cut took cannot renew.
  writeFileSync(draft, `${generatePrivateKey()}\n`, { mode: 0o600, flush: true });
  try {
    linkSync(draft, path); // Whole, and only if there is none.
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readKey(path);
}

/** The same where it was made already; null where it was not. Changes nothing. @throws CharterError `node/key-invalid`. */
export function nodeKeyIfMade(workdir: string): PrivateKeyAccount | null {
  const path = join(workdir, "node.key");
  return existsSync(path) ? readKey(path) : null;
}

function readKey(path: string): PrivateKeyAccount {
  try {
    return privateKeyToAccount(readFileSync(path, "utf8").trim() as Hex);
  } catch (cause) {
    throw new CharterError("node/key-invalid", "node.key must hold a private key", { path }, { cause });
  }
}
