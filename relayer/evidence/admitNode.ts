import type { PublicClient } from "viem";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Deployment } from "../../protocol/deployment/deployment.ts";
import type { Accepted, NodeRegistration } from "../../protocol/session/messages.ts";
import { ProofSystem, TcbStatus } from "../../protocol/words/enums.ts";
import type { Bytes32 } from "../../protocol/words/hex.ts";
import { intentId } from "../outbox/intent.ts";
import type { EvidenceStore } from "../store/evidenceStore.ts";
import { requireNodeConsent } from "./consent.ts";
import type { EvidenceJudge } from "./judgeEvidence.ts";

export interface AdmitNodeOptions {
  readonly deployment: Deployment;
  readonly client: Pick<PublicClient, "verifyTypedData">;
  readonly judge: EvidenceJudge;
  readonly evidence: Pick<EvidenceStore, "accept">;
  /** There is something to prove: these effects. */
  readonly onAccepted: (proofs: readonly Bytes32[]) => void;
  /** Unix seconds. */
  readonly now: () => number;
}

/**
 * `POST /nodes`: verifies a platform's evidence, binds it to this key and operator for good, and keeps in the same
 * transaction that its registration (or renewal) is to be proven; that happens behind it (`Prover`). The answer names
 * that effect, whichever system will prove it; asked again for the same evidence, it is the same.
 * @throws CharterError `evidence/…`, `chain/…`, `collateral/…`.
 */
export function nodeAdmission(options: AdmitNodeOptions): (message: NodeRegistration) => Promise<Accepted> {
  const { deployment, client, judge, evidence: store, onAccepted, now } = options;
  const { chainId, nodeRegistry } = deployment;
  return async ({ operator, key, evidence, operatorSignature, keySignature }) => {
    const judged = await judge({ purpose: "node", subject: operator, key }, evidence);
    const { platformId, evidenceDigest } = judged;
    if (judged.status === TcbStatus.Unknown || judged.status === TcbStatus.Revoked) {
      throw new CharterError("evidence/status-not-acceptable", "the platform's TCB is revoked", {
        status: judged.status,
      });
    }
    await requireNodeConsent(
      { chainId, nodeRegistry, client },
      { operator, key, platformId, evidenceDigest, keySignature, operatorSignature },
    );
    const of = { chainId, contract: nodeRegistry, subject: operator, key, evidenceDigest };
    const id = intentId({ ...of, system: ProofSystem.None });
    const proof = {
      id,
      evidenceDigest,
      system: null,
      batchable: false,
      combines: false,
      keySignature,
      operatorSignature,
    };
    const binding = { digest: evidenceDigest, purpose: "node", subject: operator, key, node: null } as const;
    await store.accept({ ...binding, verdict: judged, evidence, acceptedAt: now() }, [proof]);
    onAccepted([id]);
    return { intent: id };
  };
}
