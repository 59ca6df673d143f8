import type { FastifyBaseLogger } from "fastify";
import { GraphQLError, parse } from "graphql";
import type { ExecutionArgs, GraphQLErrorOptions, GraphQLSchema, ParseOptions } from "graphql";
import { createYoga } from "graphql-yoga";
import type { Plugin } from "graphql-yoga";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { limitName } from "../limits/clientAddress.ts";
import { RateLimiter } from "../limits/RateLimiter.ts";
import { MAX_COST, requireCost } from "./cost.ts";
import { introspectionLimits } from "./introspection.ts";
import { operationLimits } from "./limits.ts";
import type { GraphqlHandler } from "./route.ts";

/** Several times what tools' introspection has; what a long text of small words costs to check grows with its square. */
const MAX_TOKENS = 2_500;
/** A hundred of the largest operations: some seconds of this process. */
const MAX_COST_PER_MINUTE = 100 * MAX_COST;

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

/** Who asks; absent in tests of a schema alone. */
export interface Asker {
  /** What its requests are counted against. */
  readonly address?: string;
}

/** Lets through what is small enough, and of one address no more than its budget for a minute. */
function limits(budget: RateLimiter): Plugin<Asker> {
  /** The refusal; undefined for all others. */
  const refusal = (args: ExecutionArgs): GraphQLError | undefined => {
    const { address } = args.contextValue as Asker;
    try {
      const cost = requireCost(args);
      if (address === undefined) return undefined;
      const retryAfterSeconds = budget.waitSeconds(address);
      if (retryAfterSeconds > 0) {
        return new GraphQLError("too much was asked for; wait before the next", {
          extensions: { code: "api/too-many-requests", retryAfterSeconds },
        });
      }
      budget.count(address, 1 + cost);
      return undefined;
    } catch (error) {
      if (error instanceof GraphQLError) return error;
      throw error;
    }
  };
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string, options?: ParseOptions) =>
        parse(source, { ...options, maxTokens: MAX_TOKENS }),
      );
    },
    onValidate({ addValidationRule }) {
      addValidationRule(operationLimits);
      addValidationRule(introspectionLimits);
    },
    onExecute({ args, setResultAndStopExecution }) {
      const error = refusal(args);
      if (error) setResultAndStopExecution({ errors: [error] });
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const error = refusal(args);
      if (error) setResultAndStopExecution({ errors: [error] });
    },
  };
}

/**
 * Answers questions to a schema; subscriptions as server-sent events. No CORS: the explorer is of the same origin.
 * @param maxCostPerMinute what one address may ask for, as `operationCost` counts it.
 */
export function graphqlHandler(
  logger: FastifyBaseLogger,
  schema: GraphQLSchema,
  maxCostPerMinute = MAX_COST_PER_MINUTE,
): GraphqlHandler {
  const budget = new RateLimiter({ max: maxCostPerMinute, windowSeconds: 60 });
  const yoga = createYoga<Asker>({
    schema,
    graphqlEndpoint: "/graphql",
    landingPage: false,
    graphiql: false,
    batching: false,
    parserAndValidationCache: false, // A thousand texts that strangers made up, and what was read of them, are 300 MiB.
    cors: false,
    logging: false,
    maskedErrors: { maskError: (error) => maskError(logger, error) },
    plugins: [limits(budget)],
  });
  return (request, reply) =>
    yoga.handleNodeRequestAndResponse(request, reply, { address: limitName(request.ip) });
}
