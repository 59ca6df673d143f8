import { expect } from "chai";
import { keccak256, toHex, toRlp } from "viem";

import { provenValue, trieProof, trieRoot } from "../../../protocol/proof/trie.ts";
import type { Hex } from "../../../protocol/words/hex.ts";
import { random } from "../../support/random.ts";
import { refusalOf } from "../../support/refusal.ts";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const text = (value: string): Hex => toHex(value);

describe("Merkle-Patricia trie", () => {
  it("has the roots that Ethereum's own test vectors give", () => {
    expect(trieRoot([])).to.equal("0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    const puppy = [
      ["do", "verb"],
      ["horse", "stallion"],
      ["doge", "coin"],
      ["dog", "puppy"],
    ].map(([key, value]) => ({ key: text(key as string), value: text(value as string) }));
    expect(trieRoot(puppy)).to.equal("0x5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84");
    const foo = ["foo", "food"].map((key, index) => ({
      key: text(key),
      value: text(index === 0 ? "bar" : "bass"),
    }));
    expect(trieRoot(foo)).to.equal("0x17beaa1648bafa633cda809c90c04af50fc8aed3cb40d16efbddee6fdf63c4c3");
  });

  it(`proves every entry and no other, at any size (SEED=${seed})`, () => {
    const next = random(seed);
    for (const size of [1, 2, 15, 16, 17, 40, 129, 300]) {
      const entries = Array.from({ length: size }, (_, index) => ({
        key: toRlp(index === 0 ? "0x" : toHex(index)),
        value: `0x${"ab".repeat(1 + next.below(120))}${index.toString(16).padStart(4, "0")}` as Hex,
      }));
      const root = trieRoot(entries);
      const which = next.pick(entries);
      const proof = trieProof(entries, which.key);
      expect(provenValue(root, which.key, proof)).to.equal(which.value);
      const other = entries.find(({ key }) => key !== which.key);
      if (other) expect(refusalOf(() => provenValue(root, other.key, proof))).to.equal("proof/invalid");
      expect(refusalOf(() => provenValue(root, which.key, [...proof, "0x80"]))).to.equal("proof/invalid");
      expect(refusalOf(() => provenValue(root, which.key, proof.slice(0, -1)))).to.equal("proof/invalid");
      expect(refusalOf(() => provenValue(keccak256(root), which.key, proof))).to.equal("proof/invalid");
      const at = next.below(proof.length);
      const flipped = proof.map((node, index) =>
        index === at ? (`${node.slice(0, -1)}${node.endsWith("0") ? "1" : "0"}` as Hex) : node,
      );
      expect(refusalOf(() => provenValue(root, which.key, flipped))).to.equal("proof/invalid");
    }
  });
});
