import { stitchSchemas } from "@graphql-tools/stitch";
import type { SubschemaConfig } from "@graphql-tools/delegate";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import { GraphQLError } from "graphql";
import type { GraphQLErrorOptions, GraphQLSchema } from "graphql";
import { createYoga } from "graphql-yoga";
import type { Plugin } from "graphql-yoga";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { operationLimits } from "./limits.ts";

const MAX_QUERY_BYTES = 32_768;

/** One schema over live state and, where there is one, the subgraph's. */
export function stitchedSchema(live: GraphQLSchema, subgraph: SubschemaConfig | undefined): GraphQLSchema {
  return subgraph === undefined ? live : stitchSchemas({ subschemas: [{ schema: live }, subgraph] });
}

/** What may be read of a failed field: a typed error's code and sentence; anything else is masked and logged. */
function maskError(logger: FastifyBaseLogger, error: unknown): GraphQLError {
  const original = error instanceof GraphQLError ? (error.originalError ?? error) : error;
  if (original instanceof GraphQLError) return original;
  const options: GraphQLErrorOptions = {};
  if (error instanceof GraphQLError) {
    if (error.path !== undefined) options.path = error.path;
    if (error.nodes !== undefined) options.nodes = error.nodes;
  }
  if (isCharterError(original)) {
    return new GraphQLError(original.message, { ...options, extensions: { code: original.code } });
  }
  logger.error({ err: original }, "a GraphQL field failed");
  return new GraphQLError("an internal failure", { ...options, extensions: { code: "api/internal" } });
}

const limits: Plugin = {
  onValidate({ addValidationRule }) {
    addValidationRule(operationLimits);
  },
};

/** Mounts `POST /graphql`. No CORS: the explorer is of the same origin. */
export function graphqlRoutes(server: FastifyInstance, schema: GraphQLSchema): void {
  const yoga = createYoga({
    schema,
    graphqlEndpoint: "/graphql",
    landingPage: false,
    graphiql: false,
    batching: false,
    cors: false,
    logging: false,
    maskedErrors: { maskError: (error) => maskError(server.log, error) },
    plugins: [limits],
  });
  server.route({
    url: "/graphql",
    method: "POST",
    bodyLimit: MAX_QUERY_BYTES,
    handler: (request, reply) => yoga.handleNodeRequestAndResponse(request, reply, {}),
  });
}
