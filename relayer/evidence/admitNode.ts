import { encodeFunctionData } from "viem";
import type { PublicClient } from "viem";

import { nodeRegistryAbi } from "../../protocol/abi/nodeRegistry.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Deployment } from "../../protocol/deployment/deployment.ts";
import type { Accepted, NodeRegistration } from "../../protocol/session/messages.ts";
import type { NodeState } from "../../protocol/state/types.ts";
import { ProofSystem, TcbStatus } from "../../protocol/words/enums.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { intentId } from "../outbox/intent.ts";
import type { Intent, IntentRequest } from "../outbox/intent.ts";
import type { EvidenceStore } from "../store/evidenceStore.ts";
import { requireNodeConsent } from "./consent.ts";
import type { EvidenceJudge } from "./judgeEvidence.ts";
import type { ProofMaker } from "./proofMaker.ts";

export interface AdmitNodeOptions {
  readonly deployment: Deployment;
  readonly client: Pick<PublicClient, "verifyTypedData">;
  readonly judge: EvidenceJudge;
  readonly evidence: Pick<EvidenceStore, "accept">;
  readonly proofs: ProofMaker;
  readonly plan: (intent: IntentRequest) => Promise<Intent>;
  /** The live node with this key in the newest state. */
  readonly nodeByKey: (key: Address) => NodeState | undefined;
  /** Unix seconds. */
  readonly now: () => number;
}

/**
 * `POST /nodes`: verifies a platform's evidence, proves it (to the chain itself where that can judge it, else by the
 * committee) and plans the registration, or the renewal when the key is registered already. Asked again for the same
 * evidence, it gives the same intent.
 * @throws CharterError `evidence/…`, `committee/…`, `chain/…`, `collateral/…`.
 */
export function nodeAdmission(options: AdmitNodeOptions): (message: NodeRegistration) => Promise<Accepted> {
  const { deployment, client, judge, evidence: store, proofs, plan, nodeByKey, now } = options;
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
    const binding = { digest: evidenceDigest, purpose: "node", subject: operator, key, node: null } as const;
    await store.accept({ ...binding, verdict: judged, evidence, acceptedAt: now() });

    const claim = { purpose: "node", subject: operator, key } as const;
    const direct = await proofs.direct(claim, evidence, judged);
    const system = direct === null ? ProofSystem.Committee : ProofSystem.Direct;
    const proof = direct ?? (await proofs.committee(claim, evidence, judged));
    const known = nodeByKey(key);
    const data =
      known === undefined
        ? encodeFunctionData({
            abi: nodeRegistryAbi,
            functionName: "register",
            args: [system, proof, operatorSignature, keySignature],
          })
        : encodeFunctionData({
            abi: nodeRegistryAbi,
            functionName: "renew",
            args: [known.number, system, proof, keySignature],
          });
    const id = intentId({ chainId, contract: nodeRegistry, subject: operator, key, evidenceDigest, system });
    const label = known === undefined ? "node.register" : "node.renew";
    const intent = await plan({ id, to: nodeRegistry, data, label });
    return { intent: intent.id };
  };
}
