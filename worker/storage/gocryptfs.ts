import { spawn } from "node:child_process";
import { access, mkdir, readdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { firstMissing, isMounted, MARKS, type Volume, type VolumeOptions } from "./Volume.ts";

const TIMEOUT_MS = 30_000;
const LOOK_MS = 50;
/** gocryptfs(1), EXIT CODES. */
const WRONG_PASSWORD = 12;
/** Of our own: somebody holds the lock. */
const IN_USE = 75;
/** What it says when it answers for its files (gocryptfs 1 and 2, `-fg` without `-q`). */
const READY = /mounted and ready/;
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The file system and its lock live and end together, and no longer than the guest: a guest that is killed closes our
 * end of the pipe, and then nothing can write any more, so that the next guest may open the same directory. Containers
 * are other users than we (-allow_other; the kernel checks modes), and whoever else is on the machine cannot pass through
 * the guest's own directory. A random key gains nothing by stretching (scrypt): 10 is the least that gocryptfs takes.
 *
 * A volume is made beside its place and moved there whole: a making that was cut off is begun anew, and never stands in the way
 * of a volume. What is seen at the mount point counts only once gocryptfs says that it is ready: before that it may be what an
 * earlier guest left, and whoever makes a file in a mount that is not ready yet may wait for it for ever.
 */
const SCRIPT = `
exec 4<&0
IFS= read -r key <&4
exec 9>"$1" || exit 74
flock --nonblock 9 || exit ${IN_USE}
fusermount3 -u -z -- "$3"
mkdir -p -m 700 -- "$3" || exit 74
[ "$(stat -c %d -- "$3")" = "$(stat -c %d -- "$3/..")" ] || exit 74
if [ ! -e "$2/gocryptfs.conf" ]; then
  rm -rf -- "$2.new"
  mkdir -m 700 -- "$2.new" || exit 74
  printf '%s\n' "$key" | gocryptfs -q -nosyslog -init -scryptn 10 -- "$2.new" >/dev/null || exit
  sync -- "$2.new"/* "$2.new" && mv -T -- "$2.new" "$2" && sync -- "$2/.." || exit 74
fi
printf '%s\n' "$key" | gocryptfs -fg -nosyslog -allow_other -- "$2" "$3" 4<&- &
volume=$!
unset key
(cat <&4 >/dev/null; kill -TERM "$volume") 9>&- &
watcher=$!
wait "$volume"; code=$?
kill "$watcher"
exit "$code"`;

/** Whether gocryptfs can be used here, or why not. */
export async function gocryptfsMissing(): Promise<string | null> {
  try {
    await access("/dev/fuse");
  } catch {
    return "there is no /dev/fuse";
  }
  if (process.getuid?.() !== 0) return "it takes root: containers are other users than this one";
  const program = await firstMissing(["gocryptfs", "fusermount3", "flock"]);
  return program === null ? null : `${program} is not installed`;
}

/**
 * Opens the volume of an app, made when there is none yet. The key goes by a pipe only. Blocks are authenticated
 * (AES-256-GCM); that a host brings back an older state of the whole directory is not noticed.
 * @throws CharterError `storage/wrong-key` for a volume of another app, `storage/foreign-files` where the directory holds
 * what is no volume, `storage/in-use` while another guest has it open, `storage/failed`.
 */
export async function openGocryptfs({ cipherDir, mountPoint, key }: VolumeOptions): Promise<Volume> {
  if (key.length !== 32) throw new RangeError(`a volume's key has 32 bytes, not ${key.length}`);
  await mkdir(cipherDir, { recursive: true, mode: 0o700 });
  const files = await readdir(cipherDir);
  if (files.length > 0 && !files.includes(MARKS.gocryptfs)) {
    throw new CharterError("storage/foreign-files", "the volume's directory holds other files", {
      cipherDir,
    });
  }
  const child = spawn(
    "/bin/sh",
    ["-c", SCRIPT, "charter-volume", `${cipherDir}.lock`, cipherDir, mountPoint],
    {
      stdio: ["pipe", "pipe", "ignore"],
      env: { PATH: process.env.PATH ?? PATH, LC_ALL: "C" },
      // A Ctrl-C that is meant for us is not meant for it: containers end first.
      detached: true,
    },
  );
  let exit: number | "failed" | null = null;
  const ended = new Promise<void>((done) => {
    child.once("error", () => ((exit = "failed"), done()));
    child.once("exit", (code) => ((exit = code ?? "failed"), done()));
  });
  child.stdin.on("error", () => undefined); // It ended before it read: its exit says why.
  child.stdin.write(`${Buffer.from(key).toString("hex")}\n`);
  const close = async (): Promise<void> => {
    child.stdin.end();
    await ended;
  };
  let isReady = false;
  createInterface({ input: child.stdout }).on("line", (line) => (isReady ||= READY.test(line)));
  const deadline = performance.now() + TIMEOUT_MS;
  while (!isReady || !(await isMounted(mountPoint))) {
    const over = performance.now() > deadline;
    if (over) await close();
    if (exit !== null || over) throw refusalOf(exit, cipherDir);
    await Promise.race([delay(LOOK_MS), ended]);
  }
  return { path: mountPoint, close };
}

function refusalOf(exit: number | "failed" | null, cipherDir: string): CharterError {
  if (exit === WRONG_PASSWORD) {
    return new CharterError("storage/wrong-key", "this volume belongs to another app's key");
  }
  if (exit === IN_USE) {
    return new CharterError("storage/in-use", "another instance has this volume open", { cipherDir });
  }
  return new CharterError("storage/failed", "the encrypted volume could not be opened", { exit });
}
