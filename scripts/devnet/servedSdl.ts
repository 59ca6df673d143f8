import { buildClientSchema, getIntrospectionQuery, printSchema, type IntrospectionQuery } from "graphql";

/** Where the relayer reads the stitched half's schema from. */
export const SDL_FILE = new URL("../../relayer/api/subgraph.graphql", import.meta.url);

/** SDL of what a graph-node endpoint serves. */
export async function servedSdl(url: string): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: getIntrospectionQuery() }),
  });
  const { data } = (await response.json()) as { data: IntrospectionQuery };
  return `${printSchema(buildClientSchema(data))}\n`;
}
