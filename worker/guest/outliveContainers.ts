import { writeFileSync } from "node:fs";

/** Below what the engine has (-500), above what the kernel never kills (-1000). */
const SCORE = "-900";

/**
 * When memory runs out, containers end before the guest and what it starts. An app that fills a tmpfs would otherwise have the
 * kernel kill those who take it down when its lease is over.
 * @param file where Linux has the score of this process; children begin with the same.
 * @returns whether it could be said: it takes root.
 */
export function outliveContainers(file = "/proc/self/oom_score_adj"): boolean {
  try {
    writeFileSync(file, SCORE);
    return true;
  } catch {
    return false;
  }
}
