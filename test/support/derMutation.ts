import type { Random } from "./random.ts";

/** A DER element as a tree: what a mutation works on, so that all lengths around it stay right. */
export interface DerNode {
  tag: number;
  /** Of a constructed element, or of an OCTET or BIT STRING that holds whole elements. */
  children: DerNode[] | null;
  /** What stands before the children: the unused bits of a BIT STRING. */
  head: Uint8Array;
  content: Uint8Array;
  /** Length bytes more than DER allows. */
  longer: number;
}

const isConstructed = (tag: number): boolean => (tag & 0x20) !== 0;
const NOTHING = new Uint8Array();

/** Elements that fill `bytes` exactly, or null. Lenient on purpose: mutated input comes back here. */
export function derTree(bytes: Uint8Array, depth = 0): DerNode[] | null {
  const nodes: DerNode[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const tag = bytes[offset++] as number;
    let length = bytes[offset++] ?? -1;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 3) return null;
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + (bytes[offset++] ?? Infinity);
    }
    if (length < 0 || offset + length > bytes.length) return null;
    nodes.push(nodeOf(tag, bytes.subarray(offset, offset + length), depth));
    offset += length;
  }
  return nodes;
}

function nodeOf(tag: number, content: Uint8Array, depth: number): DerNode {
  const node: DerNode = { tag, children: null, head: NOTHING, content, longer: 0 };
  if (depth > 16) return node;
  const skipped = tag === 0x03 ? 1 : 0;
  const mayHold = isConstructed(tag) || tag === 0x03 || tag === 0x04;
  if (mayHold && content.length > skipped + 1) {
    node.children = derTree(content.subarray(skipped), depth + 1);
    node.head = content.subarray(0, skipped);
  }
  return node;
}

export function derBytes(node: DerNode): Buffer {
  const content = node.children
    ? Buffer.concat([node.head, ...node.children.map(derBytes)])
    : Buffer.from(node.content);
  return Buffer.concat([Buffer.of(node.tag), lengthBytes(content.length, node.longer), content]);
}

function lengthBytes(length: number, longer: number): Buffer {
  if (length < 0x80 && longer === 0) return Buffer.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  const padded = [...new Array<number>(longer).fill(0), ...bytes];
  return Buffer.of(0x80 | padded.length, ...padded);
}

/** Every node of the tree, with the list that it stands in. */
function placesOf(nodes: DerNode[]): { readonly list: DerNode[]; readonly at: number }[] {
  return nodes.flatMap((node, at) => [
    { list: nodes, at },
    ...(node.children ? placesOf(node.children) : []),
  ]);
}

const TAGS = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x31, 0xa0, 0xa3, 0x80];

type Mutation = (list: DerNode[], at: number, random: Random) => void;

const clone = (node: DerNode): DerNode => ({ ...node, children: node.children?.map(clone) ?? null });

/** A primitive's content replaced; what was read as elements inside it is its content again. */
const withContent = (node: DerNode, change: (content: Uint8Array) => Uint8Array): void => {
  const whole = node.children ? Buffer.concat([node.head, ...node.children.map(derBytes)]) : node.content;
  node.content = change(Uint8Array.from(whole));
  node.children = null;
};

const MUTATIONS: readonly Mutation[] = [
  (list, at) => void list.splice(at, 1),
  (list, at) => void list.splice(at, 0, clone(list[at] as DerNode)),
  (list, at, random) => {
    const other = random.below(list.length);
    [list[at], list[other]] = [list[other] as DerNode, list[at] as DerNode];
  },
  (list, at, random) => {
    (list[at] as DerNode).tag = random.chance(0.5) ? random.pick(TAGS) : random.below(256);
  },
  (list, at, random) => {
    (list[at] as DerNode).longer = 1 + random.below(2);
  },
  (list, at, random) => {
    withContent(list[at] as DerNode, (content) => content.subarray(0, random.below(content.length + 1)));
  },
  (list, at, random) => {
    withContent(list[at] as DerNode, (content) => Buffer.concat([content, Buffer.of(random.below(256))]));
  },
  (list, at, random) => {
    withContent(list[at] as DerNode, (content) =>
      Buffer.concat([Buffer.of(random.pick([0, 0x80, 0xff])), content]),
    );
  },
  (list, at, random) => {
    withContent(list[at] as DerNode, (content) => {
      if (content.length > 0) content[random.below(content.length)] = random.below(256);
      return content;
    });
  },
  (list, at, random) => {
    const tag = random.pick(TAGS);
    const content = Uint8Array.from({ length: random.below(4) }, () => random.below(256));
    list.splice(at, 0, { tag, children: null, head: NOTHING, content, longer: 0 });
  },
];

/** DER changed in one place of its structure, with every length around it made right again. */
export function mutatedDer(der: Uint8Array, random: Random): Uint8Array {
  const tree = derTree(der);
  if (!tree || tree.length === 0) return der;
  const { list, at } = random.pick(placesOf(tree));
  random.pick(MUTATIONS)(list, at, random);
  return Buffer.concat(tree.map(derBytes));
}
