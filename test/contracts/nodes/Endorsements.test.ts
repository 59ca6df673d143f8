import { expect } from "chai";
import { AbiCoder, id, keccak256, ZeroAddress, ZeroHash } from "ethers";

import { EndorsementOp } from "../../../protocol/policy/endorsements.ts";
import type { Charter } from "../support/charter.ts";
import { useCharter } from "../support/chains.ts";
import { word } from "../support/flows.ts";
import { merkleTree } from "../support/merkleTree.ts";

const [P, Q] = [id("platform p"), id("platform q")];
const memberHash = (member: string): string =>
  keccak256(keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32"], [member])));
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

  describe("a list by its Merkle root", () => {
    const MEMBERS = ["p", "q", "r", "s", "t"].map((name) => id(`platform ${name}`));
    const { root, proofs } = merkleTree(MEMBERS.map((member) => memberHash(member)));
    const proofOf = (index: number) => proofs[index] ?? [];
    const published = async () => {
      const { charter, endorsements } = await load();
      await endorsements.createList(charter.owner);
      const platforms = await define(charter, EndorsementOp.PlatformList, word(1));
      const byCurator = endorsements.connect(charter.owner);
      await byCurator.setRoot(word(1), root);
      return { charter, endorsements, byCurator, platforms };
    };

    it("enter_underTheRoot_listsAndEmitsOnce", async () => {
      const { charter, endorsements, platforms } = await published();
      for (const [index, member] of MEMBERS.entries()) {
        // What stands under the root is on the list once somebody has brought it.
        expect(await endorsements.endorses(platforms, member, ZeroAddress)).to.equal(false);
        await expect(endorsements.connect(charter.stranger).enter(word(1), member, proofOf(index)))
          .to.emit(endorsements, "ListCurated")
          .withArgs(word(1), member, true, charter.stranger);
        expect(await endorsements.endorses(platforms, member, ZeroAddress)).to.equal(true);
        await expect(endorsements.enter(word(1), member, proofOf(index))).to.not.emit(
          endorsements,
          "ListCurated",
        );
      }
    });

    it("enter_notUnderTheRootOrWithoutOne_reverts", async () => {
      const { charter, endorsements } = await published();
      const [first = ""] = MEMBERS;
      const refused = (list: string, member: string, proof: readonly string[]) =>
        expect(endorsements.enter(list, member, [...proof])).to.be.revertedWithCustomError(
          endorsements,
          "NotUnderRoot",
        );
      await refused(word(1), id("another platform"), proofOf(0));
      await refused(word(1), first, proofOf(1));
      await refused(word(1), first, proofOf(0).slice(1));
      await refused(word(1), first, []);
      // An inner node is no member.
      await refused(word(1), memberHash(first), proofOf(0).slice(1));
      // Nor is anything of a list that has no root, or that nobody made.
      await endorsements.createList(charter.owner);
      await refused(word(2), first, proofOf(0));
      await refused(word(3), first, proofOf(0));
    });

    it("setRoot_another_takesNobodyOff_andZeroEndsIt", async () => {
      const { charter, endorsements, byCurator } = await published();
      const [first = "", second = ""] = MEMBERS;
      await endorsements.enter(word(1), first, proofOf(0));
      await expect(byCurator.setRoot(word(1), ZeroHash))
        .to.emit(endorsements, "ListRootChanged")
        .withArgs(word(1), root, ZeroHash, charter.owner);
      expect(await endorsements.rootOf(word(1))).to.equal(ZeroHash);
      expect(await endorsements.isListed(word(1), first)).to.equal(true);
      await expect(endorsements.enter(word(1), second, proofOf(1))).to.be.revertedWithCustomError(
        endorsements,
        "NotUnderRoot",
      );
    });

    it("enter_takenOffByTheCurator_revertsUntilItsCuratorBringsItBack", async () => {
      const { endorsements, byCurator } = await published();
      const [first = "", second = ""] = MEMBERS;
      await endorsements.enter(word(1), first, proofOf(0));
      // One that was never on it is kept off likewise.
      await byCurator.curate(word(1), [first, second], false);
      for (const [index, member] of [first, second].entries()) {
        await expect(endorsements.enter(word(1), member, proofOf(index)))
          .to.be.revertedWithCustomError(endorsements, "TakenOffList")
          .withArgs(word(1), member);
        expect(await endorsements.isListed(word(1), member)).to.equal(false);
      }
      await byCurator.curate(word(1), [first], true);
      expect(await endorsements.isListed(word(1), first)).to.equal(true);
    });

    it("setRoot_byAnybodyElse_reverts", async () => {
      const { charter, endorsements } = await published();
      await expect(endorsements.connect(charter.stranger).setRoot(word(1), root))
        .to.be.revertedWithCustomError(endorsements, "NotCurator")
        .withArgs(charter.owner, charter.stranger);
      await expect(endorsements.setRoot(word(2), root))
        .to.be.revertedWithCustomError(endorsements, "UnknownList")
        .withArgs(word(2));
    });
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
