import { open, rename, rm, truncate, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import { DATA_OFFSET_SECTORS, headerMac, luksPassphrase, readHeader, withHeaderCopy } from "./luksHeader.ts";
import { requireCipher } from "./luksMetadata.ts";
import type { RunStep } from "./luksStep.ts";

/** Making a volume writes all of it once, so that each sector has its HMAC: this is a tenth of what a slow disk does. */
const FORMAT_MS_PER_MB = 100;

/**
 * AES-XTS alone would let whoever has the disk change what the app reads; with the HMAC of each sector it is noticed. A
 * random key gains nothing by stretching: 1,000 rounds of PBKDF2 are the least that cryptsetup takes.
 * @param isAuthenticated false is for tests where the kernel has no dm-integrity; no volume is ever made so.
 */
export const formatArguments = (image: string, isAuthenticated = true): string[] => [
  "luksFormat",
  "--batch-mode",
  "--type=luks2",
  "--cipher=aes-xts-plain64",
  "--key-size=512",
  ...(isAuthenticated ? ["--integrity=hmac-sha256"] : []),
  "--sector-size=4096",
  "--pbkdf=pbkdf2",
  "--pbkdf-force-iterations=1000",
  "--luks2-metadata-size=16k",
  "--luks2-keyslots-size=512k",
  `--offset=${DATA_OFFSET_SECTORS}`,
  "--key-file=-",
  image,
];

export interface FormatOptions {
  /** Where the image stands once it is whole; its MAC stands at `mac`. */
  readonly image: string;
  readonly mac: string;
  /** Name of the mapping while the file system is made. */
  readonly name: string;
  readonly key: Uint8Array;
  readonly sizeMb: number;
  /** A directory in memory (tmpfs). */
  readonly memoryDir: string;
  readonly step: RunStep;
}

/**
 * Makes an image with an empty ext4. It is there whole, with its MAC, or not at all. The MAC is of the very bytes that were
 * found to be as asked, and by which the file system was made.
 * @throws CharterError `storage/header-changed`, `storage/failed`.
 */
export async function formatLuks(options: FormatOptions): Promise<void> {
  const { image, mac, name, key, sizeMb, memoryDir, step } = options;
  const made = `${image}.new`;
  const input = luksPassphrase(key);
  const device = `/dev/mapper/${name}`;
  await rm(made, { force: true });
  await writeFile(made, "", { mode: 0o600 });
  await truncate(made, sizeMb * 1_048_576);
  await step("cryptsetup", formatArguments(made), { input, addMs: sizeMb * FORMAT_MS_PER_MB });
  const header = await readHeader(made);
  await withHeaderCopy(header, memoryDir, async (copy) => {
    requireCipher(await step("cryptsetup", ["luksDump", "--dump-json-metadata", copy]));
    await step("cryptsetup", ["open", "--type=luks2", `--header=${copy}`, "--key-file=-", made, name], {
      input,
    });
  });
  const eager = "nodiscard,lazy_itable_init=0,lazy_journal_init=0";
  await step("mkfs.ext4", ["-q", "-m", "0", "-E", eager, device], { addMs: sizeMb * FORMAT_MS_PER_MB });
  await step("cryptsetup", ["close", name]);
  await writeFile(mac, headerMac(header, key), { mode: 0o600, flush: true });
  await rename(made, image);
  // What the app writes from now on must not be found under the other name after a power cut: that one is made anew.
  const directory = await open(dirname(image));
  await directory.sync().finally(() => directory.close());
}
