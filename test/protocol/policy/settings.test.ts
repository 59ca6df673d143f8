import { expect } from "chai";

import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import {
  advisoryKey,
  effectiveGuardian,
  effectiveSetting,
  numberKey,
  ZERO_KEY,
} from "../../../protocol/policy/settings.ts";
import type { AppState } from "../../../protocol/state/types.ts";
import { account, APP, GUARDIAN, History, OWNER, word } from "../state/builders.ts";

const CREATED = 1_000;
const EFFECTIVE = 1_100;

const appOf = (history: History): AppState => history.state.apps.get(APP) as AppState;

describe("effectiveSetting", () => {
  const outOfDate = numberKey(5);
  const change = (history: History, oldValue: bigint, newValue: bigint, effectiveAt: number, time: number) =>
    history.app(
      "SettingChanged",
      { kind: SettingKind.TcbStatus, key: outOfDate, oldValue, newValue, effectiveAt, actor: OWNER },
      time,
    );
  const valueAt = (history: History, time: number): bigint =>
    effectiveSetting(appOf(history), SettingKind.TcbStatus, outOfDate, time);

  it("is 0, which no check takes for a yes, where nothing was set", () => {
    expect(valueAt(new History().create(CREATED), CREATED)).to.equal(0n);
  });

  it("keeps kinds and keys apart", () => {
    const app = appOf(new History().create(CREATED));
    expect(effectiveSetting(app, SettingKind.TcbStatus, numberKey(1), CREATED)).to.equal(1n);
    expect(effectiveSetting(app, SettingKind.TcbStatus, numberKey(16), CREATED)).to.equal(0n);
    expect(effectiveSetting(app, SettingKind.Node, numberKey(1), CREATED)).to.equal(0n);
  });

  it("changes with a pending loosening in the very second that its notice names, not one earlier", () => {
    const history = change(new History().create(CREATED), 0n, 1n, EFFECTIVE, CREATED + 40);
    const values = [CREATED + 40, EFFECTIVE - 1, EFFECTIVE, EFFECTIVE + 1].map((t) => valueAt(history, t));
    expect(values).to.deep.equal([0n, 0n, 1n, 1n]);
  });

  it("changes at once by a tightening, and forgets the loosening that waited", () => {
    const history = change(new History().create(CREATED), 0n, 1n, EFFECTIVE, CREATED + 40);
    change(history, 0n, 0n, CREATED + 50, CREATED + 50);
    expect([CREATED + 50, EFFECTIVE].map((t) => valueAt(history, t))).to.deep.equal([0n, 0n]);
  });

  it("never comes to what was cancelled", () => {
    const history = change(new History().create(CREATED), 0n, 1n, EFFECTIVE, CREATED + 40);
    history.app(
      "LooseningCancelled",
      { kind: SettingKind.TcbStatus, key: outOfDate, value: 1n, effectiveAt: EFFECTIVE, actor: GUARDIAN },
      CREATED + 50,
    );
    expect([EFFECTIVE, EFFECTIVE + 1_000].map((t) => valueAt(history, t))).to.deep.equal([0n, 0n]);
  });
});

describe("effectiveGuardian", () => {
  const replace = (newGuardian: string, effectiveAt: number, time: number) =>
    appOf(
      new History()
        .create(CREATED)
        .app("GuardianChanged", { oldGuardian: GUARDIAN, newGuardian, effectiveAt }, time),
    );

  it("is the old one until the second in which its replacement counts", () => {
    const app = replace(account(0xa3), EFFECTIVE, CREATED + 40);
    expect(effectiveGuardian(app, EFFECTIVE - 1)).to.equal(GUARDIAN);
    expect(effectiveGuardian(app, EFFECTIVE)).to.equal(account(0xa3));
  });

  it("is nobody once a removal counts", () => {
    const app = replace(account(0), EFFECTIVE, CREATED + 40);
    expect(effectiveGuardian(app, EFFECTIVE - 1)).to.equal(GUARDIAN);
    expect(effectiveGuardian(app, EFFECTIVE)).to.equal(null);
  });
});

describe("keys of settings", () => {
  it("are 32 bytes, left-padded", () => {
    expect(numberKey(0)).to.equal(ZERO_KEY);
    expect(numberKey(0x1f)).to.equal(word(0x1f));
  });

  it("of advisories are keccak256 of the id's text, letter case and all", () => {
    // keccak256("INTEL-SA-00614"), by ethers' `id`.
    const key = "0x7394f997596338d39eb487b38631dfed56884bb4aee1aa62925a509f1c19c9a3";
    expect(advisoryKey("INTEL-SA-00614")).to.equal(key);
    expect(advisoryKey("intel-sa-00614")).not.to.equal(key);
  });
});
