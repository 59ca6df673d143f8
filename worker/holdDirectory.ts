import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import { CharterError } from "../protocol/errors/CharterError.ts";

/** A directory that is ours alone until we let go or end, however that is. */
export interface HeldDirectory {
  release(): void;
}

const FILE = "charter.lock";
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** open(2) of Darwin: the lock of flock(2) with the opening itself. */
const DARWIN_O_EXLOCK = 0x20;
/** flock(1): somebody else has it. */
const CONFLICT = 1;

/**
 * Holds a directory, made where there is none, against every other process that asks for it so. The lock is the kernel's: it is
 * of our open file and ends with us, so nothing that was killed, on this boot or an earlier one, blocks it, and no process id
 * is believed. The one in the file is for people, to say who holds it.
 * @throws CharterError `worker/workdir-in-use` naming the holder, `worker/workdir-not-lockable`.
 */
export function holdDirectory(directory: string): HeldDirectory {
  const path = join(directory, FILE);
  for (;;) {
    mkdirSync(directory, { recursive: true });
    const descriptor = process.platform === "darwin" ? openLocked(directory) : open(path);
    try {
      if (process.platform !== "darwin") lock(descriptor, directory);
      // Whoever removed the file meanwhile took our lock's meaning with it.
      if (fstatSync(descriptor).ino === statSync(path, { throwIfNoEntry: false })?.ino) {
        sayWho(descriptor);
        return { release: () => closeSync(descriptor) };
      }
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    closeSync(descriptor);
  }
}

/** On a full disk the lock holds all the same. */
function sayWho(descriptor: number): void {
  try {
    ftruncateSync(descriptor);
    writeSync(descriptor, `${process.pid}\n`, 0);
  } catch {
    // Others are then refused without a name.
  }
}

/** Node opens so that no child has it: the lock is let go of when we end, not when the last child does. */
const open = (path: string): number =>
  openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);

/** The open file is what is locked: flock(1) does it by the descriptor that it shares with us, and ends. */
function lock(descriptor: number, directory: string): void {
  const { status, error } = spawnSync("flock", ["-x", "-n", "3"], {
    stdio: ["ignore", "ignore", "ignore", descriptor],
    env: { PATH },
  });
  if (status === 0) return;
  if (status === CONFLICT) throw inUse(directory);
  throw new CharterError(
    "worker/workdir-not-lockable",
    "the workdir cannot be locked by flock(1) of util-linux",
    {
      workdir: directory,
      reason: error === undefined ? `exit ${status}` : error.message,
    },
  );
}

function openLocked(directory: string): number {
  const { O_RDWR, O_CREAT, O_NONBLOCK } = constants;
  try {
    return openSync(join(directory, FILE), O_RDWR | O_CREAT | O_NONBLOCK | DARWIN_O_EXLOCK, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") throw inUse(directory);
    throw error;
  }
}

function inUse(directory: string): CharterError {
  return new CharterError("worker/workdir-in-use", "another process uses this workdir", {
    workdir: directory,
    pid: toldPid(join(directory, FILE)),
  });
}

/** Null where the holder could not write it, or has not yet. */
function toldPid(path: string): number | null {
  try {
    const pid = /^(\d{1,10})\n$/.exec(readFileSync(path, "utf8"))?.[1];
    return pid === undefined ? null : Number(pid);
  } catch {
    return null;
  }
}
