import { randomBytes } from "node:crypto";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { firstMissing } from "../Volume.ts";
import { openLuks } from "./openLuks.ts";

const DEVICES = ["/dev/mapper/control", "/dev/loop-control"] as const;
const PROGRAMS = ["cryptsetup", "mkfs.ext4", "mount", "umount", "flock"] as const;
/** Room for a header, the HMACs' journal and an ext4. */
const PROBE_MB = 48;

/** What LUKS2 lacks here, as far as it is seen without trying; null where nothing is. */
export async function luksMissing(): Promise<string | null> {
  for (const device of DEVICES) {
    const isHere = await access(device).then(
      () => true,
      () => false,
    );
    if (!isHere) return `there is no ${device}`;
  }
  if (process.getuid?.() !== 0) return "it takes root";
  const program = await firstMissing(PROGRAMS);
  return program === null ? null : `${program} is not installed`;
}

/**
 * Whether a volume can really be made and opened here, or why not: a small one is, under a key that nobody keeps. A kernel
 * may have device-mapper and not its targets crypt and integrity, and a container may see devices that it may not use.
 */
export async function luksUnusable(): Promise<string | null> {
  const missing = await luksMissing();
  if (missing !== null) return missing;
  const dir = await mkdtemp(join(tmpdir(), "charter-luks-"));
  try {
    const volume = await openLuks({
      cipherDir: join(dir, "cipher"),
      mountPoint: join(dir, "plain"),
      key: randomBytes(32),
      sizeMb: PROBE_MB,
    });
    await volume.close();
    return null;
  } catch (error) {
    if (!isCharterError(error)) throw error;
    const { step, stderr } = error.details;
    const said = typeof stderr === "string" ? stderr.trim().split("\n")[0] : "";
    return `a volume cannot be opened (${[step, said].filter(Boolean).join(": ") || error.code})`;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
