import { concat, keccak256 } from "ethers";

const pairHash = (a: string, b: string): string =>
  keccak256(BigInt(a) < BigInt(b) ? concat([a, b]) : concat([b, a]));

/** A tree over these leaf hashes, in their order, pairs sorted: its root, and each leaf's path. One left over moves up. */
export function merkleTree(leaves: readonly string[]): { root: string; proofs: string[][] } {
  const proofs: string[][] = leaves.map(() => []);
  let level = leaves.map((hash, index) => ({ hash, below: [index] }));
  while (level.length > 1) {
    const above: typeof level = [];
    for (let i = 0; i < level.length; i += 2) {
      const [left, right] = [level[i], level[i + 1]];
      if (!left) break;
      if (!right) above.push(left);
      else {
        for (const index of left.below) proofs[index]?.push(right.hash);
        for (const index of right.below) proofs[index]?.push(left.hash);
        above.push({ hash: pairHash(left.hash, right.hash), below: [...left.below, ...right.below] });
      }
    }
    level = above;
  }
  const [top] = level;
  if (!top) throw new Error("a tree without leaves has no root");
  return { root: top.hash, proofs };
}
