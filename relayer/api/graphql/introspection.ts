import { GraphQLError, Kind } from "graphql";
import type { FieldNode, FragmentDefinitionNode, SelectionSetNode, ValidationRule } from "graphql";

/** Several times what tools ask for, with every fragment where it is spread. */
const MAX_FIELDS = 1_000;
const ROOTS: ReadonlySet<string> = new Set(["__schema", "__type"]);
/** Lists of a type that lead to further types. */
const LISTS: ReadonlySet<string> = new Set(["fields", "inputFields", "interfaces", "possibleTypes"]);

/**
 * Introspection as tools ask for it, once. Its answer is as large as the schema, whatever `first` says; by aliases, or by
 * types of fields of types, it would be that many times over.
 */
export const introspectionLimits: ValidationRule = (context) => {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of context.getDocument().definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }

  /** What is selected here, also by fragments; each fragment once, which is enough to see what it holds. */
  function* fieldsOf(set: SelectionSetNode, seen = new Set<string>()): Generator<FieldNode> {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) yield selection;
      else if (selection.kind === Kind.INLINE_FRAGMENT) yield* fieldsOf(selection.selectionSet, seen);
      else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const fragment = fragments.get(selection.name.value);
        if (fragment) yield* fieldsOf(fragment.selectionSet, seen);
      }
    }
  }

  let left = MAX_FIELDS; // Fragments that spread themselves end here, too.
  const isPlain = (set: SelectionSetNode | undefined, isInList = false): boolean => {
    if (set === undefined) return true;
    for (const { name, alias, selectionSet } of fieldsOf(set)) {
      if (left-- <= 0) return false;
      if (alias !== undefined && alias.value !== name.value) return false;
      const isList = LISTS.has(name.value);
      if (isList && isInList) return false;
      if (!isPlain(selectionSet, isInList || isList)) return false;
    }
    return true;
  };

  return {
    OperationDefinition(operation) {
      const asked = [...fieldsOf(operation.selectionSet)].filter(({ name }) => ROOTS.has(name.value));
      const names = new Set(asked.map(({ name }) => name.value));
      const isOnce =
        names.size === asked.length &&
        asked.every(({ name, alias }) => alias === undefined || alias.value === name.value);
      if (isOnce && asked.every(({ selectionSet }) => isPlain(selectionSet))) return;
      context.reportError(
        new GraphQLError("the schema may be asked for once, without aliases and types of types", {
          nodes: operation,
          extensions: { code: "api/query-too-large" },
        }),
      );
    },
  };
};
