import { expect } from "chai";

import type { Change } from "../../../protocol/policy/change.ts";
import { Reason } from "../../../protocol/policy/reason.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { advisoryKey, ZERO_KEY } from "../../../protocol/policy/settings.ts";
import { simulate } from "../../../protocol/policy/simulate.ts";
import type { ComposeHash } from "../../../protocol/words/hex.ts";
import { account, APP, History, word } from "../state/builders.ts";

const NOW = 2_000;
const NOTICE = 60;
const CHAIN = 31_337;
const PROPOSAL: Change = {
  action: "propose",
  composeHash: word(0x77) as string as ComposeHash,
  graceSeconds: 30,
};

const tighten = (kind: SettingKind, key = ZERO_KEY, value = 0n): Change => ({
  action: "tighten",
  entries: [{ kind, key, value }],
});
const loosen = (kind: SettingKind, key = ZERO_KEY, value = 1n): Change => ({
  action: "loosen",
  entries: [{ kind, key, value }],
});

/** An app on any node; instances 1 and 2 of release 1 on nodes 1 and 2. */
const scene = (): History => {
  const on = (kind: SettingKind, key: number, value = 1n) => ({ kind, key: word(key), value });
  const history = new History().create(1_000, {
    settings: [
      on(SettingKind.TeeKind, 1),
      on(SettingKind.TcbStatus, 1),
      on(SettingKind.AnyNode, 0),
      on(SettingKind.Node, 0xf001),
      on(SettingKind.OsImage, 6, 7n),
      on(SettingKind.ProofSystem, 2),
    ],
  });
  history.node(1, 1_000).node(2, 1_000);
  return prove(prove(history, 1), 2);
};
const prove = (
  history: History,
  number: number,
  { advisoriesDigest = ZERO_KEY, ...change }: Record<string, unknown> = {},
): History =>
  history.image(advisoriesDigest === ZERO_KEY ? 1 : 2, 1_500, { advisoriesDigest }).add(
    "attestationLedger",
    account(0xc3),
    "InstanceProven",
    {
      app: APP,
      key: account(0x7e00 + number),
      node: number,
      release: 1,
      image: advisoriesDigest === ZERO_KEY ? 1 : 2,
      kind: 1,
      status: 1,
      system: 2,
      proofSystems: 4,
      simulated: true,
      gpu: false,
      record: 0,
      evidenceDigest: word(0xe0 + number),
      evidenceBlock: 1n,
      expiresAt: 100_000,
      actor: account(1),
      ...change,
    },
    1_500,
  );
const run = ({ state }: History, ...changes: Change[]) => {
  const { live, stops, ineligible, eligible } = simulate(state, APP, changes, { time: NOW, chainId: CHAIN });
  return {
    live,
    stops: stops.map(({ instance, stopsAt, reason, otherwiseAt }) => [
      instance.node,
      stopsAt,
      reason,
      otherwiseAt,
    ]),
    ineligible: ineligible.map(({ node, at }) => [node.number, at]),
    eligible: eligible.map(({ node, at }) => [node.number, at]),
  };
};

describe("simulate", () => {
  it("stops at once what a tightening no longer allows, and shuts its nodes out", () => {
    expect(run(scene(), tighten(SettingKind.AnyNode))).to.deep.equal({
      live: 2,
      stops: [[2, NOW, Reason.NodeNotAllowed, null]],
      ineligible: [[2, NOW]],
      eligible: [],
    });
    const image = run(scene(), tighten(SettingKind.OsImage, word(6)));
    expect(image.stops).to.deep.equal([1, 2].map((node) => [node, NOW, Reason.OsImageNotAllowed, null]));
    expect(image.ineligible).to.deep.equal([]);
  });

  it("stops nothing by a loosening, and says from when it lets nodes in", () => {
    const history = scene().node(3, 1_000, { status: 5 });
    expect(run(history, loosen(SettingKind.TcbStatus, word(5)))).to.deep.equal({
      live: 2,
      stops: [],
      ineligible: [],
      eligible: [[3, NOW + NOTICE]],
    });
  });

  it("stops a head's instances when a successor is active and its grace is over", () => {
    const { stops } = run(scene(), PROPOSAL);
    expect(stops).to.deep.equal(
      [1, 2].map((node) => [node, NOW + NOTICE + 30, Reason.ReleaseNotAllowed, null]),
    );
  });

  it("stops a revoked release's instances at once, and none of another release", () => {
    const history = scene().propose(2, 1_600, 1_540);
    prove(history, 2, { release: 2 });
    expect(run(history, { action: "revoke", release: 2 }).stops).to.deep.equal([
      [2, NOW, Reason.ReleaseNotAllowed, null],
    ]);
  });

  it("tells what would stop anyhow, and when", () => {
    const history = scene().propose(2, NOW + 100, 1_600, { graceSeconds: 0, predecessorEndsAt: NOW + 100 });
    expect(run(history, { action: "revoke", release: 1 }).stops).to.deep.equal(
      [1, 2].map((node) => [node, NOW, Reason.ReleaseNotAllowed, NOW + 100]),
    );
    // Not by the change: it stops at that time with it and without.
    expect(run(history, tighten(SettingKind.GpuRequired, ZERO_KEY, 0n)).stops).to.deep.equal([]);
  });

  it("sees the date at which an acceptance ends, nearer or farther", () => {
    const history = scene();
    const advisory = advisoryKey("INTEL-SA-00001");
    history.add(
      "advisorySets",
      account(0xc4),
      "AdvisorySetPublished",
      { digest: word(0xad), ids: ["INTEL-SA-00001"] },
      1_400,
    );
    const settings = history.state.apps.get(APP)?.settings;
    settings?.set(`${SettingKind.TcbStatus}:${word(5)}`, { value: 1n });
    settings?.set(`${SettingKind.Advisory}:${advisory}`, { value: 9_000n });
    prove(history, 1, { status: 5, advisoriesDigest: word(0xad) });
    expect(run(history, tighten(SettingKind.Advisory, advisory, 5_000n)).stops).to.deep.equal([
      [1, 5_000, Reason.AdvisoryNotAllowed, 9_000],
    ]);
  });

  it("counts as live neither what expired nor what runs on a retired node", () => {
    const history = prove(scene(), 1, { expiresAt: NOW });
    history.add("nodeRegistry", account(0xc2), "NodeRetired", { number: 2 }, 1_600);
    expect(run(history, tighten(SettingKind.AnyNode))).to.deep.equal({
      live: 0,
      stops: [],
      ineligible: [],
      eligible: [],
    });
  });

  it("makes changes in order, and leaves the state as it was", () => {
    const history = scene();
    const { stops } = run(history, PROPOSAL, { action: "revoke", release: 2 });
    expect(stops).to.deep.equal([]);
    expect(history.state.apps.get(APP)?.releases).to.have.length(1);
    expect(run(history).stops).to.deep.equal([]);
  });

  it("refuses a second pending release and a release that is not live", () => {
    const twice = () => run(scene(), PROPOSAL, PROPOSAL);
    expect(twice).to.throw().with.property("code", "simulate/not-possible");
    const gone = () => run(scene(), { action: "revoke", release: 2 });
    expect(gone).to.throw().with.property("code", "simulate/not-possible");
    const unknown = () => simulate(new History().state, APP, [PROPOSAL], { time: NOW, chainId: CHAIN });
    expect(unknown).to.throw().with.property("code", "state/unknown-app");
  });
});
