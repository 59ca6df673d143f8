import type { EvidenceMessage } from "../../protocol/session/messages.ts";
import type { Address, Bytes32, ComposeHash, Hex, PlatformId } from "../../protocol/words/hex.ts";
import type { CollectedGpus } from "./nvidia/collectGpuEvidence.ts";

/** What hardware says about this machine and the key that is bound: the inside of an evidence message. */
export interface Quoted {
  readonly quote: Hex;
  /** dstack's event log: a JSON array. */
  readonly eventLog: string;
  /** dstack's VM configuration: a JSON object. */
  readonly vmConfig: string;
}

/** The app that a platform bound by itself. */
export interface BoundBoot {
  readonly app: Address;
  readonly composeHash: ComposeHash;
}

/**
 * The seam between a worker and its hardware, one file per source: the simulator, dstack's guest agent, and Linux's
 * configfs-tsm for TDX and for SEV-SNP.
 */
export interface EvidenceSource {
  readonly kind: EvidenceMessage["kind"];
  /** True where the evidence verifies under a test root only. */
  readonly simulated: boolean;
  /** SHA-256 of the PPID (Intel) or the chip id (AMD): what a verifier will find. Null: this kind names no machine. */
  readonly platformId: PlatformId | null;
  /** Given where the platform has bound the app already, before this program began: nothing is left to be measured. */
  readonly boot?: BoundBoot;
  /** Measures a named event into the runtime register (RTMR3). Order matters and nothing can be taken back. */
  extend(event: string, payload: Uint8Array): Promise<void>;
  /** Evidence over exactly 64 bytes of report data. */
  quote(reportData: Uint8Array): Promise<Quoted>;
  /** Has the guest's GPUs answer this nonce; absent where it has none, or is not to use them. */
  readonly gpus?: (nonce: Bytes32) => Promise<CollectedGpus>;
}
