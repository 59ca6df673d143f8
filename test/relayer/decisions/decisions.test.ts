import { expect } from "chai";

import type { BootInfo } from "../../../protocol/policy/bootInfo.ts";
import { Reason } from "../../../protocol/policy/reason.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import type { VerdictMessage } from "../../../protocol/session/messages.ts";
import type { BlockRef, ChainState } from "../../../protocol/state/types.ts";
import { NEVER } from "../../../protocol/state/types.ts";
import type { ComposeHash, PlatformId } from "../../../protocol/words/hex.ts";
import type { Projection } from "../../../relayer/chain/projection.ts";
import { judgeBoot } from "../../../relayer/decisions/boot.ts";
import { decideLease } from "../../../relayer/decisions/lease.ts";
import type { LeaseQuestion } from "../../../relayer/decisions/lease.ts";
import { APP, account, GUARDIAN, History, OWNER, word } from "../../protocol/state/builders.ts";

const KEY = account(0xbeef);
const block = (number: number, timestamp: number): BlockRef => ({
  number: BigInt(number),
  hash: word(0xb10c0000 + number),
  parentHash: word(0xb10c0000 + number - 1),
  timestamp,
});

/** A history with one node, seen as final at `finalTime`; `more` happened since, up to `headTime`. */
const projection = (
  finalTime: number,
  headTime: number,
  before: (history: History) => History,
  more: (history: History) => History = (history) => history,
): Projection => {
  const start = () => before(new History().create(1_000).node(1, 1_000));
  return {
    final: { block: block(10, finalTime), state: start().state },
    newest: { block: block(12, headTime), state: more(start()).state },
  };
};
const asIs = (history: History) => history;

const verdict = (change: Partial<VerdictMessage> = {}): VerdictMessage => ({
  consumer: account(0xc3),
  subject: APP,
  key: KEY,
  evidenceBlock: 5,
  evidenceBlockHash: word(5),
  platformId: word(0xf001) as PlatformId,
  composeHash: word(0x1001),
  osImageHash: word(6),
  measurementDigest: word(7),
  pinnedMeasurementDigest: word(8),
  kind: 1,
  status: 1,
  advisoriesDigest: word(0),
  evidenceDigest: word(99),
  gpuDigest: word(0),
  validUntil: 50_000,
  simulated: true,
  ...change,
});

const decide = (
  of: Projection,
  change: Partial<LeaseQuestion> = {},
  evidence: Partial<VerdictMessage> = {},
) =>
  decideLease({
    projection: of,
    session: { app: APP, key: KEY, node: 1, verdict: verdict(evidence) },
    now: of.newest.block.timestamp,
    chainId: 31_337,
    maxHeadAgeSeconds: 60,
    maxLeaseSeconds: 60,
    ...change,
  });
const reasonOf = (decision: ReturnType<typeof decideLease>) => (decision.allow ? "Allowed" : decision.reason);

