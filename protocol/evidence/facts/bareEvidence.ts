import { EvidenceError } from "../EvidenceError.ts";
import type { Evidence } from "../evidence.ts";

/**
 * Evidence of kinds without a register that grows at run time has no event log: one that came along would be read by
 * nobody, and believed by somebody. @throws EvidenceError `evidence/event-log-unexpected`.
 */
export function requireNoEventLog({ kind, eventLog }: Pick<Evidence, "kind" | "eventLog">): void {
  if (eventLog === "[]") return;
  throw new EvidenceError("event-log-unexpected", "expected an empty event log: this kind measures none", {
    kind,
  });
}

/** The same of a VM configuration. @throws EvidenceError `evidence/vm-config-unexpected`. */
export function requireNoVmConfig({ kind, vmConfig }: Pick<Evidence, "kind" | "vmConfig">): void {
  if (vmConfig === "{}") return;
  throw new EvidenceError("vm-config-unexpected", "expected an empty VM configuration: there is no VM", {
    kind,
  });
}
