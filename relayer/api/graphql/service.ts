import { readFileSync } from "node:fs";

import type { FastifyBaseLogger } from "fastify";

import { liveSchema, type LiveSource } from "./liveSchema.ts";
import type { GraphqlHandler } from "./route.ts";
import { stitchedSchema } from "./stitchedSchema.ts";
import { subgraphSubschema } from "./subgraphSchema.ts";
import { graphqlHandler } from "./yoga.ts";

interface Options {
  readonly logger: FastifyBaseLogger;
  readonly live: LiveSource;
  /** graph-node's, of our subgraph; without it the live half stands alone. */
  readonly subgraphUrl: string | undefined;
  readonly onSubgraphFailed: (cause: unknown) => void;
}

/** What stands behind /graphql: live state, and the subgraph's history where there is one. */
export function graphqlService({ logger, live, subgraphUrl, onSubgraphFailed }: Options): GraphqlHandler {
  const subgraph =
    subgraphUrl === undefined
      ? undefined
      : subgraphSubschema({
          sdl: readFileSync(new URL("../subgraph.graphql", import.meta.url), "utf8"),
          url: subgraphUrl,
          onFailure: onSubgraphFailed,
        });
  return graphqlHandler(logger, stitchedSchema(liveSchema(live), subgraph));
}
