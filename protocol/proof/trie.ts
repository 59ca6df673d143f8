import { fromRlp, keccak256, toRlp } from "viem";

import { CharterError } from "../errors/CharterError.ts";
import type { Hex } from "../words/hex.ts";

/** An RLP structure: what `toRlp` takes and `fromRlp` gives. */
type Rlp = Hex | readonly Rlp[];

/** One entry of a Merkle-Patricia trie (Ethereum yellow paper, appendix D): key and value as bytes. */
export interface TrieEntry {
  readonly key: Hex;
  readonly value: Hex;
}

interface Item {
  readonly path: readonly number[];
  readonly value: Hex;
}

const EMPTY_ROOT = keccak256("0x80");

/** Root of the trie of these entries; keys must differ. */
export function trieRoot(entries: readonly TrieEntry[]): Hex {
  return entries.length === 0 ? EMPTY_ROOT : keccak256(encode(build(items(entries), 0)));
}

/** The nodes from the root to `key`, in order, each as RLP: what `provenValue` checks. */
export function trieProof(entries: readonly TrieEntry[], key: Hex): Hex[] {
  const proof: Hex[] = [];
  const path = nibblesOf(key);
  const nodes = new Map<Hex, Rlp>();
  let node = build(items(entries), 0, (hash, made) => nodes.set(hash, made));
  let depth = 0;
  for (;;) {
    // A node of less than 32 bytes lies inside its parent and needs no place of its own.
    if (proof.length === 0 || encode(node).length >= 66) proof.push(encode(node));
    const next = step(node, path, depth);
    if (next === null || next.kind === "value") return proof;
    depth = next.depth;
    node =
      typeof next.child === "string"
        ? (nodes.get(next.child) ?? fail("a node that was not built"))
        : next.child;
  }
}
/**
 * The value that a proof shows at `key` under `root`.
 * @throws CharterError `proof/invalid` for anything that is not exactly a proof of inclusion.
 */
export function provenValue(root: Hex, key: Hex, proof: readonly Hex[]): Hex {
  const path = nibblesOf(key);
  let depth = 0;
  let used = 0;
  const take = (hash: Hex): Rlp => {
    const raw = proof[used++];
    if (raw === undefined || keccak256(raw) !== hash) return fail("a node whose hash its parent names");
    return decode(raw);
  };
  let node = take(root);
  for (;;) {
    const next = step(node, path, depth);
    if (next === null) return fail("a path to the key");
    if (next.kind === "value") {
      if (used !== proof.length) return fail("no node beyond the value");
      return next.value;
    }
    depth = next.depth;
    node = typeof next.child === "string" ? take(next.child) : next.child;
  }
}

type Step =
  | { readonly kind: "value"; readonly value: Hex }
  | { readonly kind: "child"; readonly child: Hex | readonly Rlp[]; readonly depth: number };

/** Where a node leads for this path: its value, a child, or nowhere. */
function step(node: Rlp, path: readonly number[], depth: number): Step | null {
  if (typeof node === "string") return fail("a node, a list");
  if (node.length === 17) {
    const at = path[depth];
    const child = at === undefined ? node[16] : node[at];
    if (child === undefined || child === "0x") return null;
    if (at === undefined) return typeof child === "string" ? { kind: "value", value: child } : null;
    return { kind: "child", child, depth: depth + 1 };
  }
  const [prefix, rest] = node;
  if (node.length !== 2 || typeof prefix !== "string" || rest === undefined)
    return fail("a node of 2 or 17 items");
  const { nibbles, isLeaf } = unpack(prefix);
  if (nibbles.some((nibble, index) => path[depth + index] !== nibble)) return null;
  const end = depth + nibbles.length;
  if (!isLeaf) return { kind: "child", child: rest, depth: end };
  return end === path.length && typeof rest === "string" ? { kind: "value", value: rest } : null;
}

/** The node over these items, which share the path up to `depth`. `keep` hears of every node that has a hash. */
function build(list: readonly Item[], depth: number, keep?: (hash: Hex, node: Rlp) => void): Rlp {
  const [first, ...others] = list;
  if (!first) return "0x";
  if (others.length === 0) return [pack(first.path.slice(depth), true), first.value];
  let shared = depth;
  while (first.path[shared] !== undefined && others.every((item) => item.path[shared] === first.path[shared]))
    shared++;
  if (shared > depth) {
    return [pack(first.path.slice(depth, shared), false), reference(build(list, shared, keep), keep)];
  }
  const branch: Rlp[] = [];
  for (let nibble = 0; nibble < 16; nibble++) {
    const below = list.filter((item) => item.path[depth] === nibble);
    branch.push(below.length === 0 ? "0x" : reference(build(below, depth + 1, keep), keep));
  }
  branch.push(list.find((item) => item.path.length === depth)?.value ?? "0x");
  return branch;
}

/** How a parent holds a node: as it is when shorter than 32 bytes, else by its hash. */
function reference(node: Rlp, keep?: (hash: Hex, node: Rlp) => void): Rlp {
  const raw = encode(node);
  if (raw.length < 66) return node;
  const hash = keccak256(raw);
  keep?.(hash, node);
  return hash;
}

const items = (entries: readonly TrieEntry[]): Item[] =>
  entries.map(({ key, value }) => ({ path: nibblesOf(key), value }));
const nibblesOf = (key: Hex): number[] => Array.from(key.slice(2), (digit) => Number.parseInt(digit, 16));
const encode = (node: Rlp): Hex => toRlp(node as Hex);

/** Hex-prefix encoding: the first nibble tells leaf from extension and odd from even. */
function pack(nibbles: readonly number[], isLeaf: boolean): Hex {
  const flag = (isLeaf ? 2 : 0) + (nibbles.length % 2);
  const all = nibbles.length % 2 === 1 ? [flag, ...nibbles] : [flag, 0, ...nibbles];
  return `0x${all.map((nibble) => nibble.toString(16)).join("")}`;
}

function unpack(prefix: Hex): { nibbles: number[]; isLeaf: boolean } {
  const [flag, ...rest] = nibblesOf(prefix);
  if (flag === undefined || flag > 3) return fail("a hex-prefix of 0 to 3");
  if (flag % 2 === 0 && rest[0] !== 0) return fail("an even hex-prefix padded by zero");
  return { nibbles: flag % 2 === 1 ? rest : rest.slice(1), isLeaf: flag >= 2 };
}

function decode(raw: Hex): Rlp {
  try {
    return fromRlp(raw, "hex");
  } catch {
    return fail("RLP");
  }
}

function fail(expected: string): never {
  throw new CharterError("proof/invalid", `not a proof of inclusion: expected ${expected}`, { expected });
}
