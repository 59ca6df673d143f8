import { judge } from "../../protocol/policy/judge.ts";
import type { Facts } from "../../protocol/policy/judge.ts";
import { Reason } from "../../protocol/policy/reason.ts";
import { allowedReleaseOf } from "../../protocol/policy/releases.ts";
import type { VerdictMessage } from "../../protocol/session/messages.ts";
import type { BlockRef, NodeState, Release } from "../../protocol/state/types.ts";
import { nameOf } from "../../protocol/words/enums.ts";
import type { TcbStatus, TeeKind } from "../../protocol/words/enums.ts";
import type { Address, ComposeHash } from "../../protocol/words/hex.ts";
import type { Projection } from "../chain/projection.ts";
import { citation } from "./citation.ts";
import { latestTime, moments } from "./moments.ts";
import type { Moment } from "./moments.ts";

/** An instance whose evidence this relayer verified: what a lease is decided upon. */
export interface LeaseSession {
  readonly app: Address;
  readonly key: Address;
  readonly node: number;
  readonly verdict: VerdictMessage;
}

export interface LeaseQuestion {
  readonly projection: Projection;
  readonly session: LeaseSession;
  /** Unix seconds. */
  readonly now: number;
  readonly chainId: number;
  readonly maxHeadAgeSeconds: number;
  /** What the follower knows of the head's age beside its time; 0 by default. */
  readonly headAgeSeconds?: number;
  readonly maxLeaseSeconds: number;
}

/** Why a lease is denied: the policy's own reasons, and those that only a relayer can have. */
export type LeaseDenial =
  | Exclude<keyof typeof Reason, "Allowed">
  | "HeadTooOld"
  | "EvidenceMissing"
  | "EvidenceExpired"
  | "NodeNotActive"
  | "PlatformMismatch";

export type LeaseDecision =
  | {
      readonly allow: true;
      readonly release: number;
      readonly composeHash: ComposeHash;
      /** Never beyond the end of the release, the node's entry or the verdict. */
      readonly maxSeconds: number;
      /** The final block that the decision cites. */
      readonly block: BlockRef;
    }
  | {
      readonly allow: false;
      readonly reason: LeaseDenial;
      /** Among them the final and the newest block that were asked. */
      readonly details: Readonly<Record<string, unknown>>;
    };

const ZERO_DIGEST = `0x${"00".repeat(32)}`;
const ALL_PROOF_SYSTEMS = 0xff;

const denier =
  ({ final, newest }: Projection) =>
  (reason: LeaseDenial, details: Record<string, unknown> = {}): LeaseDecision => ({
    allow: false,
    reason,
    details: { ...details, final: citation(final.block), newest: citation(newest.block) },
  });

/**
 * A verdict as the policy asks about it. Every proof system counts as given: a lease rests on this relayer's own
 * verification and does not wait for the proof on chain (DESIGN section 3, step 7 before step 9).
 */
const factsOf = (verdict: VerdictMessage, release: number, operator: Address | null): Facts => ({
  release,
  platformId: verdict.platformId,
  operator,
  osImageHash: verdict.osImageHash,
  measurementDigest: verdict.measurementDigest,
  pinnedMeasurementDigest: verdict.pinnedMeasurementDigest,
  kind: verdict.kind as TeeKind,
  status: verdict.status as TcbStatus,
  advisoriesDigest: verdict.advisoriesDigest,
  gpu: verdict.gpuDigest !== ZERO_DIGEST,
  proofSystems: ALL_PROOF_SYSTEMS,
  simulated: verdict.simulated,
});

/** What one moment says: the release and the node that a lease would rest on, or why not. */
type Finding =
  | { readonly reason: LeaseDenial; readonly time: number }
  | { readonly reason: null; readonly release: Release; readonly node: NodeState };

function judgeAt({ state, time }: Moment, { session, chainId }: LeaseQuestion): Finding {
  const { verdict } = session;
  const app = state.apps.get(session.app);
  if (!app) return { reason: "AppNotRegistered", time };
  const release = allowedReleaseOf(app, verdict.composeHash as ComposeHash, time);
  if (!release) return { reason: "ReleaseNotAllowed", time };
  const node = state.nodes.get(session.node);
  const facts = factsOf(verdict, release.number, node?.operator ?? null);
  const reason = judge(app, facts, { time, chainId, library: state.library });
  if (reason !== Reason.Allowed) return { reason: nameOf(Reason, reason) as LeaseDenial, time };
  if (!node || node.retired || node.invalidated || node.expiresAt <= time)
    return { reason: "NodeNotActive", time };
  if (node.platformId !== verdict.platformId) return { reason: "PlatformMismatch", time };
  return { reason: null, release, node };
}

/**
 * May this key run its release for `maxSeconds` more? Granted only when each of `moments` allows. Pure: the same
 * projection, session and time give the same answer.
 */
export function decideLease(question: LeaseQuestion): LeaseDecision {
  const { projection, session, now } = question;
  const { verdict } = session;
  const deny = denier(projection);
  const headAgeSeconds = Math.max(now - projection.newest.block.timestamp, question.headAgeSeconds ?? 0);
  if (headAgeSeconds > question.maxHeadAgeSeconds) {
    return deny("HeadTooOld", { maxHeadAgeSeconds: question.maxHeadAgeSeconds, headAgeSeconds });
  }
  if (verdict.subject !== session.app || verdict.key !== session.key) {
    return deny("WrongApp", { expected: verdict.subject, actual: session.app });
  }
  const later = latestTime(projection, now);
  const ends = [verdict.validUntil];
  if (verdict.validUntil <= later) {
    return deny("EvidenceExpired", { validUntil: verdict.validUntil, time: later });
  }
  let found: Release | undefined;
  for (const moment of moments(projection, now)) {
    const finding = judgeAt(moment, question);
    if (finding.reason !== null) return deny(finding.reason, { time: finding.time });
    // Another release of the same hash began meanwhile: the first one to be final decides, in a moment.
    if (found && found.number !== finding.release.number)
      return deny("ReleaseNotAllowed", { time: moment.time });
    found = finding.release;
    ends.push(finding.release.endsAt, finding.node.expiresAt);
  }
  if (!found) return deny("Undecided");
  return {
    allow: true,
    release: found.number,
    composeHash: found.composeHash,
    maxSeconds: Math.min(question.maxLeaseSeconds, ...ends.map((end) => end - later)),
    block: projection.final.block,
  };
}
