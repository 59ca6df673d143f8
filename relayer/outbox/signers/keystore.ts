import { readFileSync } from "node:fs";

import * as Keystore from "ox/Keystore"; // The package as a whole is five megabytes in memory.
import type { PrivateKeyAccount } from "viem/accounts";
import { z } from "zod";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { localAccount } from "../../keys/localAccount.ts";

/**
 * Bounds of the derivation: a file from elsewhere must neither be weak nor take all memory. geth writes n = 262144,
 * r = 8 (256 MiB); MetaMask and others c = 262144 and more.
 */
const hex = z.string().regex(/^(?:[0-9a-fA-F]{2})+$/);
const keystoreSchema = z.object({
  version: z.literal(3),
  crypto: z.object({
    cipher: z.literal("aes-128-ctr"),
    ciphertext: hex.length(64),
    cipherparams: z.object({ iv: hex.length(32) }),
    mac: hex.length(64),
    kdf: z.enum(["scrypt", "pbkdf2"]),
    kdfparams: z.union([
      z.object({
        n: z
          .int()
          .min(2 ** 12)
          .max(2 ** 20),
        r: z.int().min(1).max(8),
        p: z.int().min(1).max(8),
        dklen: z.literal(32),
        salt: hex,
      }),
      z.object({
        c: z.int().min(1_000).max(10_000_000),
        prf: z.literal("hmac-sha256"),
        dklen: z.literal(32),
        salt: hex,
      }),
    ]),
  }),
});

/**
 * Opens an account's file (Web3 Secret Storage version 3, as geth and others write it) with the password that stands in
 * another file; one line end after it does not count.
 * @throws CharterError `config/keystore` without a word of either file.
 */
export function openKeystore(path: string, passwordPath: string): PrivateKeyAccount {
  const text = read(path, "an account's file");
  const password = read(passwordPath, "the file of its password").replace(/\r?\n$/, "");
  const parsed = keystoreSchema.safeParse(json(text));
  if (!parsed.success) throw refused("an account's file of Web3 Secret Storage, version 3");
  try {
    const keystore = parsed.data as unknown as Keystore.Keystore;
    return localAccount(Keystore.decrypt(keystore, Keystore.toKey(keystore, { password })));
  } catch {
    // What the library says may quote what it was given.
    throw refused("the password that opens this account's file");
  }
}

function read(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw refused(`${what}, readable`, (cause as NodeJS.ErrnoException).code);
  }
}

function json(text: string): unknown {
  try {
    // geth writes the keys of this object in lower case; some tools write "Crypto".
    return JSON.parse(text.replace('"Crypto"', '"crypto"')) as unknown;
  } catch {
    return undefined;
  }
}

const refused = (expected: string, reason?: string): CharterError =>
  new CharterError("config/keystore", `expected ${expected}`, reason === undefined ? {} : { reason });
