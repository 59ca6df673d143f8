import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { makeExecutableSchema } from "@graphql-tools/schema";
import { expect } from "chai";
import Fastify from "fastify";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { graphqlRoute } from "../../../relayer/api/graphql/route.ts";
import { graphqlHandler } from "../../../relayer/api/graphql/yoga.ts";

interface Body {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { message: string; path?: string[]; extensions?: { code?: string } }[];
}

describe("POST /graphql", () => {
  const server = Fastify();
  before(() => {
    const schema = makeExecutableSchema({
      typeDefs: "type Query { fine: Int defect: Int refused: Int deep: Query }",
      resolvers: {
        Query: {
          fine: () => 1,
          deep: () => ({}),
          defect: () => {
            throw new TypeError("password of 10.0.0.7 is hunter2");
          },
          refused: () => {
            throw new CharterError("chain/not-ready", "the chain has not been followed yet", {
              secret: "hunter2",
            });
          },
        },
      },
    });
    graphqlRoute(server, () => Promise.resolve(graphqlHandler(server.log, schema)));
  });
  after(() => server.close());

  const ask = async (query: string) => {
    const response = await server.inject({
      method: "POST",
      url: "/graphql",
      headers: { "content-type": "application/json", origin: "http://elsewhere.test" },
      payload: JSON.stringify({ query }),
    });
    return { response, body: response.json<Body>() };
  };

  it("tells a typed error's code and sentence, and nothing more", async () => {
    const { response, body } = await ask("{ fine refused }");
    expect(body.data).to.deep.equal({ fine: 1, refused: null });
    expect(body.errors?.[0]?.extensions).to.deep.equal({ code: "chain/not-ready" });
    expect(body.errors?.[0]?.path).to.deep.equal(["refused"]);
    expect(response.body).not.to.contain("hunter2");
  });

  it("masks everything else", async () => {
    const { response, body } = await ask("{ fine defect }");
    expect(body.data).to.deep.equal({ fine: 1, defect: null });
    expect(body.errors?.[0]?.extensions?.code).to.equal("api/internal");
    expect(response.body).not.to.contain("hunter2");
  });

  it("refuses operations that are too deep", async () => {
    const { body } = await ask(`{ ${"deep {".repeat(8)} fine ${"}".repeat(8)} }`);
    expect(body.errors?.[0]?.extensions?.code).to.equal("api/query-too-large");
  });

  it("refuses operations of very many words", async () => {
    const { body } = await ask(`{ ${"fine ".repeat(3_000)} }`);
    expect(body.errors?.[0]?.extensions?.code).to.equal("GRAPHQL_PARSE_FAILED");
  });

  it("keeps nothing of what strangers ask", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const used = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const made = (n: number) =>
      `{ ${Array.from({ length: 1_500 }, (_, i) => `a${n}b${i}: fine`).join(" ")} }`;
    await ask(made(0));
    const before = used();
    for (let n = 1; n <= 200; n++) await ask(made(n));
    expect((used() - before) / 1e6).to.be.below(15);
  });

  it("refuses the schema many times over", async () => {
    const { body } = await ask("{ a: __schema { types { name } } b: __schema { types { name } } }");
    expect(body.errors?.[0]?.extensions?.code).to.equal("api/query-too-large");
  });

  it("refuses bodies above the limit", async () => {
    const { response } = await ask(`{ fine } # ${"x".repeat(40_000)}`);
    expect(response.statusCode).to.equal(413);
  });

  it("lets no other origin read", async () => {
    const { response } = await ask("{ fine }");
    expect(response.statusCode).to.equal(200);
    expect(response.headers["access-control-allow-origin"]).to.equal(undefined);
  });
});
