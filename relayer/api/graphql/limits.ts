import { GraphQLError, Kind } from "graphql";
import type { FragmentDefinitionNode, SelectionSetNode, ValidationRule } from "graphql";

/** Our deepest useful query is apps → releases → (one level more); introspection has its own limits. */
export const MAX_DEPTH = 8;
/** Fields of a whole operation, fragments expanded: bounds aliases too. */
export const MAX_FIELDS = 500;

interface Size {
  readonly depth: number;
  readonly fields: number;
}

/** Refuses operations that are deeper or wider than any reader of ours needs. Fragments are measured once each. */
export const operationLimits: ValidationRule = (context) => {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of context.getDocument().definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const measured = new Map<string, Size>();

  const sizeOfFragment = (name: string): Size => {
    const known = measured.get(name);
    if (known !== undefined) return known;
    measured.set(name, { depth: 0, fields: 0 }); // A cycle ends here; another rule reports it.
    const fragment = fragments.get(name);
    const size = fragment === undefined ? { depth: 0, fields: 0 } : sizeOf(fragment.selectionSet);
    measured.set(name, size);
    return size;
  };

  const sizeOf = (set: SelectionSetNode | undefined): Size => {
    let depth = 0;
    let fields = 0;
    for (const selection of set?.selections ?? []) {
      let inner: Size;
      if (selection.kind === Kind.FIELD) {
        if (selection.name.value === "__schema" || selection.name.value === "__type") continue;
        const below = sizeOf(selection.selectionSet);
        inner = { depth: below.depth + 1, fields: below.fields + 1 };
      } else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        inner = sizeOfFragment(selection.name.value);
      } else {
        inner = sizeOf(selection.selectionSet);
      }
      depth = Math.max(depth, inner.depth);
      fields += inner.fields;
    }
    return { depth, fields };
  };

  return {
    OperationDefinition(operation) {
      const { depth, fields } = sizeOf(operation.selectionSet);
      if (depth <= MAX_DEPTH && fields <= MAX_FIELDS) return;
      context.reportError(
        new GraphQLError(`at most ${MAX_DEPTH} levels and ${MAX_FIELDS} fields may be asked for at once`, {
          nodes: operation,
          extensions: { code: "api/query-too-large" },
        }),
      );
    },
  };
};
