import type { ContractEventName } from "viem";

import type { appAbi } from "../abi/app.ts";
import { CharterError } from "../errors/CharterError.ts";
import { releasesAt } from "../policy/releases.ts";
import { settingKey } from "../policy/settings.ts";
import { SettingKind } from "../policy/settingKind.ts";
import { Level } from "../words/enums.ts";
import type { Address, Bytes32, ComposeHash, NoteDigest } from "../words/hex.ts";
import type { EventArgs } from "./eventArgs.ts";
import { NEVER } from "./types.ts";
import type { AppState, ChainEvent, ChainState, Release } from "./types.ts";

type Name = ContractEventName<typeof appAbi>;
type Args<N extends Name> = EventArgs<typeof appAbi, N>;

const ZERO_KEY = `0x${"00".repeat(32)}` as Bytes32;
const ZERO_ADDRESS = `0x${"00".repeat(20)}`;

/** Solidity's zero address is our null. */
const orNull = (address: string): Address | null => (address === ZERO_ADDRESS ? null : (address as Address));

function initialize(state: ChainState, event: ChainEvent): void {
  const { registry, owner, guardian, settings } = event.args as unknown as Args<"AppInitialized">;
  if (state.apps.has(event.address)) {
    throw new CharterError("state/out-of-order", "an app was initialized twice", { app: event.address });
  }
  const app: AppState = {
    address: event.address,
    registry: registry as Address,
    owner: owner as Address,
    pendingOwner: null,
    guardian: orNull(guardian),
    pendingGuardian: null,
    level: Level.Open,
    noticeFloorSeconds: 0,
    settings: new Map([
      [settingKey(SettingKind.Notice, ZERO_KEY), { value: BigInt(settings.noticeSeconds) }],
      [settingKey(SettingKind.Grace, ZERO_KEY), { value: BigInt(settings.graceSeconds) }],
    ]),
    releases: [],
    replicas: 0,
    selector: { teeKinds: 0, gpu: false, operators: [] },
    placementSeed: event.blockHash,
    placementNodes: state.nodes.size,
  };
  for (const { kind, key, value } of settings.settings) {
    app.settings.set(settingKey(kind as SettingKind, key as Bytes32), { value });
  }
  if (settings.composeHash !== ZERO_KEY) {
    app.releases.push({
      number: 1,
      composeHash: settings.composeHash as ComposeHash,
      noteDigest: settings.noteDigest as NoteDigest,
      activatesAt: event.blockTimestamp,
      endsAt: NEVER,
      graceSeconds: 0,
      predecessor: 0,
      follows: 0,
      rebuilds: null,
      lapsed: false,
      proposedBy: owner as Address,
      vetoed: false,
      revoked: false,
    });
  }
  state.apps.set(event.address, app);
}

function releaseOf(app: AppState, number: number): Release {
  const release = app.releases[number - 1];
  if (!release) {
    throw new CharterError("state/unknown-release", "an event names a release before its proposal", {
      app: app.address,
      number,
    });
  }
  return release;
}

/** Sets another release's end where the event names one (number 0 is "none"). */
function setEnd(app: AppState, number: number, endsAt: number): void {
  if (number !== 0) releaseOf(app, number).endsAt = endsAt;
}

function propose(app: AppState, event: ChainEvent): void {
  const args = event.args as unknown as Args<"ReleaseProposed">;
  if (args.number !== app.releases.length + 1) {
    throw new CharterError("state/out-of-order", "releases are numbered without gaps", {
      app: app.address,
      expected: app.releases.length + 1,
      actual: args.number,
    });
  }
  setEnd(app, args.predecessor, args.predecessorEndsAt);
  setEnd(app, args.cutRelease, event.blockTimestamp);
  app.releases.push({
    number: args.number,
    composeHash: args.composeHash as ComposeHash,
    noteDigest: args.noteDigest as NoteDigest,
    activatesAt: args.activatesAt,
    endsAt: NEVER,
    graceSeconds: args.graceSeconds,
    predecessor: args.predecessor,
    follows: args.predecessor,
    rebuilds: null,
    lapsed: false,
    proposedBy: args.actor as Address,
    vetoed: false,
    revoked: false,
  });
}

function veto(app: AppState, event: ChainEvent): void {
  const args = event.args as unknown as Args<"ReleaseVetoed">;
  const release = releaseOf(app, args.number);
  release.vetoed = true;
  // Before its activation, so the interval in which it is allowed is empty.
  release.endsAt = event.blockTimestamp;
  setEnd(app, args.predecessor, args.predecessorEndsAt);
}

