import type { Library } from "../state/types.ts";
import type { Address, Bytes32, PlatformId } from "../words/hex.ts";

/** What an expression asks of a node (contracts/interfaces/IEndorsements.sol, same numbers). */
export const EndorsementOp = {
  None: 0,
  AnyOf: 1,
  AllOf: 2,
  Platform: 3,
  Operator: 4,
  PlatformList: 5,
  OperatorList: 6,
} as const;
export type EndorsementOp = (typeof EndorsementOp)[keyof typeof EndorsementOp];

/** The node that an expression is asked about; `operator` null where it is not known (dstack's boot info). */
export interface EndorsedNode {
  readonly platformId: PlatformId;
  readonly operator: Address | null;
}

/** The twin of `Endorsements.endorses`: false for an expression that nobody has defined. */
export function endorses(library: Library, id: Bytes32, node: EndorsedNode): boolean {
  const found = library.expressions.get(id);
  if (!found) return false;
  const { op, terms } = found;
  const each = (term: Bytes32) => endorses(library, term, node);
  const operator = node.operator === null ? null : padded(node.operator);
  const [term] = terms;
  if (term === undefined) return false;
  switch (op) {
    case EndorsementOp.AnyOf:
      return terms.some(each);
    case EndorsementOp.AllOf:
      return terms.every(each);
    case EndorsementOp.Platform:
      return term === node.platformId;
    case EndorsementOp.PlatformList:
      return library.lists.get(term)?.has(node.platformId) ?? false;
    case EndorsementOp.Operator:
      return term === operator;
    case EndorsementOp.OperatorList:
      return operator !== null && (library.lists.get(term)?.has(operator) ?? false);
    case EndorsementOp.None:
      return false;
  }
}

/** An address as lists and terms hold it: left-padded to 32 bytes. */
export const padded = (address: Address): Bytes32 => `0x${"00".repeat(12)}${address.slice(2)}` as Bytes32;
