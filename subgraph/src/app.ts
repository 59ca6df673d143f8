import { Address, BigInt, Bytes, ethereum } from "@graphprotocol/graph-ts";

import { App, Rebuild, Release, Setting } from "../generated/schema";
import {
  AppInitialized,
  GuardianChangeCancelled,
  GuardianChanged,
  LevelRaised,
  LooseningCancelled,
  OwnershipTransferStarted,
  OwnershipTransferred,
  RebuildReported,
  RebuildsDemanded,
  ReleaseProposed,
  ReleaseRevoked,
  ReleaseVetoed,
  ReplicasChanged,
  SettingChanged,
} from "../generated/templates/App/App";
import { appEvent } from "./governance";
import { logId, NEVER, orNull, releaseId, settingId, toBytesArray } from "./ids";

const NOTICE = 1;
const GRACE = 2;

export function handleAppInitialized(event: AppInitialized): void {
  const settings = event.params.settings;
  settle(event.address, NOTICE, zeroKey(), settings.noticeSeconds);
  settle(event.address, GRACE, zeroKey(), settings.graceSeconds);
  for (let i = 0; i < settings.settings.length; i++) {
    const entry = settings.settings[i];
    settle(event.address, entry.kind, entry.key, entry.value);
  }
  if (settings.composeHash.notEqual(zeroKey())) {
    const release = newRelease(event, 1, settings.composeHash, settings.noteDigest, event.params.owner);
    release.activatesAt = event.block.timestamp;
    release.save();
    setLastRelease(event.address, 1);
  }
  appEvent(event, "AppInitialized", event.params.owner).save();
}

export function handleReleaseProposed(event: ReleaseProposed): void {
  const params = event.params;
  const number = params.number.toI32();
  const release = newRelease(event, number, params.composeHash, params.noteDigest, params.actor);
  release.activatesAt = params.activatesAt;
  release.graceSeconds = params.graceSeconds;
  release.predecessor = params.predecessor.toI32();
  release.save();
  setEnd(event.address, params.predecessor, params.predecessorEndsAt);
  setEnd(event.address, params.cutRelease, event.block.timestamp);
  setLastRelease(event.address, number);

  const entry = appEvent(event, "ReleaseProposed", params.actor);
  entry.releaseNumber = number;
  entry.newValue = params.composeHash.toHexString();
  entry.effectiveAt = params.activatesAt;
  entry.save();
}

export function handleReleaseVetoed(event: ReleaseVetoed): void {
  const release = Release.load(releaseId(event.address, event.params.number.toI32()));
  if (release) {
    release.vetoed = true;
    // Nothing was ever allowed: the interval is empty.
    release.endsAt = release.activatesAt;
    release.save();
  }
  setEnd(event.address, event.params.predecessor, event.params.predecessorEndsAt);
  const entry = appEvent(event, "ReleaseVetoed", event.params.actor);
  entry.releaseNumber = event.params.number.toI32();
  entry.save();
}

export function handleReleaseRevoked(event: ReleaseRevoked): void {
  const release = Release.load(releaseId(event.address, event.params.number.toI32()));
  if (release) {
    release.revoked = true;
    release.endsAt = event.params.endsAt;
    release.save();
  }
  setEnd(event.address, event.params.restored, event.params.restoredEndsAt);
  const entry = appEvent(event, "ReleaseRevoked", event.params.actor);
  entry.releaseNumber = event.params.number.toI32();
  entry.oldValue = event.params.oldEndsAt.toString();
  entry.newValue = event.params.endsAt.toString();
  entry.save();
}

export function handleRebuildsDemanded(event: RebuildsDemanded): void {
  const release = Release.load(releaseId(event.address, event.params.number.toI32()));
  if (!release) return;
  release.rebuildsRequired = event.params.required;
  release.save();
}

export function handleRebuildReported(event: RebuildReported): void {
  const params = event.params;
  const id = releaseId(event.address, params.number.toI32());
  const release = Release.load(id);
  if (!release) return;
  release.rebuildsMatching = params.matching;
  release.save();

  const rebuild = new Rebuild(logId(event));
  rebuild.release = id;
  rebuild.rebuilder = params.rebuilder;
  rebuild.builtHash = params.builtHash;
  rebuild.matches = params.matches;
  rebuild.timestamp = event.block.timestamp;
  rebuild.block = event.block.number;
  rebuild.transaction = event.transaction.hash;
  rebuild.save();
}

export function handleSettingChanged(event: SettingChanged): void {
  const params = event.params;
  const setting = settingOf(event.address, params.kind, params.key);
  if (params.effectiveAt.gt(event.block.timestamp)) {
    setting.value = params.oldValue;
    setting.pendingValue = params.newValue;
    setting.effectiveAt = params.effectiveAt;
  } else {
    setting.value = params.newValue;
    setting.pendingValue = null;
    setting.effectiveAt = null;
  }
  setting.save();
  const entry = appEvent(event, "SettingChanged", params.actor);
  entry.settingKind = params.kind;
  entry.settingKey = params.key;
  entry.oldValue = params.oldValue.toString();
  entry.newValue = params.newValue.toString();
  entry.effectiveAt = params.effectiveAt;
  entry.save();
}

