import { makeExecutableSchema } from "@graphql-tools/schema";
import { expect } from "chai";
import { getIntrospectionQuery, graphql, parse, validate } from "graphql";

import { introspectionLimits } from "../../../relayer/api/graphql/introspection.ts";
import { operationLimits } from "../../../relayer/api/graphql/limits.ts";
import { subgraphSubschema } from "../../../relayer/api/graphql/subgraphSchema.ts";
import { stitchedSchema } from "../../../relayer/api/graphql/stitchedSchema.ts";

const SDL = `
  scalar Bytes
  type App { id: Bytes! releases: [Release!]! }
  type Release { number: Int! }
  type Query { apps(first: Int = 100, where: App_filter): [App!]! app(id: ID!): App }
  input App_filter { id_in: [ID!] }
  type Subscription { apps: [App!]! }
`;

const live = makeExecutableSchema({
  typeDefs: `
    scalar Bytes
    type App { id: Bytes! live: Int }
    type Query { health: String! liveApps(ids: [ID!], first: Int): [App!]! }`,
  resolvers: { Query: { health: () => "ok" } },
});

function fixture(answer: () => Response | Promise<Response>) {
  const failures: unknown[] = [];
  const asked: string[] = [];
  const subgraph = subgraphSubschema({
    sdl: SDL,
    url: "http://graph.test",
    onFailure: (cause) => failures.push(cause),
    fetch: async (_url, init) => {
      asked.push(init?.body as string);
      return answer();
    },
  });
  const schema = stitchedSchema(live, subgraph);
  return { schema, failures, asked, query: (source: string) => graphql({ schema, source }) };
}

describe("stitched schema", () => {
  it("answers live and indexed fields in one query", async () => {
    const { query, asked } = fixture(() => Response.json({ data: { apps: [{ id: "0xaa", releases: [] }] } }));
    const { data, errors } = await query("{ health apps(first: 2) { id releases { number } } }");
    expect(errors).to.equal(undefined);
    expect(JSON.parse(JSON.stringify(data))).to.deep.equal({
      health: "ok",
      apps: [{ id: "0xaa", releases: [] }],
    });
    expect(asked).to.have.length(1);
  });

  const failing: Record<string, () => Response | Promise<Response>> = {
    "is not there": () => Promise.reject(new TypeError("connect ECONNREFUSED 10.0.0.7:8000")),
    "answers an error": () => Response.json({ errors: [{ message: "database 10.0.0.7 is gone" }] }),
    "answers 500": () => new Response("stack at 10.0.0.7", { status: 500 }),
  };
  for (const [what, answer] of Object.entries(failing)) {
    it(`answers live fields when graph-node ${what}, and tells nothing of it`, async () => {
      const { query, asked, failures } = fixture(answer);
      const { data, errors } = await query("{ health apps { id } }");
      expect(JSON.parse(JSON.stringify(data))).to.deep.equal({ health: "ok", apps: null });
      expect(errors?.[0]?.extensions["code"]).to.equal("subgraph/unavailable");
      expect(JSON.stringify(errors)).not.to.contain("10.0.0.7");
      expect(failures).to.have.length(1);
      expect(asked).to.have.length(1);
    });
  }

  it("leaves subscriptions out", () => {
    expect(fixture(() => Response.json({})).schema.getSubscriptionType() ?? null).to.equal(null);
  });
});

describe("operation limits", () => {
  const deep = (levels: number) => `${"a{".repeat(levels)}b${"}".repeat(levels)}`;
  const schema = makeExecutableSchema({ typeDefs: "type Query { a: Query b: String }" });
  const problems = (source: string) => validate(schema, parse(source), [operationLimits]).length;

  it("let useful operations pass", () => {
    expect(problems(`{ ${deep(7)} }`)).to.equal(0);
  });

  const refused: Record<string, string> = {
    "an operation that is too deep": `{ ${deep(8)} }`,
    "depth hidden in fragments": `{ ${"a{".repeat(5)}...F${"}".repeat(5)} } fragment F on Query { ${deep(4)} }`,
    "too many aliases": `{ ${Array.from({ length: 501 }, (_, n) => `x${n}: b`).join(" ")} }`,
    "fragments that double each other":
      "{ ...F0 } " +
      Array.from({ length: 12 }, (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`).join(
        " ",
      ) +
      " fragment F12 on Query { b }",
  };
  for (const [what, source] of Object.entries(refused)) {
    it(`refuse ${what}`, () => expect(problems(source)).to.equal(1));
  }

  it("end on fragments that spread themselves", () => {
    expect(problems("{ ...F } fragment F on Query { b ...F }")).to.equal(0);
  });
});

describe("introspection limits", () => {
  const schema = makeExecutableSchema({ typeDefs: "type Query { a: Query b: String }" });
  const problems = (source: string) => validate(schema, parse(source), [introspectionLimits]).length;

  it("let tools' own question pass, and that for one type", () => {
    expect(problems(getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true }))).to.equal(0);
    expect(problems('{ __type(name: "Query") { fields { name type { name ofType { name } } } } }')).to.equal(
      0,
    );
    expect(problems("{ b }")).to.equal(0);
  });

  const doubling = Array.from(
    { length: 30 },
    (_, n) => `fragment F${n} on __Type { a { ...F${n + 1} } b { ...F${n + 1} } }`,
  );
  const refused: Record<string, string> = {
    "the schema twice": "{ a: __schema { types { name } } b: __schema { types { name } } }",
    "one type under many names": '{ a: __type(name: "Query") { name } b: __type(name: "Int") { name } }',
    "types under many names": "{ __schema { a: types { name } b: types { name } } }",
    "aliases in fragments": "{ __schema { ...F } } fragment F on __Schema { a: types { name } }",
    "types of fields of types": "{ __schema { types { fields { type { fields { name } } } } } }",
    "the same by fragments":
      "{ ...R } fragment R on Query { __schema { types { ...T } } } fragment T on __Type { fields { type { ...U } } } fragment U on __Type { inputFields { name } }",
    "fragments that double each other": `{ __schema { types { ...F0 } } } ${doubling.join(" ")} fragment F30 on __Type { name }`,
    "fragments that spread themselves":
      "{ __schema { types { ...F } } } fragment F on __Type { ofType { ...F } }",
  };
  for (const [what, source] of Object.entries(refused)) {
    it(`refuse ${what}`, () => expect(problems(source)).to.equal(1));
  }
});
