import { spawn } from "node:child_process";
import { access, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

import { CharterError } from "../../protocol/errors/CharterError.ts";

/** A mounted data volume. */
export interface Volume {
  /** Where the app's files are readable. */
  readonly path: string;
  /** Takes the plain view away; what is on the disk stays. */
  close(): Promise<void>;
}

export interface VolumeOptions {
  /** On the host's disk: names and contents encrypted. */
  readonly cipherDir: string;
  /** An empty directory of the guest. */
  readonly mountPoint: string;
  /** The app's 32 bytes for `volume`. */
  readonly key: Uint8Array;
}

const TIMEOUT_MS = 30_000;
/** gocryptfs(1), EXIT CODES. */
const WRONG_PASSWORD = 12;
/** The key is random: stretching it (scrypt) adds nothing, and this is the least that gocryptfs takes. */
const SCRYPT_N = "10";

/** Whether gocryptfs can be used here, or why not. */
export async function gocryptfsMissing(): Promise<string | null> {
  try {
    await access("/dev/fuse");
  } catch {
    return "there is no /dev/fuse";
  }
  return run("gocryptfs", ["-version"]).then(
    () => null,
    () => "gocryptfs is not installed",
  );
}

/**
 * Opens the volume of an app, made when there is none yet. The key goes by standard input only. Blocks are authenticated
 * (AES-256-GCM); that a host brings back an older state of the whole directory is not noticed.
 * @throws CharterError `storage/wrong-key` for a volume of another app, `storage/foreign-files` where the directory holds
 * what is no volume, `storage/failed`.
 */
export async function openGocryptfs({ cipherDir, mountPoint, key }: VolumeOptions): Promise<Volume> {
  if (key.length !== 32) throw new RangeError(`a volume's key has 32 bytes, not ${key.length}`);
  const password = `${Buffer.from(key).toString("hex")}\n`;
  await mkdir(cipherDir, { recursive: true, mode: 0o700 });
  await mkdir(mountPoint, { recursive: true, mode: 0o700 });
  const files = await readdir(cipherDir);
  if (files.length > 0 && !files.includes("gocryptfs.conf")) {
    throw new CharterError("storage/foreign-files", "the volume's directory holds other files", {
      cipherDir,
    });
  }
  const arguments_ = ["-q", "-nosyslog"];
  if (files.length === 0)
    await run("gocryptfs", [...arguments_, "-init", "-scryptn", SCRYPT_N, cipherDir], password);
  await run("gocryptfs", [...arguments_, cipherDir, mountPoint], password);
  return {
    path: mountPoint,
    close: async () => {
      await run("fusermount3", ["-u", mountPoint]);
    },
  };
}

/** Cipher directory of an app below a disk's root: the same for every release, so that an upgrade finds its data. */
export const volumeDir = (root: string, app: string): string => join(root, app.slice(2).toLowerCase());

/**
 * By exit code alone: a mount stays behind as a process that keeps the pipes it was given, so waiting for their end would
 * last as long as the volume, and closing them would kill it at its first message.
 */
function run(program: string, args: readonly string[], stdin = ""): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(program, [...args], { stdio: ["pipe", "ignore", "ignore"], timeout: TIMEOUT_MS });
    const failed = (details: Record<string, unknown>, cause?: unknown): void =>
      fail(
        new CharterError(
          "storage/failed",
          "the encrypted volume could not be handled",
          { program, ...details },
          { cause },
        ),
      );
    child.on("error", (error: NodeJS.ErrnoException) => failed({ reason: error.code ?? "unknown" }, error));
    child.on("exit", (code, signal) => {
      if (code === 0) return done();
      if (code === WRONG_PASSWORD) {
        return fail(new CharterError("storage/wrong-key", "this volume belongs to another app's key"));
      }
      failed({ exit: code, signal });
    });
    child.stdin.on("error", () => undefined); // It ended before it read: its exit says why.
    child.stdin.end(stdin);
  });
}
