import { buildHTTPExecutor } from "@graphql-tools/executor-http";
import type { SubschemaConfig } from "@graphql-tools/delegate";
import type { ExecutionRequest, ExecutionResult, MaybeAsyncIterable } from "@graphql-tools/utils";
import { buildASTSchema, GraphQLError, Kind, parse, visit } from "graphql";
import type { DocumentNode } from "graphql";

interface Options {
  /** SDL that graph-node serves for our subgraph (relayer/api/subgraph.graphql). */
  readonly sdl: string;
  readonly url: string;
  readonly timeoutMs?: number;
  readonly fetch?: typeof globalThis.fetch;
  readonly onFailure?: (cause: unknown) => void;
}

/**
 * The indexed half of the schema, from the committed SDL: the relayer starts without graph-node, and graph-node's being
 * away takes nothing but its own fields. Those are nullable here for that reason, and subscriptions are left out.
 */
export function subgraphSubschema({
  sdl,
  url,
  timeoutMs = 5_000,
  fetch,
  onFailure,
}: Options): SubschemaConfig {
  const send = buildHTTPExecutor({ endpoint: url, timeout: timeoutMs, ...(fetch && { fetch }) });
  return {
    schema: buildASTSchema(withNullableRoots(parse(sdl)), { assumeValidSDL: true }),
    executor: async (request: ExecutionRequest): Promise<MaybeAsyncIterable<ExecutionResult>> => {
      try {
        const result = (await send(request)) as ExecutionResult;
        if (result.errors === undefined || result.errors.length === 0) return result;
        onFailure?.(result.errors);
      } catch (cause) {
        onFailure?.(cause);
      }
      // Whatever a service behind us says (its addresses, its internals) stays in the log.
      const message = "the indexed part is not available now; live fields are";
      return { errors: [new GraphQLError(message, { extensions: { code: "subgraph/unavailable" } })] };
    },
  };
}

function withNullableRoots(document: DocumentNode): DocumentNode {
  return visit(document, {
    ObjectTypeDefinition: (type) => {
      if (type.name.value === "Subscription") return null;
      if (type.name.value !== "Query") return undefined;
      return {
        ...type,
        fields: (type.fields ?? []).map((field) =>
          field.type.kind === Kind.NON_NULL_TYPE ? { ...field, type: field.type.type } : field,
        ),
      };
    },
    SchemaDefinition: (schema) => ({
      ...schema,
      operationTypes: schema.operationTypes.filter(({ type }) => type.name.value === "Query"),
    }),
  });
}
