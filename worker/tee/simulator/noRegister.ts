import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { ComposeHash } from "../../../protocol/words/hex.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { BoundBoot } from "../EvidenceSource.ts";

/** What a source binds that was started for no app: its evidence may speak of the machine alone. */
export const NO_BOOT: BoundBoot = {
  app: `0x${"00".repeat(20)}` as Address,
  composeHash: `0x${"00".repeat(32)}` as ComposeHash,
};

/** `extend` of a source that has no register. Rejects with `tee/no-runtime-register`, always. */
export const noRegister = (kind: string, event: string): Promise<never> =>
  Promise.reject(
    new CharterError("tee/no-runtime-register", "evidence of this kind has no register to extend", {
      kind,
      event,
    }),
  );
