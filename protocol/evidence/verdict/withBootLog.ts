import { EvidenceError } from "../EvidenceError.ts";
import type { AnyEvidence } from "./verify.ts";

/** Evidence with the boot log (CCEL) that came along. @throws EvidenceError `evidence/kind-unsupported`: quotes only. */
export function withBootLog(evidence: AnyEvidence, ccel: Uint8Array): AnyEvidence {
  if (evidence.kind !== "dcap") {
    throw new EvidenceError("kind-unsupported", "expected a TD's quote beside a boot log", {
      actual: evidence.kind,
    });
  }
  return { ...evidence, ccel };
}
