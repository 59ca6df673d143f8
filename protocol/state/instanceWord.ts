import { fromHex, type Bytes32 } from "../words/hex.ts";
import type { InstanceState } from "./types.ts";

/** What one word says of an instance (contracts/attestation/InstanceWord.sol). */
export type UnpackedInstance = Pick<
  InstanceState,
  | "release"
  | "node"
  | "kind"
  | "status"
  | "simulated"
  | "gpu"
  | "proofSystems"
  | "evidenceBlock"
  | "expiresAt"
  | "record"
> & { readonly image: number };

const SIMULATED = 1;
const GPU = 2;
const KEEPS_DIGEST = 4;

/** The ledger's word → its parts. */
export function unpackInstance(word: Bytes32): UnpackedInstance {
  const bytes = fromHex(word);
  const number = (from: number, to: number): number =>
    bytes.subarray(from, to).reduce((value, byte) => value * 256 + byte, 0);
  const flags = number(14, 15);
  return {
    release: number(0, 4),
    node: number(4, 8),
    image: number(8, 12),
    kind: number(12, 13) as InstanceState["kind"],
    status: number(13, 14) as InstanceState["status"],
    simulated: (flags & SIMULATED) !== 0,
    gpu: (flags & GPU) !== 0,
    proofSystems: number(15, 16),
    evidenceBlock: BigInt(number(16, 21)),
    expiresAt: number(21, 26),
    record: number(26, 30),
  };
}

/** Facts of a leaf: what a committee says, before the ledger adds who has proven it. */
export interface LeafFacts extends Pick<
  InstanceState,
  "release" | "node" | "kind" | "status" | "simulated" | "gpu" | "evidenceBlock" | "expiresAt"
> {
  readonly image: number;
  /** Keeps the evidence digest, so that proofs of other systems can be combined with this one. */
  readonly combines: boolean;
}

/** Equal to the ledger's `packFacts`. */
export function packFacts(facts: LeafFacts): Bytes32 {
  const hex = (value: number | bigint, bytes: number): string => value.toString(16).padStart(bytes * 2, "0");
  const flags =
    (facts.simulated ? SIMULATED : 0) | (facts.gpu ? GPU : 0) | (facts.combines ? KEEPS_DIGEST : 0);
  return `0x${[
    hex(facts.release, 4),
    hex(facts.node, 4),
    hex(facts.image, 4),
    hex(facts.kind, 1),
    hex(facts.status, 1),
    hex(flags, 1),
    hex(0, 1),
    hex(facts.evidenceBlock, 5),
    hex(facts.expiresAt, 5),
    hex(0, 6),
  ].join("")}` as Bytes32;
}

/** A leaf's facts → its parts, equal again when packed; whatever does not fit there is not kept. */
export function unpackFacts(word: Bytes32): LeafFacts {
  const { release, node, image, kind, status, simulated, gpu, evidenceBlock, expiresAt } =
    unpackInstance(word);
  const combines = ((fromHex(word)[14] ?? 0) & KEEPS_DIGEST) !== 0;
  return { release, node, image, kind, status, simulated, gpu, combines, evidenceBlock, expiresAt };
}
