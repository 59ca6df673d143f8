import { BigInt, Bytes, ethereum } from "@graphprotocol/graph-ts";

import {
  BatchPosted,
  ImageKept,
  InstanceClaimed,
  InstanceProven,
  VerifierChanged,
} from "../generated/AttestationLedger/AttestationLedger";
import { Batch, Image, Instance, Proof } from "../generated/schema";
import { recordVerifierChange } from "./governance";
import { instanceId, logId, releaseId } from "./ids";

const SIMULATED = 1;
const GPU = 2;
const COMMITTEE = 2;

export function handleImageKept(event: ImageKept): void {
  const params = event.params;
  const image = new Image(params.image.toString());
  image.osImageHash = params.osImageHash;
  image.measurementDigest = params.measurementDigest;
  image.pinnedMeasurementDigest = params.pinnedMeasurementDigest;
  image.advisoriesDigest = params.advisoriesDigest;
  image.save();
}

export function handleBatchPosted(event: BatchPosted): void {
  const params = event.params;
  const batch = new Batch(params.root);
  batch.count = params.count.toI32();
  batch.validUntil = params.validUntil;
  batch.minBlock = params.minBlock;
  batch.blockHash = params.blockHash;
  batch.verifier = params.verifier;
  batch.actor = params.actor;
  batch.timestamp = event.block.timestamp;
  batch.block = event.block.number;
  batch.transaction = event.transaction.hash;
  batch.save();
}

/** Image numbers beyond an Int cannot be: one costs more than a block of gas for every few hundred. */
function describe(instance: Instance, image: string): void {
  const measured = Image.load(image);
  if (!measured) return;
  instance.osImageHash = measured.osImageHash;
  instance.measurementDigest = measured.measurementDigest;
  instance.pinnedMeasurementDigest = measured.pinnedMeasurementDigest;
  instance.advisoriesDigest = measured.advisoriesDigest;
}

function recordProof(
  event: ethereum.Event,
  instance: Instance,
  system: i32,
  release: i32,
  actor: Bytes,
): void {
  const proof = new Proof(logId(event));
  proof.instance = instance.id;
  proof.system = system;
  proof.proofSystems = instance.proofSystems;
  proof.releaseNumber = release;
  proof.nodeNumber = I32.parseInt(instance.node);
  proof.status = instance.status;
  proof.evidenceDigest = instance.evidenceDigest;
  proof.evidenceBlock = instance.evidenceBlock;
  proof.expiresAt = instance.expiresAt;
  proof.actor = actor;
  proof.timestamp = event.block.timestamp;
  proof.block = event.block.number;
  proof.transaction = event.transaction.hash;
  proof.logIndex = event.logIndex;
  proof.save();
}

export function handleInstanceProven(event: InstanceProven): void {
  const params = event.params;
  const instance = new Instance(instanceId(params.app, params.key));
  instance.app = params.app;
  instance.key = params.key;
  instance.release = releaseId(params.app, params.release.toI32());
  instance.node = params.node.toString();
  instance.kind = params.kind;
  instance.status = params.status;
  instance.proofSystems = params.proofSystems;
  instance.simulated = params.simulated;
  instance.gpu = params.gpu;
  instance.record = params.record;
  instance.evidenceDigest = params.evidenceDigest;
  instance.evidenceBlock = params.evidenceBlock;
  instance.provenAt = event.block.timestamp;
  instance.expiresAt = params.expiresAt;
  describe(instance, params.image.toString());
  instance.save();
  recordProof(event, instance, params.system, params.release.toI32(), params.actor);
}

/** Big-endian bytes of a word (contracts/attestation/InstanceWord.sol). */
function part(word: Bytes, from: i32, to: i32): BigInt {
  const reversed = Bytes.fromUint8Array(word.slice(from, to).reverse());
  return BigInt.fromUnsignedBytes(reversed);
}

export function handleInstanceClaimed(event: InstanceClaimed): void {
  const params = event.params;
  const word = params.entry;
  const release = part(word, 0, 4).toI32();
  const flags = part(word, 14, 15).toI32();
  const instance = new Instance(instanceId(params.app, params.key));
  instance.app = params.app;
  instance.key = params.key;
  instance.release = releaseId(params.app, release);
  instance.node = part(word, 4, 8).toString();
  instance.kind = part(word, 12, 13).toI32();
  instance.status = part(word, 13, 14).toI32();
  instance.simulated = (flags & SIMULATED) != 0;
  instance.gpu = (flags & GPU) != 0;
  instance.proofSystems = part(word, 15, 16).toI32();
  instance.evidenceBlock = part(word, 16, 21);
  instance.expiresAt = part(word, 21, 26);
  instance.record = part(word, 26, 30);
  instance.evidenceDigest = params.evidenceDigest;
  instance.provenAt = event.block.timestamp;
  describe(instance, part(word, 8, 12).toString());
  instance.save();
  recordProof(event, instance, COMMITTEE, release, params.actor);
}

export function handleVerifierChanged(event: VerifierChanged): void {
  const params = event.params;
  recordVerifierChange(event, params.system, params.oldVerifier, params.newVerifier, params.actor);
}
