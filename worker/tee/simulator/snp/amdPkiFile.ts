import { createPrivateKey, randomBytes, type KeyObject } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

import { CharterError } from "../../../../protocol/errors/CharterError.ts";
import { createAmdPki, makeAmdKeys, type AmdKeys, type AmdPki, type AmdPkiOptions } from "./amdPki.ts";

const fileSchema = z.strictObject({
  version: z.literal(1),
  secret: z.string().regex(/^[0-9a-f]{64}$/),
  notBefore: z.number().int().nonnegative(),
  product: z.enum(["Milan", "Genoa", "Turin"]),
  /** PEM, PKCS #8. */
  ark: z.string(),
  ask: z.string(),
});

/**
 * The AMD-shaped PKI of a directory (`amd.json`), made when there is none; `amd-root.pem` beside it is what verifiers are
 * configured with. Two processes that start at once agree on one: the file appears whole, and only once.
 * @throws CharterError `simulator/pki-invalid`.
 */
export function loadOrCreateAmdPki(
  dir: string,
  { notBefore, product = "Milan", keys }: AmdPkiOptions,
): AmdPki {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, "amd.json");
  const pki = load(path) ?? load(createFile(path, notBefore, product, keys));
  if (!pki) throw invalid(path);
  writeFileSync(join(dir, "amd-root.pem"), pki.root);
  return pki;
}

function createFile(
  path: string,
  notBefore: number,
  product: AmdPki["product"],
  { ark, ask }: AmdKeys = makeAmdKeys(),
): string {
  const pem = (key: KeyObject) => key.export({ type: "pkcs8", format: "pem" });
  const secret = randomBytes(32).toString("hex");
  const content = { version: 1, secret, notBefore, product, ark: pem(ark), ask: pem(ask) };
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  writeFileSync(draft, `${JSON.stringify(content, null, 1)}\n`, { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return path;
}

function load(path: string): AmdPki | null {
  try {
    const { secret, notBefore, product, ark, ask } = fileSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    const keys = { ark: createPrivateKey(ark), ask: createPrivateKey(ask) };
    return createAmdPki({ notBefore, product, keys, secret: Buffer.from(secret, "hex") });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw invalid(path, cause);
  }
}

const invalid = (path: string, cause?: unknown): CharterError =>
  new CharterError(
    "simulator/pki-invalid",
    "the simulator's directory must hold its amd.json",
    { path },
    { cause },
  );
