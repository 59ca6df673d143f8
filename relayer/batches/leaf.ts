import type { Leaf } from "../../protocol/session/batch.ts";
import type { VerdictMessage } from "../../protocol/session/messages.ts";
import { packFacts } from "../../protocol/state/instanceWord.ts";
import type { ImageFacts } from "../../protocol/state/types.ts";
import type { TcbStatus, TeeKind } from "../../protocol/words/enums.ts";

/** What the chain adds to a verdict to make a leaf of it. */
export interface LeafTerms {
  readonly release: number;
  readonly node: number;
  readonly image: number;
  readonly combines: boolean;
  /** Unix seconds. */
  readonly expiresAt: number;
}

const NONE = /^0x0*$/;

/** The leaf that says this verdict, as relayer and signers must build it alike. */
export function leafOf(verdict: VerdictMessage, terms: LeafTerms): Leaf {
  const { subject, key, evidenceDigest, kind, status, simulated, gpuDigest, evidenceBlock } = verdict;
  const facts = packFacts({
    ...terms,
    kind: kind as TeeKind,
    status: status as TcbStatus,
    simulated,
    gpu: !NONE.test(gpuDigest),
    evidenceBlock: BigInt(evidenceBlock),
  });
  return { app: subject, key, facts, evidenceDigest };
}

/** What was measured, as the ledger keeps it once for all that were measured alike. */
export const imageOf = ({
  osImageHash,
  measurementDigest,
  pinnedMeasurementDigest,
  advisoriesDigest,
}: ImageFacts): ImageFacts => ({
  osImageHash,
  measurementDigest,
  pinnedMeasurementDigest,
  advisoriesDigest,
});

/** Whether two images are the same one. */
export const isSameImage = (a: ImageFacts, b: ImageFacts): boolean =>
  a.osImageHash === b.osImageHash &&
  a.measurementDigest === b.measurementDigest &&
  a.pinnedMeasurementDigest === b.pinnedMeasurementDigest &&
  a.advisoriesDigest === b.advisoriesDigest;
