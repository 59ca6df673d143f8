import { fromHex, type Bytes32 } from "../words/hex.ts";
import type { Keccak256 } from "./keccak.ts";

/** An inner node of a Merkle tree of commutative pairs, as OpenZeppelin's `Hashes.commutativeKeccak256` makes it. */
export const pairHash = (a: Bytes32, b: Bytes32, keccak: Keccak256): Bytes32 =>
  a < b ? keccak(fromHex(a), fromHex(b)) : keccak(fromHex(b), fromHex(a));
