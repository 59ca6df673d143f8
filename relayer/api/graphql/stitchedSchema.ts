import { createMergedTypeResolver, stitchSchemas } from "@graphql-tools/stitch";
import type { MergedTypeConfig, SubschemaConfig } from "@graphql-tools/delegate";
import { Kind } from "graphql";
import type { GraphQLSchema, SelectionSetNode } from "graphql";

import { blockOf } from "./blockHeight.ts";
import type { BlockHeight } from "./blockHeight.ts";

interface Identified {
  readonly id: string;
}

/**
 * How the parts of apps that a subschema holds are fetched: all of one answer in one request, by their ids, as of the
 * block that the reader's own question named.
 */
function mergedById(
  fieldName: string,
  argumentsFor: (ids: readonly string[], block: BlockHeight | null) => Record<string, unknown>,
): MergedTypeConfig {
  return {
    selectionSet: "{ id }",
    fieldName,
    key: ({ id }: Identified) => id,
    resolve: (object, context, info, subschema, selectionSet, key, type): unknown => {
      const block = blockOf(info);
      const resolve = createMergedTypeResolver({
        fieldName,
        argsFromKeys: (ids) => argumentsFor(ids as string[], block),
        valuesFromResults: (results, ids) => {
          const found = new Map((results as Identified[]).map((one) => [one.id.toLowerCase(), one]));
          return (ids as string[]).map((id) => found.get(id.toLowerCase()) ?? null);
        },
      });
      return resolve?.(object, contextFor(context, block), info, subschema, withId(selectionSet), key, type);
    },
  };
}

/** Answers are told apart by id, whether or not the reader asked for it. */
const withId = (set: SelectionSetNode): SelectionSetNode => ({
  ...set,
  selections: [{ kind: Kind.FIELD, name: { kind: Kind.NAME, value: "id" } }, ...set.selections],
});

const contexts = new WeakMap<object, Map<string, object>>();

/**
 * Requests are put together per context, whatever their arguments: a context of its own for each block keeps those of two
 * blocks apart.
 */
function contextFor(context: object | undefined, block: BlockHeight | null): object {
  if (context === undefined) return {};
  const known = contexts.get(context) ?? new Map<string, object>();
  contexts.set(context, known);
  const key = JSON.stringify(block);
  const one = known.get(key) ?? (Object.create(context) as object);
  known.set(key, one);
  return one;
}

/**
 * One schema over live state and, where there is one, the subgraph's. `App` is one type of both: wherever an app appears,
 * its history and its live state can be asked for.
 */
export function stitchedSchema(live: GraphQLSchema, subgraph: SubschemaConfig | undefined): GraphQLSchema {
  if (subgraph === undefined) return live;
  const withBlock = (block: BlockHeight | null) => (block === null ? {} : { block });
  return stitchSchemas({
    subschemas: [
      {
        ...subgraph,
        merge: {
          App: mergedById("apps", (ids, block) => ({
            where: { id_in: ids },
            first: ids.length,
            ...withBlock(block),
          })),
        },
      },
      {
        schema: live,
        merge: {
          App: mergedById("liveApps", (ids, block) => ({ ids, first: ids.length, ...withBlock(block) })),
        },
      },
    ],
  });
}
