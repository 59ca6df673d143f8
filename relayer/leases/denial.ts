import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { LeaseDecision } from "../decisions/lease.ts";

type Denied = Extract<LeaseDecision, { allow: false }>;

/**
 * A denial as a refusal. A head that is too old says nothing of the app or its instance: the chain cannot be consulted,
 * which a guest waits out for as long as its lease lasts; everything else is final for what was asked.
 */
export function denialError(
  code: "lease/denied" | "instance/denied",
  { reason, details }: Denied,
): CharterError {
  if (reason === "HeadTooOld")
    return new CharterError("chain/head-too-old", "the chain's head is too old", details);
  return new CharterError(code, `not allowed: ${reason}`, { ...details, reason });
}
