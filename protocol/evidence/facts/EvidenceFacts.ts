import type { TcbStatus, TeeKind } from "../../words/enums.ts";
import type { Address, Bytes32, Hex, PlatformId } from "../../words/hex.ts";

/** What verified evidence says, whatever the vendor: the words that a verdict on chain is made of. */
export interface EvidenceFacts {
  readonly kind: TeeKind;
  readonly status: TcbStatus;
  readonly advisoryIds: readonly string[];
  readonly platformId: PlatformId;
  /** Null where this evidence binds no manifest: it may speak for a node, never for an instance. */
  readonly composeHash: Bytes32 | null;
  /** The app that the launch itself named, where it did: evidence for another one is refused. */
  readonly launchedFor?: Address;
  /** Zero where the evidence names no image. It is a name only: the digests below say what was measured. */
  readonly osImageHash: Bytes32;
  /** By kind: see the function that makes the facts. */
  readonly measurementDigest: Bytes32;
  readonly pinnedMeasurementDigest: Bytes32;
  /** All 64 bytes. */
  readonly reportData: Hex;
  /** `evidenceDigest`: of what the platform signed, and of the platform. */
  readonly evidenceDigest: Bytes32;
  /** Unix seconds: first second in which the verdict is not good any more. */
  readonly validUntil: number;
  readonly simulated: boolean;
}

export const ZERO_BYTES32 = `0x${"0".repeat(64)}` as Bytes32;
