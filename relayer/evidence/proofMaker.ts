import { quoteBytes } from "../../protocol/evidence/index.ts";
import type { EvidenceMessage, VerdictMessage } from "../../protocol/session/messages.ts";
import type { PlatformRecord } from "../../protocol/state/types.ts";
import type { Hex } from "../../protocol/words/hex.ts";
import type { CommitteeQuestion, ProvenVerdict } from "../committee/collectSignatures.ts";
import type { CollateralKeeper } from "./CollateralKeeper.ts";
import { directProof } from "./directProof.ts";
import type { EvidenceClaim } from "./judgeEvidence.ts";
import { platformFamily } from "./platformFamily.ts";

/** Proofs of a verdict that this relayer reached, by proof system. */
export interface ProofMaker {
  /** Null where the chain cannot judge this evidence itself, or not now. @throws CharterError `collateral/…`. */
  direct(claim: EvidenceClaim, evidence: EvidenceMessage, verdict: VerdictMessage): Promise<Hex | null>;
  /** @throws CharterError `committee/…`. */
  committee(claim: EvidenceClaim, evidence: EvidenceMessage, verdict: VerdictMessage): Promise<Hex>;
}

interface Options {
  /** Signatures of the committee over our verdict. */
  readonly prove: (question: CommitteeQuestion, verdict: VerdictMessage) => Promise<ProvenVerdict>;
  /** Absent where no direct verifier is deployed. */
  readonly direct?: {
    readonly keeper: Pick<CollateralKeeper, "ready">;
    /** Records of the final block. */
    readonly records: () => Iterable<PlatformRecord>;
  };
}

/** How long a worker's request waits for collateral that is on its way: workers give up after 20 s. */
const PATIENCE_MS = 10_000;

/** Makes proofs: direct ones here, once the chain holds the collateral to judge them by; others by asking the committee. */
export function proofMaker({ prove, direct }: Options): ProofMaker {
  return {
    direct: async (claim, evidence, verdict) => {
      if (direct === undefined || directProof(claim, evidence, verdict, []) === null) return null;
      const isReady = await direct.keeper.ready(platformFamily(quoteBytes(evidence.quote)), PATIENCE_MS);
      // Records are read after the wait: an earlier proof may have left one meanwhile.
      return isReady ? directProof(claim, evidence, verdict, direct.records()) : null;
    },
    committee: async ({ purpose, subject, key }, evidence, verdict) => {
      const question: CommitteeQuestion =
        purpose === "instance"
          ? { purpose, app: subject, key, evidence }
          : { purpose, operator: subject, key, evidence };
      return (await prove(question, verdict)).proof;
    },
  };
}
