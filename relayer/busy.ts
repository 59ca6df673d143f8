import { CharterError } from "../protocol/errors/CharterError.ts";

/** There is more to do than this process takes on at once; nothing was begun. */
export const busy = (what: string, retryAfterSeconds: number): CharterError =>
  new CharterError("relayer/busy", "the relayer has more to do than it takes on at once; ask again later", {
    what,
    retryAfterSeconds,
  });
