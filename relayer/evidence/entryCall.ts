import { encodeFunctionData } from "viem";

import { attestationLedgerAbi } from "../../protocol/abi/attestationLedger.ts";
import { nodeRegistryAbi } from "../../protocol/abi/nodeRegistry.ts";
import type { Deployment } from "../../protocol/deployment/deployment.ts";
import type { NodeState } from "../../protocol/state/types.ts";
import type { ProofSystem } from "../../protocol/words/enums.ts";
import type { Hex } from "../../protocol/words/hex.ts";
import type { IntentRequest } from "../outbox/intent.ts";
import type { OpenProof } from "../store/proofStore.ts";

/**
 * The call that enters a proof: `attest` for an instance; for a node `register`, or `renew` where its key is registered.
 * @param known the live node with this key.
 */
export function entryCall(
  { attestationLedger, nodeRegistry }: Pick<Deployment, "attestationLedger" | "nodeRegistry">,
  { id, accepted, combines, keySignature, operatorSignature }: OpenProof,
  { system, proof }: { readonly system: ProofSystem; readonly proof: Hex },
  known: NodeState | undefined,
): IntentRequest {
  if (accepted.node !== null) {
    const data = encodeFunctionData({
      abi: attestationLedgerAbi,
      functionName: "attest",
      args: [accepted.node, system, combines, proof, keySignature],
    });
    return { id, to: attestationLedger, data, label: "instance.attest" };
  }
  if (known !== undefined) {
    const data = encodeFunctionData({
      abi: nodeRegistryAbi,
      functionName: "renew",
      args: [known.number, system, proof, keySignature],
    });
    return { id, to: nodeRegistry, data, label: "node.renew" };
  }
  const data = encodeFunctionData({
    abi: nodeRegistryAbi,
    functionName: "register",
    args: [system, proof, operatorSignature ?? "0x", keySignature],
  });
  return { id, to: nodeRegistry, data, label: "node.register" };
}
