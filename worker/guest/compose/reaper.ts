import { spawn } from "node:child_process";

import { engineEnvironment } from "./runCommand.ts";

/** Until no container of the run was seen for so many seconds: a Compose that outlived its guest may still create some. */
const QUIET_SECONDS = 20;
/** An engine that does not answer is asked each second for an hour, and then each minute for a day: what it has may live on. */
const OFTEN_SECONDS = 3_600;
const MOST_TIMES = OFTEN_SECONDS + 1_380;

const SCRIPT = `
cat >/dev/null
quiet=0; asked=0
while [ "$quiet" -lt ${QUIET_SECONDS} ] && [ "$asked" -lt ${MOST_TIMES} ]; do
  if ids=$(docker ps --all --quiet --filter "label=$1" 2>/dev/null); then
    if [ -n "$ids" ]; then quiet=0; docker rm --force --volumes $ids >/dev/null 2>&1
    else quiet=$((quiet + 1)); fi
  fi
  asked=$((asked + 1))
  if [ "$asked" -lt ${OFTEN_SECONDS} ]; then sleep 1; else sleep 60; fi
done`;

/** Ends when the guest says so. */
export interface Reaper {
  /** Nothing is left to remove. */
  dismiss(): void;
  /** Something may yet come: it is removed for a while, also when we are gone. */
  linger(): void;
}

/**
 * A process of its own that holds one end of a pipe to us. When we end without dismissing it, however that was (a kill
 * too), it removes the containers of this run: none runs on without the lease that we held.
 * @param label `name=value` that only this run's containers carry.
 */
export function startReaper(label: string, engineSocket?: string): Reaper {
  const child = spawn("/bin/sh", ["-c", SCRIPT, "charter-reaper", label], {
    env: engineEnvironment(engineSocket),
    cwd: "/",
    stdio: ["pipe", "ignore", "ignore"],
    // A Ctrl-C that is meant for us is not meant for it.
    detached: true,
  });
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return { dismiss: () => void child.kill("SIGKILL"), linger: () => void child.stdin.end() };
}
