import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { open, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { CharterError } from "../../../protocol/errors/CharterError.ts";

/** Where data begins (`--offset`, in sectors of 512 bytes), so the length of everything that LUKS2 reads as its header. */
export const DATA_OFFSET_SECTORS = 4_096;
export const HEADER_BYTES = DATA_OFFSET_SECTORS * 512;

const derived = (key: Uint8Array, use: string): Buffer =>
  Buffer.from(hkdfSync("sha256", key, new Uint8Array(), `charter-luks-v1/${use}`, 32));

/** What opens the volume's key slot: text, as it goes over a pipe. */
export const luksPassphrase = (key: Uint8Array): string => derived(key, "passphrase").toString("hex");

/** The first bytes of an image, which say how the rest is encrypted. @throws CharterError `storage/foreign-files`. */
export async function readHeader(image: string): Promise<Buffer> {
  const file = await open(image, "r");
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0);
    if (bytesRead === HEADER_BYTES) return header;
    throw new CharterError("storage/foreign-files", "the volume's image is too short to be one", {
      image,
      expected: HEADER_BYTES,
      actual: bytesRead,
    });
  } finally {
    await file.close();
  }
}

/** statfs(2): file systems that are memory. */
const MEMORY: readonly number[] = [0x01021994 /* tmpfs */, 0x858458f6 /* ramfs */];

/**
 * Works with a copy of a header in memory, which is gone afterwards. cryptsetup reads the copy: what stands on the disk may
 * change after it was looked at.
 * @throws CharterError `storage/failed` where there is no memory for it.
 */
export async function withHeaderCopy<T>(
  header: Uint8Array,
  memoryDir: string,
  work: (copy: string) => Promise<T>,
): Promise<T> {
  if (!MEMORY.includes((await statfs(memoryDir)).type)) {
    throw new CharterError("storage/failed", "the volume's header is read from memory only (tmpfs)", {
      directory: memoryDir,
    });
  }
  const copy = join(memoryDir, `charter-header-${randomBytes(16).toString("hex")}`);
  try {
    await writeFile(copy, header, { mode: 0o600, flag: "wx" });
    return await work(copy);
  } finally {
    await rm(copy, { force: true });
  }
}

/**
 * LUKS2 does not authenticate its header: whoever has the disk could write one that names no cipher, which opens with any
 * key and has the guest write in the clear. So the header is under a MAC of the app's key, like everything behind it.
 */
export const headerMac = (header: Uint8Array, key: Uint8Array): Buffer =>
  createHmac("sha256", derived(key, "header")).update(header).digest();

/** @throws CharterError `storage/wrong-key` where the header was not written under this key, as it is. */
export function requireHeader(header: Uint8Array, mac: Uint8Array, key: Uint8Array): void {
  const expected = headerMac(header, key);
  if (mac.length === expected.length && timingSafeEqual(mac, expected)) return;
  throw new CharterError(
    "storage/wrong-key",
    "this volume belongs to another app's key, or its header was changed",
  );
}