describe("decideLease", () => {
  it("grants what both states allow, and cites the final block", () => {
    const of = projection(1_100, 1_102, asIs);
    expect(decide(of)).to.deep.equal({
      allow: true,
      release: 1,
      composeHash: word(0x1001),
      maxSeconds: 60,
      block: of.final.block,
    });
  });

  it("denies on the newest block what the final one still allows: revoked, retired, tightened", () => {
    const revoked = (history: History) =>
      history.app(
        "ReleaseRevoked",
        { number: 1, oldEndsAt: NEVER, endsAt: 1_101, restored: 0, restoredEndsAt: 0, actor: GUARDIAN },
        1_101,
      );
    const tightened = (history: History) =>
      history.app(
        "SettingChanged",
        {
          kind: SettingKind.AnyNode,
          key: word(0),
          oldValue: 1n,
          newValue: 0n,
          effectiveAt: 1_101,
          actor: OWNER,
        },
        1_101,
      );
    const retired = (history: History) =>
      history.add("nodeRegistry", account(0xc2), "NodeRetired", { number: 1 }, 1_101);
    expect(reasonOf(decide(projection(1_100, 1_102, asIs, revoked)))).to.equal("ReleaseNotAllowed");
    expect(reasonOf(decide(projection(1_100, 1_102, asIs, tightened)))).to.equal("NodeNotAllowed");
    expect(reasonOf(decide(projection(1_100, 1_102, asIs, retired)))).to.equal("NodeNotActive");
  });

  it("cites both blocks that it asked, by number and hash, where it denies", () => {
    const of = projection(1_100, 1_102, asIs);
    const denied = [
      decide(of, { now: 9_000 }),
      decide(of, {}, { subject: account(0xbad) }),
      decide(of, {}, { composeHash: word(0xbad) }),
    ];
    for (const decision of denied) {
      const { final, newest } = of;
      expect(decision.allow ? {} : decision.details).to.deep.include({
        final: { number: Number(final.block.number), hash: final.block.hash },
        newest: { number: Number(newest.block.number), hash: newest.block.hash },
      });
    }
  });

  it("does not grant on the newest block what is not final: a node, a loosening, an app", () => {
    const state = (history: History): ChainState => history.state;
    const later = new History().create(1_000).node(1, 1_000);
    const newest = { block: block(12, 1_102), state: state(later) };
    const noNode = { final: { block: block(10, 1_100), state: state(new History().create(1_000)) }, newest };
    expect(reasonOf(decide(noNode))).to.equal("NodeNotActive");
    const noApp = { final: { block: block(10, 1_100), state: state(new History().node(1, 1_000)) }, newest };
    expect(reasonOf(decide(noApp))).to.equal("AppNotRegistered");
    const strict = new History().create(1_000, { settings: [] }).node(1, 1_000);
    const loosened = { final: { block: block(10, 1_100), state: state(strict) }, newest };
    expect(reasonOf(decide(loosened))).to.equal("TeeKindNotAllowed");
  });

  it("activates by the final block's time, not by head or clock", () => {
    const second = { composeHash: word(0x1002) };
    const proposed = (history: History) => history.propose(2, 1_100, 1_040);
    expect(reasonOf(decide(projection(1_099, 1_102, proposed), {}, second))).to.equal("ReleaseNotAllowed");
    expect(reasonOf(decide(projection(1_100, 1_102, proposed), {}, second))).to.equal("Allowed");
  });

  it("expires by the later of head time and clock", () => {
    const proposed = (history: History) => history.propose(2, 1_100, 1_040);
    const at = (finalTime: number, headTime: number, now: number) =>
      decide(projection(finalTime, headTime, proposed), { now });
    expect(at(1_125, 1_128, 1_128)).to.include({ allow: true, release: 1, maxSeconds: 2 });
    expect(reasonOf(at(1_125, 1_130, 1_128)), "by the head's time").to.equal("ReleaseNotAllowed");
    expect(reasonOf(at(1_125, 1_128, 1_130)), "by the clock").to.equal("ReleaseNotAllowed");
    expect(reasonOf(at(1_125, 1_128, 1_129.2)), "a fraction counts as begun").to.equal("ReleaseNotAllowed");
  });

  it("never leases beyond the end of the verdict or of the node's entry", () => {
    const of = projection(1_100, 1_102, asIs);
    expect(decide(of, {}, { validUntil: 1_110 })).to.include({ allow: true, maxSeconds: 8 });
    expect(reasonOf(decide(of, {}, { validUntil: 1_102 }))).to.equal("EvidenceExpired");
    const brief = new History().create(1_000).node(1, 1_000, { expiresAt: 1_105 });
    const both = { block: block(10, 1_100), state: brief.state };
    expect(decide({ final: both, newest: both })).to.include({ allow: true, maxSeconds: 5 });
    expect(reasonOf(decide({ final: both, newest: both }, { now: 1_105 }))).to.equal("NodeNotActive");
  });

  it("denies when the head is known for too long, though its time is ahead", () => {
    const of = projection(1_100, 1_102, asIs);
    expect(reasonOf(decide(of, { headAgeSeconds: 60 }))).to.equal("Allowed");
    expect(reasonOf(decide(of, { headAgeSeconds: 61 }))).to.equal("HeadTooOld");
  });

  it("denies when the head is too old", () => {
    const of = projection(1_100, 1_102, asIs);
    expect(reasonOf(decide(of, { now: 1_162 }))).to.equal("Allowed");
    expect(reasonOf(decide(of, { now: 1_163 }))).to.equal("HeadTooOld");
  });

  it("judges the verdict by the app's policy, and the platform by the node's entry", () => {
    const of = projection(1_100, 1_102, asIs);
    const cases: [Partial<VerdictMessage>, string][] = [
      [{ composeHash: word(0x9999) }, "ReleaseNotAllowed"],
      [{ kind: 3 }, "TeeKindNotAllowed"],
      [{ status: 5 }, "TcbStatusNotAllowed"],
      [{ osImageHash: word(9) }, "OsImageNotAllowed"],
      [{ measurementDigest: word(9) }, "OsImageNotAllowed"],
      [{ platformId: word(0xf002) as PlatformId }, "PlatformMismatch"],
      [{ subject: account(5) }, "WrongApp"],
      [{ key: account(5) }, "WrongApp"],
    ];
    for (const [change, reason] of cases) expect(reasonOf(decide(of, {}, change)), reason).to.equal(reason);
    expect(reasonOf(decide(of, { chainId: 1 }))).to.equal("SimulatedNotAllowed");
    expect(reasonOf(decide(of, { session: { app: APP, key: KEY, node: 2, verdict: verdict() } }))).to.equal(
      "NodeNotActive",
    );
  });
});

