import { expect } from "chai";
import { AbiCoder, getAddress, id, keccak256, ZeroAddress, type Wallet } from "ethers";

import type { AdvisorySets, Endorsements } from "../../../types/typechain/index.ts";
import type { Random } from "../../support/random.ts";
import { GAS, mined, took } from "./chain.ts";
import { word } from "./choices.ts";
import type { GraphReader } from "./GraphReader.ts";

const PLATFORM_LIST = 5;
const ANY_OF = 1;
const MEMBERS = ["platform 1", "platform 2", "platform 3", "platform 4"].map(id);
const LISTS = 2;

/** Two empty lists and expressions over them, which apps may name: a leaf for each, and either of them. */
export async function defineExpressions(endorsements: Endorsements, curator: Wallet): Promise<string[]> {
  const expressions: string[] = [];
  for (let list = 1; list <= LISTS; list++) {
    await mined(endorsements.createList(curator.address, GAS));
    await mined(endorsements.defineExpression(PLATFORM_LIST, [word(list)], GAS));
    expressions.push(expressionId(PLATFORM_LIST, [word(list)]));
  }
  const terms = expressions.toSorted();
  await mined(endorsements.defineExpression(ANY_OF, terms, GAS));
  return [...expressions, expressionId(ANY_OF, terms)];
}

/** One random change of a list by its curator, or by somebody who may not be. */
export async function curate(
  endorsements: Endorsements,
  accounts: readonly Wallet[],
  random: Random,
): Promise<boolean> {
  const list = word(1 + random.below(LISTS));
  const curator = await endorsements.curatorOf(list);
  const known = accounts.filter(({ address }) => address === curator);
  const by = endorsements.connect(random.pick(random.chance(0.8) ? known : accounts));
  if (random.chance(0.1)) return took(by.setCurator(list, random.pick(accounts).address, GAS));
  if (random.chance(0.2)) return took(by.setRoot(list, rootOf(random.pick(MEMBERS)), GAS));
  if (random.chance(0.2)) return took(endorsements.enter(list, random.pick(MEMBERS), [], GAS));
  const members = MEMBERS.filter(() => random.chance(0.5));
  return took(by.curate(list, members, random.chance(0.5), GAS));
}

/** A random set of advisories, sometimes one that is published already. */
export async function publish(sets: AdvisorySets, random: Random): Promise<boolean> {
  const ids = ["INTEL-SA-00001", "INTEL-SA-00002", "INTEL-SA-00837"].filter(() => random.chance(0.5));
  return took(sets.publish(ids, GAS));
}

/** Holds every list, expression and set to the contracts' answers after the same block. */
export async function compareCuration(
  graph: GraphReader,
  { endorsements, sets }: { readonly endorsements: Endorsements; readonly sets: AdvisorySets },
  blockTag: number,
): Promise<void> {
  const found = await graph.at<{
    endorsementLists: { id: string; curator: string | null; members: string[]; root: string }[];
    expressions: { id: string; op: number; terms: string[] }[];
    advisorySets: { id: string; ids: string[] }[];
  }>(
    blockTag,
    `{ endorsementLists(block: AT) { id curator members root }
       expressions(block: AT) { id op terms }
       advisorySets(block: AT) { id ids } }`,
  );
  expect(found.endorsementLists).to.have.length(LISTS);
  for (const { id: list, curator, members, root } of found.endorsementLists) {
    expect(await endorsements.rootOf(list, { blockTag })).to.equal(root);
    expect(await endorsements.curatorOf(list, { blockTag })).to.equal(getAddress(curator ?? ZeroAddress));
    for (const member of MEMBERS) {
      expect(await endorsements.isListed(list, member, { blockTag })).to.equal(members.includes(member));
    }
  }
  expect(found.expressions).to.have.length(LISTS + 1);
  for (const { id: expression, op, terms } of found.expressions) {
    expect([...(await endorsements.expression(expression, { blockTag }))]).to.deep.equal([BigInt(op), terms]);
  }
  const published = await sets.queryFilter(sets.filters.AdvisorySetPublished());
  expect(found.advisorySets).to.have.length(published.length);
  for (const { id: digest, ids } of found.advisorySets) {
    expect(await sets.idsOf(digest, { blockTag })).to.deep.equal(ids.map(id));
  }
}

/** Root of a tree with one leaf. */
const rootOf = (member: string): string =>
  keccak256(keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32"], [member])));

const expressionId = (op: number, terms: readonly string[]): string =>
  keccak256(AbiCoder.defaultAbiCoder().encode(["uint8", "bytes32[]"], [op, terms]));
