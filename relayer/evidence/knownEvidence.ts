import type { EvidenceMessage } from "../../protocol/session/messages.ts";
import type { NodeState } from "../../protocol/state/types.ts";
import type { EvidenceStore } from "../store/evidenceStore.ts";

/** Evidence and the node that it speaks of. */
export interface NodeEvidence {
  readonly node: number;
  readonly evidence: EvidenceMessage;
}

/** The newest evidence of the nodes that are registered now. */
export async function evidenceOfNodes(
  nodes: Iterable<NodeState>,
  store: Pick<EvidenceStore, "nodes">,
): Promise<NodeEvidence[]> {
  const registered = new Map(
    [...nodes].filter((node) => !node.retired).map((node) => [node.key, node.number]),
  );
  return (await store.nodes()).flatMap(({ key, evidence }) => {
    const node = registered.get(key);
    return node === undefined ? [] : [{ node, evidence }];
  });
}

/** Of guests whose GPUs it names, and which still holds at `now` (unix seconds): a node's own evidence has none. */
export async function evidenceOfGpus(
  store: Pick<EvidenceStore, "instances">,
  now: number,
): Promise<NodeEvidence[]> {
  return (await store.instances(now)).flatMap(({ node, evidence }) =>
    node === null || evidence.gpu === undefined ? [] : [{ node, evidence }],
  );
}