export function handleLooseningCancelled(event: LooseningCancelled): void {
  const params = event.params;
  const setting = settingOf(event.address, params.kind, params.key);
  setting.pendingValue = null;
  setting.effectiveAt = null;
  setting.save();
  const entry = appEvent(event, "LooseningCancelled", params.actor);
  entry.settingKind = params.kind;
  entry.settingKey = params.key;
  entry.oldValue = params.value.toString();
  entry.newValue = setting.value.toString();
  entry.save();
}

export function handleGuardianChanged(event: GuardianChanged): void {
  const params = event.params;
  const app = App.load(event.address);
  if (app) {
    if (params.effectiveAt.gt(event.block.timestamp)) {
      app.guardian = orNull(params.oldGuardian);
      app.pendingGuardian = orNull(params.newGuardian);
      app.pendingGuardianAt = params.effectiveAt;
    } else {
      app.guardian = orNull(params.newGuardian);
      app.pendingGuardian = null;
      app.pendingGuardianAt = null;
    }
    app.save();
  }
  const entry = appEvent(event, "GuardianChanged", params.actor);
  entry.oldValue = params.oldGuardian.toHexString();
  entry.newValue = params.newGuardian.toHexString();
  entry.effectiveAt = params.effectiveAt;
  entry.save();
}

export function handleGuardianChangeCancelled(event: GuardianChangeCancelled): void {
  const app = App.load(event.address);
  if (app) {
    app.guardian = orNull(event.params.guardian);
    app.pendingGuardian = null;
    app.pendingGuardianAt = null;
    app.save();
  }
  const entry = appEvent(event, "GuardianChangeCancelled", event.params.actor);
  entry.oldValue = event.params.cancelled.toHexString();
  entry.newValue = event.params.guardian.toHexString();
  entry.save();
}

export function handleLevelRaised(event: LevelRaised): void {
  const app = App.load(event.address);
  if (app) {
    app.level = event.params.newLevel;
    app.noticeFloorSeconds = event.params.noticeFloorSeconds;
    app.save();
  }
  const entry = appEvent(event, "LevelRaised", event.params.actor);
  entry.oldValue = event.params.oldLevel.toString();
  entry.newValue = event.params.newLevel.toString();
  entry.save();
}

export function handleOwnershipTransferStarted(event: OwnershipTransferStarted): void {
  const app = App.load(event.address);
  if (app) {
    app.pendingOwner = orNull(event.params.newOwner);
    app.save();
  }
  const entry = appEvent(event, "OwnershipTransferStarted", event.params.actor);
  entry.oldValue = event.params.oldOwner.toHexString();
  entry.newValue = event.params.newOwner.toHexString();
  entry.save();
}

export function handleOwnershipTransferred(event: OwnershipTransferred): void {
  const app = App.load(event.address);
  if (app) {
    app.owner = event.params.newOwner;
    app.pendingOwner = null;
    app.save();
  }
  const entry = appEvent(event, "OwnershipTransferred", event.params.actor);
  entry.oldValue = event.params.oldOwner.toHexString();
  entry.newValue = event.params.newOwner.toHexString();
  entry.save();
}

export function handleReplicasChanged(event: ReplicasChanged): void {
  const app = App.load(event.address);
  if (app) {
    const selector = event.params.selector;
    app.replicas = event.params.newReplicas;
    app.selectorTeeKinds = selector.teeKinds;
    app.selectorGpu = selector.gpu;
    app.selectorOperators = toBytesArray(selector.operators);
    app.save();
  }
  const entry = appEvent(event, "ReplicasChanged", event.params.actor);
  entry.oldValue = event.params.oldReplicas.toString();
  entry.newValue = event.params.newReplicas.toString();
  entry.save();
}

// ---------------------------------------------------------------- parts

function zeroKey(): Bytes {
  return Bytes.fromHexString("0x0000000000000000000000000000000000000000000000000000000000000000");
}

function newRelease(
  event: ethereum.Event,
  number: i32,
  composeHash: Bytes,
  note: Bytes,
  actor: Address,
): Release {
  const release = new Release(releaseId(event.address, number));
  release.app = event.address;
  release.number = number;
  release.composeHash = composeHash;
  release.noteDigest = note;
  release.endsAt = BigInt.fromString(NEVER);
  release.graceSeconds = BigInt.zero();
  release.predecessor = 0;
  release.vetoed = false;
  release.revoked = false;
  release.rebuildsRequired = 0;
  release.rebuildsMatching = 0;
  release.proposedBy = actor;
  release.proposedAt = event.block.timestamp;
  release.proposedBlock = event.block.number;
  release.proposedTransaction = event.transaction.hash;
  return release;
}

function setEnd(app: Address, number: BigInt, endsAt: BigInt): void {
  if (number.isZero()) return;
  const release = Release.load(releaseId(app, number.toI32()));
  if (!release) return;
  release.endsAt = endsAt;
  release.save();
}

function setLastRelease(address: Address, number: i32): void {
  const app = App.load(address);
  if (!app) return;
  app.lastRelease = number;
  app.save();
}

function settingOf(app: Address, kind: i32, key: Bytes): Setting {
  const id = settingId(app, kind, key);
  let setting = Setting.load(id);
  if (!setting) {
    setting = new Setting(id);
    setting.app = app;
    setting.kind = kind;
    setting.key = key;
    setting.value = BigInt.zero();
  }
  return setting;
}

function settle(app: Address, kind: i32, key: Bytes, value: BigInt): void {
  const setting = settingOf(app, kind, key);
  setting.value = value;
  setting.save();
}
