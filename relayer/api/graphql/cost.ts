import {
  getArgumentValues,
  getNamedType,
  getVariableValues,
  GraphQLError,
  isCompositeType,
  isListType,
  isNonNullType,
  Kind,
} from "graphql";
import type {
  ExecutionArgs,
  FragmentDefinitionNode,
  GraphQLField,
  GraphQLNamedType,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionSetNode,
} from "graphql";

/** Objects that one operation may ask for at most, as its `first` arguments say. */
export const MAX_COST = 50_000;
/** What a list without a `first` argument is taken to hold. */
const UNBOUNDED = 100;
/** What is looked through for a field's answer, however little of it is asked for. */
const SEARCHED: Readonly<Record<string, number>> = {
  "Query.__schema": 1_000,
  "Query.__type": 100,
  "Query.allowedAt": 5_000, // Every event of the app, from the store.
  "Query.liveApps": 500,
  "Query.liveNodes": 500,
  "Query.liveInstances": 500,
  "Query.livePlacements": 500,
  "Query.liveLeases": 500,
  "LiveApp.instances": 100,
  "LiveApp.placements": 100,
  "LiveApp.leases": 100,
  "LiveApp.releases": 100,
};

interface Reading {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly variables: Readonly<Record<string, unknown>>;
  /** By fragment: validation has refused cycles, and each is measured once. */
  readonly measured: Map<FragmentDefinitionNode, number>;
}

/**
 * How many objects an operation may bring: 1 for an object, and for a list as many times what one element costs as its
 * `first` allows; where much is looked through for it, that is added. Leaves are free, since how many fields a type has is
 * known, but each further name for one of them costs 1.
 */
export function operationCost(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variables: Readonly<Record<string, unknown>> = {},
): number {
  // As execution will see them, with the operation's own defaults; what it refuses brings nothing.
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], { ...variables });
  const measured = new Map<FragmentDefinitionNode, number>();
  const reading = { schema, fragments, variables: coerced ?? variables, measured };
  const root = schema.getRootType(operation.operation);
  return root ? costOf(operation.selectionSet, root, reading) : 0;
}

function costOf(set: SelectionSetNode, type: GraphQLNamedType, reading: Reading): number {
  let cost = 0;
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      if (!selection.selectionSet) {
        if (selection.alias !== undefined && selection.alias.value !== selection.name.value) cost += 1;
        continue;
      }
      cost += SEARCHED[`${type.name}.${selection.name.value}`] ?? 0;
      const field = "getFields" in type ? type.getFields()[selection.name.value] : undefined;
      if (!field || !("args" in field)) continue;
      const named = getNamedType(field.type);
      if (!isCompositeType(named)) continue;
      cost += timesOf(field, selection, reading) * (1 + costOf(selection.selectionSet, named, reading));
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      cost += costOf(
        selection.selectionSet,
        conditionOf(selection.typeCondition?.name.value, type, reading),
        reading,
      );
    } else {
      const fragment = reading.fragments.get(selection.name.value);
      if (!fragment) continue;
      const known = reading.measured.get(fragment);
      const inner =
        known ??
        costOf(fragment.selectionSet, conditionOf(fragment.typeCondition.name.value, type, reading), reading);
      reading.measured.set(fragment, inner);
      cost += inner;
    }
  }
  return cost;
}

const conditionOf = (
  name: string | undefined,
  type: GraphQLNamedType,
  { schema }: Reading,
): GraphQLNamedType => (name === undefined ? undefined : schema.getType(name)) ?? type;

function timesOf(
  field: GraphQLField<unknown, unknown>,
  node: Parameters<typeof getArgumentValues>[1],
  { variables }: Reading,
): number {
  const type = isNonNullType(field.type) ? field.type.ofType : field.type;
  if (!isListType(type)) return 1;
  let first: unknown;
  try {
    const { first: given, last } = getArgumentValues(field, node, variables);
    first = given ?? last;
  } catch {
    return UNBOUNDED; // Execution refuses these arguments with its own words.
  }
  return typeof first === "number" ? Math.max(0, first) : UNBOUNDED;
}

/** What this operation costs. @throws GraphQLError `api/query-too-costly` where it may bring too much. */
export function requireCost({ schema, document, operationName, variableValues }: ExecutionArgs): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  let operation: OperationDefinitionNode | undefined;
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
    else if (definition.kind === Kind.OPERATION_DEFINITION) {
      if (operationName === undefined || operationName === null || definition.name?.value === operationName) {
        operation ??= definition;
      }
    }
  }
  const cost = operation ? operationCost(schema, operation, fragments, variableValues ?? {}) : 0;
  if (cost <= MAX_COST) return cost;
  throw new GraphQLError(`at most ${MAX_COST} objects may be asked for at once, and this asks for ${cost}`, {
    extensions: { code: "api/query-too-costly", expected: MAX_COST, actual: cost },
  });
}
