import { getArgumentValues, Kind } from "graphql";
import type { FieldNode, GraphQLResolveInfo, SelectionSetNode } from "graphql";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { BlockRef } from "../../../protocol/state/types.ts";

/** The `block` argument of a root field: which block the reader asks about. */
export interface BlockHeight {
  readonly hash?: string | null;
  readonly number?: number | null;
  readonly number_gte?: number | null;
}

/**
 * The `block` that the root field above this place was asked with, null for none: what is fetched for parts of its answer
 * elsewhere must be of the same block.
 */
export function blockOf({
  path,
  operation,
  fragments,
  schema,
  variableValues,
}: GraphQLResolveInfo): BlockHeight | null {
  let root = path;
  while (root.prev !== undefined) root = root.prev;
  const type = schema.getRootType(operation.operation);
  const node = fieldByResponseKey(operation.selectionSet, String(root.key), fragments);
  const field = node && type?.getFields()[node.name.value];
  if (!node || !field) return null;
  return (getArgumentValues(field, node, variableValues)["block"] as BlockHeight | null | undefined) ?? null;
}

/** Validation has made sure that all fields of one response key have the same arguments: the first will do. */
function fieldByResponseKey(
  set: SelectionSetNode,
  key: string,
  fragments: GraphQLResolveInfo["fragments"],
): FieldNode | undefined {
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      if ((selection.alias ?? selection.name).value === key) return selection;
      continue;
    }
    const inner = selection.kind === Kind.INLINE_FRAGMENT ? selection : fragments[selection.name.value];
    const found = inner && fieldByResponseKey(inner.selectionSet, key, fragments);
    if (found) return found;
  }
  return undefined;
}

/**
 * Refuses what live state cannot answer: a question about a block that is not the newest one seen.
 * @throws CharterError `api/past-block`.
 */
export function requireNow(asked: BlockHeight | null | undefined, newest: BlockRef): void {
  if (!asked) return;
  const { hash, number, number_gte: atLeast } = asked;
  const isNow =
    (hash ?? newest.hash).toLowerCase() === newest.hash &&
    BigInt(number ?? newest.number) === newest.number &&
    BigInt(atLeast ?? 0) <= newest.number;
  if (isNow) return;
  throw new CharterError(
    "api/past-block",
    "live fields know the newest block only: leave them, or `block`, out",
    {
      expected: { number: Number(newest.number), hash: newest.hash },
      actual: { hash, number, number_gte: atLeast },
    },
  );
}
