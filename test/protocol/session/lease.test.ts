import { SimpleMerkleTree, StandardMerkleTree } from "@openzeppelin/merkle-tree";
import { expect } from "chai";

import { leaseLeaf, leaseRoot, leaseTree, type Lease } from "../../../protocol/session/lease.ts";
import { parseAddress, parseBytes32, parseComposeHash } from "../../../protocol/words/hex.ts";
import { keccak256, keccakReady } from "../../../relayer/keccak.ts";
import { random } from "../../support/random.ts";
import { refusalOf } from "../../support/refusal.ts";

const TYPES = ["address", "address", "uint32", "bytes32", "bytes32", "uint32"];
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);

describe("a tick's leases as a tree", () => {
  before(async () => {
    console.log(`    SEED=${seed}`);
    await keccakReady;
  });

  const choice = random(seed);
  const hex = (bytes: number): string =>
    `0x${Array.from({ length: bytes }, () => choice.below(256).toString(16).padStart(2, "0")).join("")}`;
  const lease = (): Lease => ({
    app: parseAddress(hex(20)),
    key: parseAddress(hex(20)),
    release: choice.below(2 ** 32),
    composeHash: parseComposeHash(hex(32)),
    nonce: parseBytes32(hex(32)),
    maxSeconds: choice.below(2 ** 32),
  });
  const valuesOf = ({ app, key, release, composeHash, nonce, maxSeconds }: Lease) =>
    [app, key, release, composeHash, nonce, maxSeconds] as const;

  it("hashes a leaf as OpenZeppelin's library does, by either keccak", () => {
    for (let round = 0; round < 50; round++) {
      const one = lease();
      const expected = StandardMerkleTree.of([[...valuesOf(one)]], TYPES).leafHash([...valuesOf(one)]);
      expect(leaseLeaf(one)).to.equal(expected);
      expect(leaseLeaf(one, keccak256)).to.equal(expected);
    }
  });

  it("leads every leaf to the root, by either keccak, in pairs that OpenZeppelin's library verifies", () => {
    for (const count of [1, 2, 3, 5, 8, 13, 1 + choice.below(60)]) {
      const leaves = Array.from({ length: count }, () => leaseLeaf(lease()));
      const { root, paths } = leaseTree(leaves);
      expect(leaseTree(leaves, keccak256)).to.deep.equal({ root, paths });
      for (const [index, leaf] of leaves.entries()) {
        expect(leaseRoot(leaf, paths[index] ?? [])).to.equal(root);
        expect(SimpleMerkleTree.verify(root, leaf, paths[index] ?? [])).to.equal(true);
      }
    }
  });

  it("refuses no leaves, and a path that no tick can have", () => {
    expect(refusalOf(() => leaseTree([]))).to.equal("lease/no-leaves");
    const leaf = leaseLeaf(lease());
    expect(refusalOf(() => leaseRoot(leaf, Array<typeof leaf>(33).fill(leaf)))).to.equal(
      "lease/path-too-long",
    );
  });
});
