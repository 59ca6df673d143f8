import { buildHTTPExecutor } from "@graphql-tools/executor-http";
import type { SubschemaConfig } from "@graphql-tools/delegate";
import type { ExecutionRequest, ExecutionResult, MaybeAsyncIterable } from "@graphql-tools/utils";
import { buildASTSchema, GraphQLError, Kind, parse, visit } from "graphql";
import type { DocumentNode, FieldDefinitionNode } from "graphql";

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
 * away takes nothing but its own fields. Roots, and fields of types that have parts elsewhere, are nullable here for that
 * reason; subscriptions are left out.
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
    schema: buildASTSchema(asStitched(parse(sdl)), { assumeValidSDL: true }),
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

/** Types whose parts live elsewhere too: what the subgraph cannot say now must not take the rest with it. */
const MERGED: ReadonlySet<string> = new Set(["App"]);
/** Roots that begin with live state, and take the subgraph's part by merging. */
const LIVE_ROOTS: ReadonlySet<string> = new Set(["app"]);

function asStitched(document: DocumentNode): DocumentNode {
  return visit(document, {
    ObjectTypeDefinition: (type) => {
      if (type.name.value === "Subscription") return null;
      if (type.name.value === "Query") {
        const roots = (type.fields ?? []).filter(({ name }) => !LIVE_ROOTS.has(name.value));
        return { ...type, fields: roots.map(nullable) };
      }
      if (!MERGED.has(type.name.value)) return undefined;
      return {
        ...type,
        fields: (type.fields ?? []).map((field) => (field.name.value === "id" ? field : nullable(field))),
      };
    },
    SchemaDefinition: (schema) => ({
      ...schema,
      operationTypes: schema.operationTypes.filter(({ type }) => type.name.value === "Query"),
    }),
  });
}

const nullable = (field: FieldDefinitionNode): FieldDefinitionNode =>
  field.type.kind === Kind.NON_NULL_TYPE ? { ...field, type: field.type.type } : field;
