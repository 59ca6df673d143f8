import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { CharterError } from "../../../protocol/errors/CharterError.ts";

/** Of our own: somebody holds the lock, or still uses what a guest left open. */
const IN_USE = 75;

/**
 * Holds the volume's lock, and closes the volume when the guest lets go or is gone, however that was: its end of the pipe
 * closes. What is under way then is waited for, and containers that still have files open are, for two minutes; the lock
 * stays until there is no plain view any more, so that the next guest opens what nobody else writes.
 */
const SCRIPT = `
exec 9>"$1" || exit 74
flock --nonblock 9 || exit ${IN_USE}
if [ -e "/dev/mapper/$3" ]; then
  umount -- "$2"
  cryptsetup close "$3" || exit ${IN_USE}
fi
echo held
cat >/dev/null
flock --exclusive "$1.step" true
umount -- "$2" || umount --lazy -- "$2"
tries=0
while [ -e "/dev/mapper/$3" ] && ! cryptsetup close "$3"; do
  tries=$((tries + 1))
  if [ "$tries" -ge 600 ]; then cryptsetup close --deferred "$3"; exit 76; fi
  sleep 0.2
done`;

/** The lock of one volume, held. */
export interface HeldLuks {
  /** Lets go: resolves when the volume is closed. */
  release(): Promise<void>;
}

export interface HoldOptions {
  readonly lock: string;
  readonly mountPoint: string;
  /** Name of the mapping below /dev/mapper. */
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

/** @throws CharterError `storage/in-use`, `storage/failed`. */
export async function holdLuks({ lock, mountPoint, name, env }: HoldOptions): Promise<HeldLuks> {
  const child = spawn("/bin/sh", ["-c", SCRIPT, "charter-volume", lock, mountPoint, name], {
    stdio: ["pipe", "pipe", "ignore"],
    env,
    // A Ctrl-C that is meant for us is not meant for it: containers end first.
    detached: true,
  });
  const ended = new Promise<number | null>((done) => {
    child.once("error", () => done(null));
    child.once("exit", (code) => done(code));
  });
  child.stdin.on("error", () => undefined); // It ended before us: its exit says why.
  const held = new Promise<"held">((done) =>
    createInterface({ input: child.stdout }).once("line", () => done("held")),
  );
  const first = await Promise.race([held, ended]);
  if (first !== "held") {
    if (first === IN_USE) {
      throw new CharterError("storage/in-use", "another instance has this volume open", { lock });
    }
    throw new CharterError("storage/failed", "the encrypted volume could not be opened", { exit: first });
  }
  return {
    release: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
