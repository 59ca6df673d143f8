import { readdir } from "node:fs/promises";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { gocryptfsMissing } from "./gocryptfs.ts";
import { luksMissing, luksUnusable } from "./luks/luksMissing.ts";
import { MARKS, STORAGE_KINDS, type StorageKind } from "./Volume.ts";

/** "auto": what a volume was made by, and for a new one the first of `STORAGE_KINDS` that can be opened here. */
export const STORAGE_CHOICES = ["auto", ...STORAGE_KINDS] as const;
export type StorageChoice = (typeof STORAGE_CHOICES)[number];

/** Why a new volume of each kind cannot be opened on this machine; null where it can. */
export const examineStorage = async (): Promise<Readonly<Record<StorageKind, string | null>>> => ({
  luks2: await luksUnusable(),
  gocryptfs: await gocryptfsMissing(),
});

/**
 * What opens this directory's volume.
 * @throws CharterError `storage/other-kind` where it was made by another kind than is wanted, `storage/none` where no kind
 * that would do can be opened here: never a plain directory instead.
 */
export async function chooseStorage(cipherDir: string, wanted: StorageChoice): Promise<StorageKind> {
  const made = await madeBy(cipherDir);
  if (made !== null && wanted !== "auto" && made !== wanted) {
    throw new CharterError("storage/other-kind", "this volume was made by another kind of encryption", {
      expected: made,
      actual: wanted,
      cipherDir,
    });
  }
  const reasons: string[] = [];
  for (const kind of made !== null ? [made] : wanted === "auto" ? STORAGE_KINDS : [wanted]) {
    const reason = await (kind === "gocryptfs"
      ? gocryptfsMissing()
      : made === null
        ? luksUnusable()
        : luksMissing());
    if (reason === null) return kind;
    reasons.push(`${kind}: ${reason}`);
  }
  throw new CharterError("storage/none", "the manifest asks for a volume, and none can be encrypted here", {
    reason: reasons.join("; "),
  });
}

/** The kind of a volume that is there; null where there is none yet. */
async function madeBy(cipherDir: string): Promise<StorageKind | null> {
  const files = await readdir(cipherDir).catch((): string[] => []);
  return STORAGE_KINDS.find((kind) => files.includes(MARKS[kind])) ?? null;
}
