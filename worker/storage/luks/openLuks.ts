import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { MARKS, type Volume, type VolumeOptions } from "../Volume.ts";
import { formatLuks } from "./formatLuks.ts";
import { holdLuks } from "./holdLuks.ts";
import { luksPassphrase, readHeader, requireHeader, withHeaderCopy } from "./luksHeader.ts";
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

/**
 * Opens the LUKS2 volume of an app, made when there is none yet: an image file with AES-XTS and HMAC-SHA256 for each
 * sector, an ext4 in it, mounted nodev and nosuid. That a host brings back older sectors is not noticed.
 * @throws CharterError `storage/wrong-key` for a volume of another app or a header that was changed, `storage/header-changed`
 * for one that was changed while the volume was made,
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
    if (!(await exists(image))) await formatLuks({ image, mac, name, key, sizeMb, memoryDir, step });
    const header = await readHeader(image);
    requireHeader(header, await readFile(mac).catch(() => Buffer.alloc(0)), key);
    await withHeaderCopy(header, memoryDir, (copy) =>
      step("cryptsetup", ["open", "--type=luks2", `--header=${copy}`, "--key-file=-", image, name], {
        input: luksPassphrase(key),
      }),
    );
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
