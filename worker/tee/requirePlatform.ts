import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { PlatformId } from "../../protocol/words/hex.ts";
import type { EvidenceSource } from "./EvidenceSource.ts";

/** The machine that this source's evidence names. @throws CharterError `tee/no-platform` where it names none. */
export function requirePlatform({ kind, platformId }: EvidenceSource): PlatformId {
  if (platformId !== null) return platformId;
  throw new CharterError("tee/no-platform", "a node is one machine, and this kind of evidence names none", {
    kind,
  });
}