describe("judgeBoot", () => {
  const bootInfo: BootInfo = {
    appId: APP,
    composeHash: word(0x1001) as ComposeHash,
    instanceId: account(1),
    deviceId: word(0xf001) as PlatformId,
    mrAggregated: word(0),
    mrSystem: word(0),
    osImageHash: word(6),
    tcbStatus: "UpToDate",
    advisoryIds: [],
  };
  const accepting = (history: History) =>
    history.app(
      "SettingChanged",
      {
        kind: SettingKind.AcceptBootInfo,
        key: word(0),
        oldValue: 0n,
        newValue: 1n,
        effectiveAt: 1_050,
        actor: OWNER,
      },
      1_050,
    );

  it("allows what both states allow, and names the blocks that it asked", () => {
    const of = projection(1_100, 1_102, accepting);
    expect(judgeBoot({ projection: of, bootInfo, now: 1_102 })).to.deep.equal({
      isAllowed: true,
      code: Reason.Allowed,
      reason: "",
      final: of.final.block,
      newest: of.newest.block,
    });
  });

  it("denies in the words of dstack as soon as the newest block does", () => {
    const revoked = (history: History) =>
      accepting(history).app(
        "ReleaseRevoked",
        { number: 1, oldEndsAt: NEVER, endsAt: 1_101, restored: 0, restoredEndsAt: 0, actor: GUARDIAN },
        1_101,
      );
    const start = () => new History().create(1_000).node(1, 1_000);
    const of = {
      final: { block: block(10, 1_100), state: accepting(start()).state },
      newest: { block: block(12, 1_102), state: revoked(start()).state },
    };
    const denied = judgeBoot({ projection: of, bootInfo, now: 1_102 });
    expect([denied.isAllowed, denied.reason]).to.deep.equal([false, "Compose hash not allowed"]);
  });

  it("denies what is not final yet, and apps that nobody registered", () => {
    const of = projection(1_100, 1_102, asIs, accepting);
    expect(judgeBoot({ projection: of, bootInfo, now: 1_102 }).code).to.equal(Reason.BootInfoNotAccepted);
    const stranger = { ...bootInfo, appId: account(0xdead) };
    const denied = judgeBoot({ projection: of, bootInfo: stranger, now: 1_102 });
    expect([denied.isAllowed, denied.reason]).to.deep.equal([false, "App not registered"]);
  });
});