function revoke(app: AppState, event: ChainEvent): void {
  const args = event.args as unknown as Args<"ReleaseRevoked">;
  const release = releaseOf(app, args.number);
  release.revoked = true;
  release.endsAt = args.endsAt;
  setEnd(app, args.restored, args.restoredEndsAt);
  // While a successor waits, what is restored is what that one would replace.
  const last = app.releases.at(-1);
  if (last && last.activatesAt > event.blockTimestamp && last.follows === args.number) {
    last.follows = args.restored;
  }
}

function demandRebuilds(app: AppState, event: ChainEvent): void {
  const args = event.args as unknown as Args<"RebuildsDemanded">;
  releaseOf(app, args.number).rebuilds = { required: args.required, matching: 0 };
}

function reportRebuild(app: AppState, event: ChainEvent): void {
  const args = event.args as unknown as Args<"RebuildReported">;
  const release = releaseOf(app, args.number);
  if (release.rebuilds) release.rebuilds = { ...release.rebuilds, matching: args.matching };
}

/** A release that came to its time without its reports has lapsed, without an event: the next one finds it so. */
function settleLapse(app: AppState, time: number): void {
  const settled = releasesAt(app, time);
  if (settled !== app.releases) app.releases.splice(0, app.releases.length, ...settled);
}

function changeSetting(app: AppState, event: ChainEvent): void {
  const args = event.args as unknown as Args<"SettingChanged">;
  const key = settingKey(args.kind as SettingKind, args.key as Bytes32);
  // `oldValue` is what was effective, so a loosening that had matured is settled by it.
  app.settings.set(
    key,
    args.effectiveAt > event.blockTimestamp
      ? { value: args.oldValue, pending: { value: args.newValue, effectiveAt: args.effectiveAt } }
      : { value: args.newValue },
  );
}

function cancelLoosening(app: AppState, event: ChainEvent): void {
  const args = event.args as unknown as Args<"LooseningCancelled">;
  delete app.settings.get(settingKey(args.kind as SettingKind, args.key as Bytes32))?.pending;
}

function changeGuardian(app: AppState, event: ChainEvent): void {
  const args = event.args as unknown as Args<"GuardianChanged">;
  const waits = args.effectiveAt > event.blockTimestamp;
  app.guardian = orNull(waits ? args.oldGuardian : args.newGuardian);
  app.pendingGuardian = waits ? { guardian: orNull(args.newGuardian), effectiveAt: args.effectiveAt } : null;
}

function changeReplicas(state: ChainState, app: AppState, event: ChainEvent): void {
  const args = event.args as unknown as Args<"ReplicasChanged">;
  app.replicas = args.newReplicas;
  app.selector = {
    teeKinds: args.selector.teeKinds,
    gpu: args.selector.gpu,
    operators: args.selector.operators as readonly Address[],
  };
  app.placementSeed = event.blockHash;
  app.placementNodes = state.nodes.size;
}

/** Folds one event of an app. See IApp.sol for what each says. */
export function applyAppEvent(state: ChainState, event: ChainEvent): void {
  const name = event.name as Name;
  if (name === "AppInitialized") return initialize(state, event);
  const app = state.apps.get(event.address);
  if (!app) {
    throw new CharterError("state/unknown-app", "an event of an app came before its creation", {
      app: event.address,
    });
  }
  settleLapse(app, event.blockTimestamp);
  switch (name) {
    case "RebuildsDemanded":
      return demandRebuilds(app, event);
    case "RebuildReported":
      return reportRebuild(app, event);
    case "ReleaseProposed":
      return propose(app, event);
    case "ReleaseVetoed":
      return veto(app, event);
    case "ReleaseRevoked":
      return revoke(app, event);
    case "SettingChanged":
      return changeSetting(app, event);
    case "LooseningCancelled":
      return cancelLoosening(app, event);
    case "GuardianChanged":
      return changeGuardian(app, event);
    case "GuardianChangeCancelled":
      // A cancelled change leaves the guardian that the event names.
      app.guardian = orNull((event.args as unknown as Args<"GuardianChangeCancelled">).guardian);
      app.pendingGuardian = null;
      return;
    case "LevelRaised": {
      const args = event.args as unknown as Args<"LevelRaised">;
      app.level = args.newLevel as Level;
      app.noticeFloorSeconds = args.noticeFloorSeconds;
      return;
    }
    case "OwnershipTransferStarted":
      app.pendingOwner = orNull((event.args as unknown as Args<"OwnershipTransferStarted">).newOwner);
      return;
    case "OwnershipTransferred":
      app.owner = (event.args as unknown as Args<"OwnershipTransferred">).newOwner as Address;
      app.pendingOwner = null;
      return;
    case "ReplicasChanged":
      return changeReplicas(state, app, event);
    default:
      throw new CharterError("state/unknown-event", "an event has no meaning here", { name });
  }
}
