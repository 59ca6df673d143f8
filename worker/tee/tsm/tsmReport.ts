import { randomBytes } from "node:crypto";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { requireReportData } from "../reportData.ts";

/** Where Linux shows its TEE reports (Documentation/ABI/testing/configfs-tsm-report). */
export const TSM_ROOT = "/sys/kernel/config/tsm/report";

/** The file operations that configfs gives meaning to. */
export interface TsmFiles {
  readonly mkdir: (path: string) => Promise<unknown>;
  readonly rmdir: (path: string) => Promise<unknown>;
  readonly read: (path: string) => Promise<Uint8Array>;
  readonly write: (path: string, bytes: Uint8Array | string) => Promise<unknown>;
}

const machineFiles: TsmFiles = {
  mkdir: (path) => mkdir(path),
  rmdir,
  read: (path) => readFile(path),
  write: writeFile,
};

export interface TsmOptions {
  readonly root?: string;
  readonly files?: TsmFiles;
  /** VMPL that an SNP report is asked for, 0 to 3; the kernel refuses those below its `privlevel_floor`. */
  readonly privlevel?: number;
}

export interface TsmReport {
  /** `tdx_guest` or `sev_guest`: who made it. */
  readonly provider: string;
  readonly outblob: Uint8Array;
  /** SNP: the table of certificates, where the host gave one. Else empty. */
  readonly auxblob: Uint8Array;
}

const ATTEMPTS = 5;
/** The TEE is busy, or somebody else wrote between our write and our read: the same question may be asked again. */
const PASSING = new Set(["EBUSY", "EINTR", "ETIMEDOUT", "EAGAIN", "EWOULDBLOCK"]);

/**
 * Asks the kernel for a report over 64 bytes. Each question has an instance of its own, and an answer counts only when
 * the generation says that nothing but our own writes happened: otherwise it might be over somebody else's bytes.
 * @throws CharterError `tee/report-data-length`, `tee/tsm-failed`, `tee/tsm-contended`.
 */
export async function tsmReport(reportData: Uint8Array, options: TsmOptions = {}): Promise<TsmReport> {
  requireReportData(reportData);
  const { root = TSM_ROOT, files = machineFiles } = options;
  const dir = join(root, `charter-${randomBytes(8).toString("hex")}`);
  const failed = (cause: unknown): CharterError =>
    new CharterError(
      "tee/tsm-failed",
      "the kernel gave no report",
      { root, cause: codeOf(cause) },
      { cause },
    );
  try {
    await files.mkdir(dir);
  } catch (cause) {
    throw failed(cause);
  }
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const report = await askOnce(dir, files, reportData, options.privlevel);
      if (report !== null) return report;
    }
  } catch (cause) {
    throw failed(cause);
  } finally {
    await files.rmdir(dir).catch(() => undefined); // What is left names no secret, and each name is used once.
  }
  throw new CharterError(
    "tee/tsm-contended",
    "reports were changed by others as often as they were asked for",
    {
      attempts: ATTEMPTS,
    },
  );
}

/** Null where it may be asked again. */
async function askOnce(
  dir: string,
  files: TsmFiles,
  reportData: Uint8Array,
  privlevel: number | undefined,
): Promise<TsmReport | null> {
  const generation = async (): Promise<bigint> => BigInt(await text(files, join(dir, "generation")));
  try {
    const before = await generation();
    if (privlevel !== undefined) await files.write(join(dir, "privlevel"), String(privlevel));
    await files.write(join(dir, "inblob"), reportData);
    const outblob = await files.read(join(dir, "outblob"));
    const provider = await text(files, join(dir, "provider"));
    const auxblob = await optional(files, join(dir, "auxblob"));
    const writes = privlevel === undefined ? 1n : 2n;
    return (await generation()) === before + writes ? { provider, outblob, auxblob } : null;
  } catch (error) {
    if (PASSING.has(codeOf(error))) return null;
    throw error;
  }
}

const text = async (files: TsmFiles, path: string): Promise<string> =>
  new TextDecoder().decode(await files.read(path)).trim();

/** TDX has no auxblob: the kernel shows the file and answers that there is nothing, or does not show it. */
async function optional(files: TsmFiles, path: string): Promise<Uint8Array> {
  try {
    return await files.read(path);
  } catch (error) {
    if (["ENOENT", "ENXIO", "EOPNOTSUPP", "ENODATA"].includes(codeOf(error))) return new Uint8Array();
    throw error;
  }
}

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException | null)?.code ?? "unknown");
