import { createHash, randomBytes } from "node:crypto";
import { access, mkdir, readdir, readFile, rm, statfs, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { MARKS, type Volume, type VolumeOptions } from "../Volume.ts";
import { formatLuks } from "./formatLuks.ts";
import { holdLuks } from "./holdLuks.ts";
import { luksPassphrase, readHeader, requireHeader } from "./luksHeader.ts";
import { luksEnvironment, luksSteps } from "./luksStep.ts";

export interface LuksOptions extends VolumeOptions {
  /** Size of a volume that is made now. */
  readonly sizeMb: number;
  /** A directory in memory (tmpfs), where the header that was checked stands while it is read. */
  readonly memoryDir?: string;
  readonly signal?: AbortSignal;
}

const MAC = "luks2.mac";
const OURS: ReadonlySet<string> = new Set([MARKS.luks2, `${MARKS.luks2}.new`, MAC]);
/** statfs(2): file systems that are memory. */
const MEMORY: readonly number[] = [0x01021994 /* tmpfs */, 0x858458f6 /* ramfs */];

/**
 * Opens the LUKS2 volume of an app, made when there is none yet: an image file with AES-XTS and HMAC-SHA256 for each
 * sector, an ext4 in it, mounted nodev and nosuid. That a host brings back older sectors is not noticed.
 * @throws CharterError `storage/wrong-key` for a volume of another app or a header that was changed,
 * `storage/foreign-files` where the directory holds what is no volume, `storage/in-use` while another guest has it open,
 * `storage/failed`.
 */
export async function openLuks(options: LuksOptions): Promise<Volume> {
  const { cipherDir, mountPoint, key, sizeMb, memoryDir = "/dev/shm", signal } = options;
  if (key.length !== 32) throw new RangeError(`a volume's key has 32 bytes, not ${key.length}`);
  await mkdir(cipherDir, { recursive: true, mode: 0o700 });
  await mkdir(mountPoint, { recursive: true, mode: 0o700 });
  const [image, mac] = [join(cipherDir, MARKS.luks2), join(cipherDir, MAC)];
  const lock = `${cipherDir}.lock`;
  const name = mappingName(cipherDir);
  const held = await holdLuks({ lock, mountPoint, name, env: luksEnvironment() });
  const step = luksSteps(`${lock}.step`, signal);
  try {
    await requireOurs(cipherDir);
    if (!(await exists(image))) await formatLuks({ image, mac, name, key, sizeMb, step });
    const header = await checkedHeader({ image, mac, key, memoryDir });
    try {
      const args = ["open", "--type=luks2", `--header=${header}`, "--key-file=-", image, name];
      await step("cryptsetup", args, { input: luksPassphrase(key) });
    } finally {
      await rm(header, { force: true });
    }
    await step("mount", ["-t", "ext4", "-o", "nodev,nosuid,noatime", `/dev/mapper/${name}`, mountPoint]);
  } catch (error) {
    await held.release();
    throw error;
  }
  return { path: mountPoint, close: () => held.release() };
}

/** Below /dev/mapper: of this directory alone. */
export const mappingName = (cipherDir: string): string =>
  `charter-${createHash("sha256").update(resolve(cipherDir)).digest("hex").slice(0, 24)}`;

export interface HeaderFiles {
  readonly image: string;
  readonly mac: string;
  readonly key: Uint8Array;
  readonly memoryDir: string;
}

/**
 * A copy in memory of the image's header, which its MAC says is the one that was made under this key. cryptsetup reads the
 * copy: what stands on the disk may change after it was checked.
 * @throws CharterError `storage/wrong-key`, `storage/foreign-files`, `storage/failed` where there is no memory for it.
 */
export async function checkedHeader({ image, mac, key, memoryDir }: HeaderFiles): Promise<string> {
  const header = await readHeader(image);
  requireHeader(header, await readFile(mac).catch(() => Buffer.alloc(0)), key);
  if (!MEMORY.includes((await statfs(memoryDir)).type)) {
    throw new CharterError("storage/failed", "the volume's header is read from memory only (tmpfs)", {
      directory: memoryDir,
    });
  }
  const copy = join(memoryDir, `charter-header-${randomBytes(16).toString("hex")}`);
  await writeFile(copy, header, { mode: 0o600, flag: "wx" });
  return copy;
}

async function requireOurs(cipherDir: string): Promise<void> {
  const foreign = (await readdir(cipherDir)).find((file) => !OURS.has(file));
  if (foreign === undefined) return;
  throw new CharterError("storage/foreign-files", "the volume's directory holds other files", { cipherDir });
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
