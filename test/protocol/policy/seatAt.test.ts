import { expect } from "chai";

import { liveReasonAt } from "../../../protocol/policy/liveReasonAt.ts";
import { Reason } from "../../../protocol/policy/reason.ts";
import { seatAt } from "../../../protocol/policy/seatAt.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { ZERO_KEY } from "../../../protocol/policy/settings.ts";
import { instanceKey } from "../../../protocol/state/chainState.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { account, APP, History, word } from "../state/builders.ts";

const CHAIN = 31_337;
const LEDGER = account(0xc3);
const NOBODY = account(0);
const [KEY, OTHER_KEY] = [account(0xa1), account(0xa2)];
const signer = (number: number): Address => account(0x7e00 + number);
/** Their seats' committee is in force from here on; before it keys are. */
const FROM = 1_800;
const NOW = 2_000;
const ENDS = 50_000;

/** The relayer's own app, which requires Direct; an instance on each of two nodes; keys first, then operators. */
function scene(proofSystem = 1): History {
  const on = (kind: SettingKind, key: number, value = 1n) => ({ kind, key: word(key), value });
  const history = new History().create(1_000, {
    settings: [
      on(SettingKind.TeeKind, 1),
      on(SettingKind.TcbStatus, 1),
      on(SettingKind.AnyNode, 0),
      on(SettingKind.OsImage, 6, 7n),
      on(SettingKind.ProofSystem, proofSystem),
    ],
  });
  history.node(1, 1_000).node(2, 1_000).image(1, 1_500, { advisoriesDigest: ZERO_KEY });
  for (const number of [1, 2]) enter(history, number);
  committee(history, [KEY, OTHER_KEY], 1_600, { effectiveAt: 1_600, expiresAt: 9_000 });
  const operators = [1, 2].map((number) => operatorOf(history, number)).sort();
  return committee(history, operators, 1_700, { effectiveAt: FROM, ledger: LEDGER, app: APP });
}

const operatorOf = ({ state }: History, number: number): Address =>
  state.nodes.get(number)?.operator ?? NOBODY;

const enter = (history: History, number: number, change: Record<string, unknown> = {}, at = 1_500): History =>
  history.add(
    "attestationLedger",
    LEDGER,
    "InstanceProven",
    {
      app: APP,
      key: signer(number),
      node: number,
      release: 1,
      image: 1,
      kind: 1,
      status: 1,
      system: 1,
      proofSystems: 2,
      simulated: true,
      gpu: false,
      record: 1,
      evidenceDigest: word(0xe0 + number),
      evidenceBlock: 1n,
      expiresAt: 40_000,
      actor: account(1),
      ...change,
    },
    at,
  );

const committee = (
  history: History,
  members: readonly Address[],
  at: number,
  terms: Record<string, unknown>,
): History =>
  history.add(
    "committeeVerifier",
    account(0xc4),
    "CommitteeChanged",
    {
      oldMembers: [],
      oldThreshold: 0,
      newMembers: members,
      newThreshold: 2,
      expiresAt: ENDS,
      ledger: NOBODY,
      app: NOBODY,
      actor: account(1),
      ...terms,
    },
    at,
  );

const seat = ({ state }: History, key: Address, time = NOW, ledger: Address = LEDGER) =>
  seatAt(state, key, { time, chainId: CHAIN, ledger });

describe("seatAt", () => {
  it("keys_untilTheNextCommittee_sitForThemselves", () => {
    const history = scene();
    expect(seat(history, KEY, FROM - 1)).to.equal(KEY);
    expect(seat(history, signer(1), FROM - 1)).to.equal(null);
    expect(seat(history, KEY, FROM)).to.equal(null);
    expect(seat(history, signer(1), FROM)).to.equal(operatorOf(history, 1));
  });

  it("keys_expiredOrMarked_countNoMore", () => {
    const history = scene();
    const only = committee(new History().create(1_000), [KEY, OTHER_KEY], 1_600, {
      effectiveAt: 1_600,
      expiresAt: 1_900,
    });
    expect([seat(only, KEY, 1_899), seat(only, KEY, 1_900)]).to.deep.equal([KEY, null]);
    const marked = { signer: KEY, seat: KEY, actor: account(9) };
    history.add("committeeVerifier", account(0xc4), "SignerMarked", marked, 1_750);
    expect([seat(history, KEY, 1_760), seat(history, OTHER_KEY, 1_760)]).to.deep.equal([null, OTHER_KEY]);
  });

  it("operators_byTheirLiveInstances_sit", () => {
    const history = scene();
    for (const number of [1, 2]) expect(seat(history, signer(number))).to.equal(operatorOf(history, number));
    expect(seat(history, signer(3)), "no instance").to.equal(null);
    expect(seat(history, operatorOf(history, 1)), "the operator itself").to.equal(null);
    expect(seat(history, signer(1), NOW, account(0xc9)), "another ledger's instances").to.equal(null);
    expect(seat(history, signer(1), ENDS), "the committee's end").to.equal(null);
  });

  const endings: Record<string, (history: History) => unknown> = {
    itsReleaseIsRevoked: (history) =>
      history.app(
        "ReleaseRevoked",
        { number: 1, oldEndsAt: 2 ** 40 - 1, newEndsAt: 1_900, restored: 0, restoredEndsAt: 0 },
        1_900,
      ),
    itsProofHasEnded: (history) => enter(history, 1, { expiresAt: NOW }, 1_900),
    itsNodeIsRetired: (history) =>
      history.add("nodeRegistry", account(0xc2), "NodeRetired", { number: 1 }, 1_900),
    itsDirectProofIsMissing: (history) => enter(history, 1, { proofSystems: 4 }, 1_900),
    itIsMarked: (history) =>
      history.add(
        "committeeVerifier",
        account(0xc4),
        "SignerMarked",
        { signer: signer(1), seat: NOBODY, actor: account(9) },
        1_900,
      ),
    itsOperatorIsMarked: (history) =>
      history.add(
        "committeeVerifier",
        account(0xc4),
        "SignerMarked",
        { signer: account(0x99), seat: operatorOf(history, 1), actor: account(9) },
        1_900,
      ),
  };
  for (const [name, end] of Object.entries(endings)) {
    it(`operators_${name}_itCountsNoMore`, () => {
      const history = scene();
      expect(seat(history, signer(1))).not.to.equal(null);
      end(history);
      expect(seat(history, signer(1))).to.equal(null);
    });
  }

  it("operators_anotherHasANodeOnThePlatform_itSpeaksForNobodyUntilThatRetires", () => {
    const history = scene();
    const { platformId } = history.state.nodes.get(1)!;
    history.node(3, 1_900, { platformId, operator: operatorOf(history, 1) });
    expect(seat(history, signer(1)), "a second node of its own").to.equal(operatorOf(history, 1));
    history.node(4, 1_900, { platformId });
    expect([seat(history, signer(1)), seat(history, signer(2))]).to.deep.equal([
      null,
      operatorOf(history, 2),
    ]);
    history.add("nodeRegistry", account(0xc2), "NodeRetired", { number: 4 }, 1_950);
    expect(seat(history, signer(1))).to.equal(operatorOf(history, 1));
  });

  it("operators_appTakesTheCommitteesWord_nobodySits", () => {
    const history = scene(2);
    enter(history, 1, { proofSystems: 6 }, 1_900);
    const { state } = history;
    const instance = state.instances.get(instanceKey(APP, signer(1)));
    expect(liveReasonAt(state, instance, { time: NOW, chainId: CHAIN })).to.equal(Reason.Allowed);
    expect(seat(history, signer(1))).to.equal(null);
  });
});
