import { expect } from "chai";

import { EndorsementOp, endorses, padded, type EndorsedNode } from "../../../protocol/policy/endorsements.ts";
import { isNodeAllowed } from "../../../protocol/policy/judge.ts";
import { SettingKind } from "../../../protocol/policy/settingKind.ts";
import { emptyChainState } from "../../../protocol/state/chainState.ts";
import type { Library } from "../../../protocol/state/types.ts";
import type { Bytes32, PlatformId } from "../../../protocol/words/hex.ts";
import { account, word } from "../state/builders.ts";
import { appWith, CREATED, setting, without } from "./scene.ts";

const OPERATOR = account(0xe1);
const NODE: EndorsedNode = { platformId: word(0xf1) as string as PlatformId, operator: OPERATOR };
const ID = word(0x1d);
const MISSING = word(0x404);

type Expression = readonly [EndorsementOp, readonly Bytes32[]];

/** `ID` is the first expression; the others follow as ID + 1, ID + 2… */
function library(
  expressions: readonly Expression[],
  lists: readonly [Bytes32, readonly Bytes32[]][] = [],
): Library {
  const { library: empty } = emptyChainState();
  expressions.forEach(([op, terms], i) => empty.expressions.set(word(0x1d + i), { op, terms }));
  for (const [list, members] of lists) empty.lists.set(list, new Set(members));
  return empty;
}
const asked = (expressions: readonly Expression[], node = NODE, lists?: [Bytes32, Bytes32[]][]): boolean =>
  endorses(library(expressions, lists), ID, node);

const { AnyOf, AllOf, Platform, Operator, PlatformList, OperatorList, None } = EndorsementOp;

describe("endorses", () => {
  const platform: Expression = [Platform, [NODE.platformId]];
  const operator: Expression = [Operator, [padded(OPERATOR)]];
  const stranger: Expression = [Platform, [word(0xf2)]];

  it("knows one platform and one operator", () => {
    expect([platform, operator, stranger].map((one) => asked([one]))).to.deep.equal([true, true, false]);
  });

  it("says no for what nobody defined, for no operation and for empty terms", () => {
    expect(endorses(library([]), ID, NODE)).to.equal(false);
    for (const op of Object.values(EndorsementOp)) expect(asked([[op, []]]), String(op)).to.equal(false);
    expect(asked([[None, [NODE.platformId]]])).to.equal(false);
  });

  it("needs one term of AnyOf and every term of AllOf, of which a missing one is none", () => {
    const terms = [word(0x1e), word(0x1f)];
    expect(asked([[AnyOf, terms], platform, stranger])).to.equal(true);
    expect(asked([[AnyOf, terms], stranger, stranger])).to.equal(false);
    expect(asked([[AllOf, terms], platform, operator])).to.equal(true);
    expect(asked([[AllOf, terms], platform, stranger])).to.equal(false);
    expect(asked([[AllOf, [word(0x1e), MISSING]], platform])).to.equal(false);
  });

  it("asks lists for their members as they are now; one that is empty or missing has none", () => {
    const list = word(0x115);
    const on = (op: EndorsementOp, members: Bytes32[]) => asked([[op, [list]]], NODE, [[list, members]]);
    expect(on(PlatformList, [NODE.platformId])).to.equal(true);
    expect(on(OperatorList, [padded(OPERATOR)])).to.equal(true);
    expect(on(PlatformList, [padded(OPERATOR)])).to.equal(false);
    for (const op of [PlatformList, OperatorList]) {
      expect(on(op, [])).to.equal(false);
      expect(asked([[op, [list]]])).to.equal(false);
    }
  });

  it("never takes an unknown operator for one, not even for the zero address", () => {
    const unknown: EndorsedNode = { ...NODE, operator: null };
    const list = word(0x115);
    const zero = padded(account(0));
    expect(asked([[Operator, [zero]]], unknown)).to.equal(false);
    expect(asked([[OperatorList, [list]]], unknown, [[list, [zero]]])).to.equal(false);
  });
});

describe("a node where an app takes endorsed ones", () => {
  const allowed = (value: Bytes32, expressions: readonly Expression[]): boolean => {
    const endorsement = setting(SettingKind.Endorsement, 0, BigInt(value));
    const app = appWith([...without(SettingKind.AnyNode), endorsement]);
    return isNodeAllowed(app, NODE, CREATED, library(expressions));
  };

  it("is allowed by the expression that the app names, and by no other", () => {
    expect(allowed(ID, [[Platform, [NODE.platformId]]])).to.equal(true);
    expect(allowed(MISSING, [[Platform, [NODE.platformId]]])).to.equal(false);
  });

  it("is not allowed where the app names none, though there were an expression with id zero", () => {
    const found = library([]);
    found.expressions.set(word(0), { op: Platform, terms: [NODE.platformId] });
    expect(isNodeAllowed(appWith(without(SettingKind.AnyNode)), NODE, CREATED, found)).to.equal(false);
  });
});
