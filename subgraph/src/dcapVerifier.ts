import { Bytes, crypto } from "@graphprotocol/graph-ts";

import { PlatformRecorded, RecordJudged } from "../generated/DcapVerifier/DcapVerifier";
import { Judgement, PlatformRecord } from "../generated/schema";
import { logId } from "./ids";

export function handlePlatformRecorded(event: PlatformRecorded): void {
  const params = event.params;
  const record = new PlatformRecord(params.record.toString());
  record.number = params.record;
  record.platformId = params.platformId;
  record.factsDigest = Bytes.fromByteArray(crypto.keccak256(params.facts));
  record.recordedBy = params.actor;
  record.recordedAt = event.block.timestamp;
  record.save();
}

export function handleRecordJudged(event: RecordJudged): void {
  const params = event.params;
  const judgement = new Judgement(logId(event));
  judgement.record = params.record.toString();
  judgement.oldStatus = params.oldStatus;
  judgement.newStatus = params.newStatus;
  judgement.advisoriesDigest = params.advisoriesDigest;
  judgement.epoch = params.epoch;
  judgement.actor = params.actor;
  judgement.timestamp = event.block.timestamp;
  judgement.block = event.block.number;
  judgement.save();
  const record = PlatformRecord.load(params.record.toString());
  if (!record) return;
  record.status = params.newStatus;
  record.save();
}
