import { BOOT_REASONS, judgeBootInfo } from "../../protocol/policy/bootInfo.ts";
import type { BootInfo } from "../../protocol/policy/bootInfo.ts";
import { Reason } from "../../protocol/policy/reason.ts";
import type { BlockRef } from "../../protocol/state/types.ts";
import type { Projection } from "../chain/projection.ts";
import { moments } from "./moments.ts";

export interface BootQuestion {
  readonly projection: Projection;
  readonly bootInfo: BootInfo;
  /** Unix seconds. */
  readonly now: number;
}

export interface BootJudgement {
  readonly isAllowed: boolean;
  readonly code: Reason;
  /** dstack's own words, empty when allowed. */
  readonly reason: string;
  /** The two blocks that were asked, for the log. */
  readonly final: BlockRef;
  readonly newest: BlockRef;
}

/**
 * Answers dstack's boot info as the app's contract would, on the final and on the newest block: allowed only when both
 * allow, at each of `moments`. The caller has refused already when the head is too old.
 */
export function judgeBoot({ projection, bootInfo, now }: BootQuestion): BootJudgement {
  const { final, newest } = projection;
  let code: Reason = Reason.Undecided;
  for (const { state, time } of moments(projection, now)) {
    code = judgeBootInfo(state.apps.get(bootInfo.appId), bootInfo, time, state.library).reason;
    if (code !== Reason.Allowed) break;
  }
  return {
    isAllowed: code === Reason.Allowed,
    code,
    reason: BOOT_REASONS[code],
    final: final.block,
    newest: newest.block,
  };
}
