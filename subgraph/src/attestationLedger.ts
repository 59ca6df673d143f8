import { InstanceProven, VerifierChanged } from "../generated/AttestationLedger/AttestationLedger";
import { Instance, Proof } from "../generated/schema";
import { recordVerifierChange } from "./governance";
import { instanceId, logId, releaseId } from "./ids";

export function handleInstanceProven(event: InstanceProven): void {
  const params = event.params;
  const id = instanceId(params.app, params.key);
  const instance = new Instance(id);
  instance.app = params.app;
  instance.key = params.key;
  instance.release = releaseId(params.app, params.release.toI32());
  instance.node = params.node.toString();
  instance.kind = params.kind;
  instance.status = params.status;
  instance.proofSystems = params.proofSystems;
  instance.simulated = params.simulated;
  instance.gpu = params.gpu;
  instance.advisoriesDigest = params.advisoriesDigest;
  instance.osImageHash = params.osImageHash;
  instance.measurementDigest = params.measurementDigest;
  instance.pinnedMeasurementDigest = params.pinnedMeasurementDigest;
  instance.evidenceDigest = params.evidenceDigest;
  instance.evidenceBlock = params.evidenceBlock;
  instance.provenAt = event.block.timestamp;
  instance.expiresAt = params.expiresAt;
  instance.save();

  const proof = new Proof(logId(event));
  proof.instance = id;
  proof.system = params.system;
  proof.proofSystems = params.proofSystems;
  proof.releaseNumber = params.release.toI32();
  proof.nodeNumber = params.node.toI32();
  proof.status = params.status;
  proof.evidenceDigest = params.evidenceDigest;
  proof.evidenceBlock = params.evidenceBlock;
  proof.expiresAt = params.expiresAt;
  proof.actor = params.actor;
  proof.timestamp = event.block.timestamp;
  proof.block = event.block.number;
  proof.transaction = event.transaction.hash;
  proof.logIndex = event.logIndex;
  proof.save();
}

export function handleVerifierChanged(event: VerifierChanged): void {
  const params = event.params;
  recordVerifierChange(event, params.system, params.oldVerifier, params.newVerifier, params.actor);
}
