import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import { GraphQLError } from "graphql";
import type { GraphQLErrorOptions, GraphQLSchema } from "graphql";
import { createYoga } from "graphql-yoga";
import type { Plugin } from "graphql-yoga";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { costError } from "./cost.ts";
import { operationLimits } from "./limits.ts";

const MAX_QUERY_BYTES = 32_768;

/** The error that was thrown first: each schema that an error passes wraps it once more. */
function causeOf(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError !== undefined) cause = cause.originalError;
  return cause;
}

/**
 * What may be read of a failed field: a typed error's stable code and sentence; anything unexpected is masked and logged.
 * GraphQL's own refusals (syntax, validation, values) stay as they are.
 */
function maskError(logger: FastifyBaseLogger, error: unknown): GraphQLError {
  const cause = causeOf(error);
  if (cause instanceof GraphQLError) return error instanceof GraphQLError ? error : cause;
  const options: GraphQLErrorOptions = {};
  if (error instanceof GraphQLError) {
    if (error.path !== undefined) options.path = error.path;
    if (error.nodes !== undefined) options.nodes = error.nodes;
  }
  if (isCharterError(cause)) {
    return new GraphQLError(cause.message, { ...options, extensions: { code: cause.code } });
  }
  logger.error({ err: cause }, "a GraphQL field failed");
  return new GraphQLError("an internal failure", { ...options, extensions: { code: "api/internal" } });
}

const limits: Plugin = {
  onValidate({ addValidationRule }) {
    addValidationRule(operationLimits);
  },
  onExecute({ args, setResultAndStopExecution }) {
    const error = costError(args);
    if (error) setResultAndStopExecution({ errors: [error] });
  },
  onSubscribe({ args, setResultAndStopExecution }) {
    const error = costError(args);
    if (error) setResultAndStopExecution({ errors: [error] });
  },
};

/**
 * Mounts `POST /graphql`, and `GET` for what browsers' EventSource can send. Subscriptions are answered as server-sent
 * events. No CORS: the explorer is of the same origin.
 */
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
    method: ["GET", "POST"],
    bodyLimit: MAX_QUERY_BYTES,
    handler: (request, reply) => yoga.handleNodeRequestAndResponse(request, reply, {}),
  });
}
