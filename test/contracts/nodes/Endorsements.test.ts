import { expect } from "chai";
import { AbiCoder, id, keccak256, ZeroAddress, ZeroHash } from "ethers";

import { EndorsementOp } from "../../../protocol/policy/endorsements.ts";
import type { Charter } from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import { word } from "../support/flows.ts";

const [P, Q] = [id("platform p"), id("platform q")];
const idOf = (op: number, terms: readonly string[]): string =>
  keccak256(AbiCoder.defaultAbiCoder().encode(["uint8", "bytes32[]"], [op, terms]));

describe("Endorsements", () => {
  const load = useCharter((charter) => Promise.resolve({ endorsements: charter.endorsements }));
  const define = async (charter: Charter, op: number, ...terms: string[]): Promise<string> => {
    const sorted = terms.sort();
    await charter.endorsements.defineExpression(op, sorted);
    return idOf(op, sorted);
  };
  const padded = (address: string) => word(BigInt(address));

  it("define_emits_andGivesTheIdOfItsContent", async () => {
    const { charter, endorsements } = await load();
    const expected = idOf(EndorsementOp.Platform, [P]);
    await expect(endorsements.defineExpression(EndorsementOp.Platform, [P]))
      .to.emit(endorsements, "ExpressionDefined")
      .withArgs(expected, EndorsementOp.Platform, [P], charter.governance);
    expect(await endorsements.expression(expected)).to.deep.equal([BigInt(EndorsementOp.Platform), [P]]);
    await expect(endorsements.defineExpression(EndorsementOp.Platform, [P])).to.not.emit(
      endorsements,
      "ExpressionDefined",
    );
  });

  it("endorses_eachOp_saysWhatItSays", async () => {
    const { charter, endorsements } = await load();
    const operator = charter.operator.address;
    const ask = (expression: string, platform: string, by: string) =>
      endorsements.endorses(expression, platform, by);
    const platform = await define(charter, EndorsementOp.Platform, P);
    const mine = await define(charter, EndorsementOp.Operator, padded(operator));
    const both = await define(charter, EndorsementOp.AllOf, platform, mine);
    const either = await define(charter, EndorsementOp.AnyOf, platform, mine);
    const table: [string, string, string, boolean][] = [
      [platform, P, ZeroAddress, true],
      [platform, Q, operator, false],
      [mine, Q, operator, true],
      [mine, Q, charter.stranger.address, false],
      [mine, Q, ZeroAddress, false],
      [both, P, operator, true],
      [both, P, ZeroAddress, false],
      [both, Q, operator, false],
      [either, Q, operator, true],
      [either, P, ZeroAddress, true],
      [either, Q, ZeroAddress, false],
      [id("nobody defined this"), P, operator, false],
      [ZeroHash, P, operator, false],
    ];
    for (const [expression, which, by, expected] of table) {
      expect(await ask(expression, which, by)).to.equal(expected);
    }
  });

  it("lists_byTheirCuratorAlone_changeWhatIsEndorsed", async () => {
    const { charter, endorsements } = await load();
    const { owner, operator, stranger } = charter;
    await expect(endorsements.createList(owner))
      .to.emit(endorsements, "ListCreated")
      .withArgs(word(1), owner, charter.governance);
    const platforms = await define(charter, EndorsementOp.PlatformList, word(1));
    const operators = await define(charter, EndorsementOp.OperatorList, word(1));
    await expect(endorsements.connect(stranger).curate(word(1), [P], true))
      .to.be.revertedWithCustomError(endorsements, "NotCurator")
      .withArgs(owner, stranger);
    await endorsements.connect(owner).curate(word(1), [P, padded(operator.address)], true);
    expect(await endorsements.endorses(platforms, P, ZeroAddress)).to.equal(true);
    expect(await endorsements.endorses(platforms, Q, ZeroAddress)).to.equal(false);
    expect(await endorsements.endorses(operators, Q, operator)).to.equal(true);
    expect(await endorsements.endorses(operators, Q, ZeroAddress)).to.equal(false);
    await endorsements.connect(owner).curate(word(1), [P], false);
    expect(await endorsements.endorses(platforms, P, ZeroAddress)).to.equal(false);
  });

  it("setCurator_toZero_leavesTheListAsItIsForGood", async () => {
    const { charter, endorsements } = await load();
    const { owner, stranger } = charter;
    await endorsements.createList(owner);
    await expect(endorsements.connect(owner).setCurator(word(1), ZeroAddress))
      .to.emit(endorsements, "CuratorChanged")
      .withArgs(word(1), owner, ZeroAddress, owner);
    for (const account of [owner, stranger]) {
      await expect(endorsements.connect(account).curate(word(1), [P], true)).to.be.revertedWithCustomError(
        endorsements,
        "NotCurator",
      );
    }
    await expect(endorsements.createList(ZeroAddress)).to.be.revertedWithCustomError(
      endorsements,
      "NotCurator",
    );
  });

  it("define_overWhatDoesNotExist_reverts", async () => {
    const { endorsements } = await load();
    const refusals: [number, string[], string][] = [
      [EndorsementOp.None, [P], "BadTermCount"],
      [EndorsementOp.Platform, [], "BadTermCount"],
      [EndorsementOp.Platform, [P, Q], "BadTermCount"],
      [EndorsementOp.AnyOf, [], "BadTermCount"],
      [EndorsementOp.AnyOf, [id("unknown")], "UnknownExpression"],
      [EndorsementOp.PlatformList, [word(1)], "UnknownList"],
      [EndorsementOp.PlatformList, [ZeroHash], "UnknownList"],
      [EndorsementOp.Platform, [ZeroHash], "BadTerm"],
      [EndorsementOp.Operator, [id("longer than an address")], "BadTerm"],
    ];
    for (const [op, terms, error] of refusals) {
      await expect(endorsements.defineExpression(op, terms), error).to.be.revertedWithCustomError(
        endorsements,
        error,
      );
    }
  });

  it("define_unsortedRepeatedDeepOrLarge_reverts", async () => {
    const { charter, endorsements } = await load();
    const leaves: string[] = [];
    for (let index = 0; index < 16; index++) {
      leaves.push(await define(charter, EndorsementOp.Platform, id(`leaf ${index}`)));
    }
    const [low, high] = leaves.slice(0, 2).sort() as [string, string];
    for (const terms of [
      [high, low],
      [low, low],
    ]) {
      await expect(endorsements.defineExpression(EndorsementOp.AnyOf, terms)).to.be.revertedWithCustomError(
        endorsements,
        "TermsNotAscending",
      );
    }
    await expect(
      endorsements.defineExpression(EndorsementOp.AnyOf, Array<string>(17).fill(low)),
    ).to.be.revertedWithCustomError(endorsements, "BadTermCount");
    let deep = low;
    for (let depth = 2; depth <= 4; depth++) deep = await define(charter, EndorsementOp.AllOf, deep);
    await expect(endorsements.defineExpression(EndorsementOp.AllOf, [deep]))
      .to.be.revertedWithCustomError(endorsements, "ExpressionTooDeep")
      .withArgs(4, 5);
    const wide: string[] = [];
    for (let index = 0; index < 4; index++) {
      wide.push(await define(charter, EndorsementOp.AnyOf, ...leaves.slice(0, 15 - index)));
    }
    await expect(endorsements.defineExpression(EndorsementOp.AnyOf, [...wide, ...leaves.slice(0, 8)].sort()))
      .to.be.revertedWithCustomError(endorsements, "ExpressionTooLarge")
      .withArgs(64, 67);
  });
});
