import {
  NodeInvalidated,
  NodeRegistered,
  NodeRenewed,
  NodeRetired,
  OperatorListChanged,
  OperatorListed,
  VerifierChanged,
} from "../generated/NodeRegistry/NodeRegistry";
import { ListedOperator, Node, NodeRules } from "../generated/schema";
import { governanceEvent, recordVerifierChange } from "./governance";

export function handleNodeRegistered(event: NodeRegistered): void {
  const params = event.params;
  const node = new Node(params.number.toString());
  node.number = params.number.toI32();
  node.platformId = params.platformId;
  node.operator = params.operator;
  node.key = params.key;
  node.kind = params.kind;
  node.status = params.status;
  node.simulated = params.simulated;
  node.retired = false;
  node.invalidated = false;
  node.record = params.record;
  node.evidenceBlock = params.evidenceBlock;
  node.evidenceDigest = params.evidenceDigest;
  node.registeredAt = event.block.timestamp;
  node.attestedAt = params.attestedAt;
  node.expiresAt = params.expiresAt;
  node.save();
}

export function handleNodeRenewed(event: NodeRenewed): void {
  const params = event.params;
  const node = Node.load(params.number.toString());
  if (!node) return;
  node.status = params.newStatus;
  node.invalidated = false;
  node.record = params.record;
  node.evidenceBlock = params.evidenceBlock;
  node.evidenceDigest = params.evidenceDigest;
  node.attestedAt = params.attestedAt;
  node.expiresAt = params.expiresAt;
  node.save();
}

export function handleNodeRetired(event: NodeRetired): void {
  const node = Node.load(event.params.number.toString());
  if (!node) return;
  node.retired = true;
  node.save();
}

export function handleNodeInvalidated(event: NodeInvalidated): void {
  const node = Node.load(event.params.number.toString());
  if (!node) return;
  node.invalidated = true;
  node.save();
}

export function handleVerifierChanged(event: VerifierChanged): void {
  const params = event.params;
  recordVerifierChange(event, params.system, params.oldVerifier, params.newVerifier, params.actor);
}

export function handleOperatorListChanged(event: OperatorListChanged): void {
  const params = event.params;
  const rules = new NodeRules(event.address);
  rules.listedOnly = params.newRequired;
  rules.changedAt = event.block.timestamp;
  rules.save();

  const entry = governanceEvent(event, "OperatorListChanged", params.actor);
  entry.oldValue = params.oldRequired.toString();
  entry.newValue = params.newRequired.toString();
  entry.save();
}

export function handleOperatorListed(event: OperatorListed): void {
  const params = event.params;
  const operator = new ListedOperator(params.operator);
  operator.listed = params.listed;
  operator.changedAt = event.block.timestamp;
  operator.save();

  const entry = governanceEvent(event, "OperatorListed", params.actor);
  entry.newValue = (params.listed ? "+" : "-") + params.operator.toHexString();
  entry.save();
}
