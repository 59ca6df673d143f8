import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { DetectedSource } from "../tee/detectSources.ts";
import type { KeySource } from "./KeySource.ts";
import type { FoundKeys } from "./openKeySource.ts";

/** Why a source of evidence gives no key that survives the guest. */
const WHY: Readonly<Partial<Record<DetectedSource["name"], string>>> = {
  "tsm-tdx": "TDX cannot seal: nothing in a TD survives it",
  nitro: "an enclave of AWS Nitro cannot seal without AWS KMS",
};

/**
 * The source, or a refusal: no volume is lost without a word, and no secret is encrypted to a key that nobody will have.
 * @throws CharterError `keys/no-source`, with the reason where the machine is known.
 */
export function requireKeySource({ source, evidence, reason: known }: FoundKeys): KeySource {
  if (source !== null) return source;
  const reason = known ?? (evidence === undefined ? undefined : WHY[evidence]) ?? "no key source was found";
  throw new CharterError("keys/no-source", "no key survives a guest on this machine", { reason });
}
