import { spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** What encrypts volumes on this machine. */
export const STORAGE_KINDS = ["luks2", "gocryptfs"] as const;
export type StorageKind = (typeof STORAGE_KINDS)[number];

/** A mounted data volume. */
export interface Volume {
  /** Where the app's files are readable. */
  readonly path: string;
  /** Takes the plain view away; what is on the disk stays. */
  close(): Promise<void>;
}

export interface VolumeOptions {
  /** On the host's disk: names and contents encrypted. Its lock stands beside it. */
  readonly cipherDir: string;
  /** An empty directory of the guest. */
  readonly mountPoint: string;
  /** The app's 32 bytes for `volume`. */
  readonly key: Uint8Array;
}

/** The file by which a directory is known to hold a volume of a kind. */
export const MARKS: Readonly<Record<StorageKind, string>> = {
  luks2: "luks2.img",
  gocryptfs: "gocryptfs.conf",
};

/** Cipher directory of an app's instance below a disk's root: the same for every release, so that an upgrade finds its data. */
export const volumeDir = (root: string, app: string, slot: number): string =>
  join(root, app.slice(2).toLowerCase(), String(slot));

/** A mount point is on another device than the directory that it stands in. */
export async function isMounted(path: string): Promise<boolean> {
  try {
    const [here, above] = await Promise.all([stat(path), stat(dirname(path))]);
    return here.dev !== above.dev;
  } catch {
    return false;
  }
}

const PROGRAM_TIMEOUT_MS = 30_000;

/** The first of these programs that cannot be started, or null. */
export async function firstMissing(programs: readonly string[]): Promise<string | null> {
  for (const program of programs) if (!(await runs(program))) return program;
  return null;
}

function runs(program: string): Promise<boolean> {
  return new Promise((done) => {
    const child = spawn(program, ["--version"], { stdio: "ignore", timeout: PROGRAM_TIMEOUT_MS });
    child.once("error", () => done(false));
    child.once("exit", () => done(true));
  });
}
