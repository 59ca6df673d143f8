import type { Hex, PlatformId } from "../../protocol/words/hex.ts";
import type { EvidenceMessage } from "../../protocol/session/messages.ts";

/** What hardware says about this machine and the key that is bound: the inside of an evidence message. */
export interface Quoted {
  readonly quote: Hex;
  /** dstack's event log: a JSON array. */
  readonly eventLog: string;
  /** dstack's VM configuration: a JSON object. */
  readonly vmConfig: string;
}

/**
 * The seam between a worker and its hardware. One file per source; the simulator is the only one so far (dstack's guest
 * agent, configfs-tsm, NSM and nvattest are later steps).
 */
export interface EvidenceSource {
  readonly kind: EvidenceMessage["kind"];
  /** True where the evidence verifies under a test root only. */
  readonly simulated: boolean;
  /** SHA-256 of the PPID (Intel) or the chip id (AMD): what a verifier will find. */
  readonly platformId: PlatformId;
  /** Measures a named event into the runtime register (RTMR3). Order matters and nothing can be taken back. */
  extend(event: string, payload: Uint8Array): Promise<void>;
  /** Evidence over exactly 64 bytes of report data. */
  quote(reportData: Uint8Array): Promise<Quoted>;
}
