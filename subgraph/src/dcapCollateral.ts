import { BigInt, Bytes, ethereum } from "@graphprotocol/graph-ts";
import {
  CertificateKept,
  CrlKept,
  MinEvaluationNumberChanged,
  QeIdentityKept,
  TcbInfoKept,
} from "../generated/DcapCollateral/DcapCollateral";
import { CollateralUpdate } from "../generated/schema";
import { governanceEvent } from "./governance";
import { logId } from "./ids";

function update(event: ethereum.Event, what: string, validUntil: BigInt, actor: Bytes): CollateralUpdate {
  const entity = new CollateralUpdate(logId(event));
  entity.what = what;
  entity.validUntil = validUntil;
  entity.actor = actor;
  entity.timestamp = event.block.timestamp;
  entity.block = event.block.number;
  return entity;
}

export function handleCertificateKept(event: CertificateKept): void {
  const params = event.params;
  const entity = update(event, "Certificate", params.notAfter, params.actor);
  entity.ca = params.ca;
  entity.number = params.serial;
  entity.save();
}

export function handleCrlKept(event: CrlKept): void {
  const params = event.params;
  const entity = update(event, "Crl", params.nextUpdate, params.actor);
  entity.ca = params.ca;
  entity.number = params.number;
  entity.issuedAt = params.thisUpdate;
  entity.epoch = params.epoch;
  entity.save();
}

export function handleTcbInfoKept(event: TcbInfoKept): void {
  const params = event.params;
  const entity = update(event, "TcbInfo", params.nextUpdate, params.actor);
  entity.tee = params.tee;
  entity.fmspc = params.fmspc;
  entity.document = params.document;
  entity.number = params.evaluationNumber;
  entity.issuedAt = params.issuedAt;
  entity.epoch = params.epoch;
  entity.save();
}

export function handleQeIdentityKept(event: QeIdentityKept): void {
  const params = event.params;
  const entity = update(event, "QeIdentity", params.nextUpdate, params.actor);
  entity.tee = params.tee;
  entity.document = params.document;
  entity.number = params.evaluationNumber;
  entity.issuedAt = params.issuedAt;
  entity.epoch = params.epoch;
  entity.save();
}

export function handleMinEvaluationNumberChanged(event: MinEvaluationNumberChanged): void {
  const params = event.params;
  const entry = governanceEvent(event, "MinEvaluationNumberChanged", params.actor);
  entry.settingKey = params.fmspc;
  entry.oldValue = params.oldNumber.toString();
  entry.newValue = params.newNumber.toString();
  entry.effectiveAt = params.effectiveAt;
  entry.save();
}
