import { readFileSync } from "node:fs";

import { makeExecutableSchema } from "@graphql-tools/schema";
import { expect } from "chai";
import Fastify from "fastify";
import type { FastifyInstance } from "fastify";
import { graphql } from "graphql";

import { placements } from "../../../protocol/placement/placements.ts";
import type { BlockRef } from "../../../protocol/state/types.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import { Changes, MAX_STREAMS_PER_ADDRESS } from "../../../relayer/api/graphql/changes.ts";
import { MAX_COST } from "../../../relayer/api/graphql/cost.ts";
import { liveSchema } from "../../../relayer/api/graphql/liveSchema.ts";
import type { LiveSource } from "../../../relayer/api/graphql/liveSchema.ts";
import { stitchedSchema } from "../../../relayer/api/graphql/stitchedSchema.ts";
import { subgraphSubschema } from "../../../relayer/api/graphql/subgraphSchema.ts";
import { graphqlRoute } from "../../../relayer/api/graphql/route.ts";
import { graphqlHandler } from "../../../relayer/api/graphql/yoga.ts";
import type { GrantedLease } from "../../../relayer/leases/LeaseDesk.ts";
import { account, APP, History, word } from "../../protocol/state/builders.ts";

interface Body {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

const OTHER = account(0xa991);
const SDL = readFileSync(new URL("../../../relayer/api/subgraph.graphql", import.meta.url), "utf8");
const newest: BlockRef = { number: 42n, hash: word(42), parentHash: word(41), timestamp: 1_100 };
const final: BlockRef = { number: 40n, hash: word(40), parentHash: word(39), timestamp: 1_098 };

/** Where the relayer stands in these tests, and what subscriptions are told by. */
class Scene implements LiveSource {
  readonly history = new History().create(1_000).create(1_000, { address: OTHER });
  readonly granted: GrantedLease[] = [];
  readonly listeners = new Set<() => void>();
  readonly changes = new Changes({
    onUpdate: (listener) => {
      this.listeners.add(listener);
      return () => this.listeners.delete(listener);
    },
  });
  block = newest;
  readonly projection = () => ({
    newest: { block: this.block, state: this.history.state },
    final: { block: final, state: this.history.state },
  });
  readonly leases = (app?: Address) => this.granted.filter((lease) => app === undefined || lease.app === app);
  readonly placements = () => placements(this.history.state, final);
  readonly health = () => ({ status: "ok", chainId: 31_337, ready: true, headAgeSeconds: 1, error: null });
  readonly logsOf = () => Promise.reject(new TypeError("password of 10.0.0.7 is hunter2"));
  readonly reports = () => Promise.resolve(new Map());
  /** A block that changes something has been followed. */
  announce(): void {
    for (const listener of this.listeners) listener();
  }
}

const lease = (key: number, app: Address = APP): GrantedLease => ({
  app,
  key: account(key),
  node: 1,
  release: 1,
  composeHash: word(0x1001) as unknown as GrantedLease["composeHash"],
  until: 1_200,
});

describe("apps of history and live state", () => {
  let scene: Scene;
  let graphNode: FastifyInstance;
  let relayer: FastifyInstance;
  let url: string;
  let graphNodeFails: boolean;
  /** Arguments that graph-node was asked for apps with. */
  let asked: { where?: { id_in?: string[] }; block?: unknown }[];

  /** Serves our subgraph's own schema over HTTP, with apps whose owner tells the block that was asked about. */
  function serveSubgraph(): FastifyInstance {
    const owner = (block: { number?: number } | undefined) =>
      `0x${(block?.number ?? 0).toString(16).padStart(40, "0")}`;
    const schema = makeExecutableSchema({
      typeDefs: SDL,
      resolvers: {
        Query: {
          apps: (_root: unknown, args: (typeof asked)[number]) => {
            asked.push(args);
            return (args.where?.id_in ?? [APP, OTHER]).map((id) => ({
              id,
              owner: owner(args.block as { number?: number }),
              releases: [{ number: 1 }],
            }));
          },
          releases: () => [{ number: 1, app: { id: APP } }],
        },
      },
    });
    const server = Fastify();
    server.post("/", async ({ body }, reply) => {
      if (graphNodeFails) return reply.code(500).send("stack at 10.0.0.7");
      const { query, variables } = body as { query: string; variables: Record<string, unknown> };
      return graphql({ schema, source: query, variableValues: variables });
    });
    return server;
  }

  beforeEach(async () => {
    scene = new Scene();
    asked = [];
    graphNodeFails = false;
    graphNode = serveSubgraph();
    const graphNodeUrl = await graphNode.listen({ host: "127.0.0.1", port: 0 });
    relayer = Fastify();
    const subgraph = subgraphSubschema({ sdl: SDL, url: `${graphNodeUrl}/` });
    const schema = stitchedSchema(liveSchema(scene), subgraph);
    graphqlRoute(relayer, () => Promise.resolve(graphqlHandler(relayer.log, schema)));
    url = `${await relayer.listen({ host: "127.0.0.1", port: 0 })}/graphql`;
  });
  afterEach(async () => {
    scene.changes.close();
    await relayer.close();
    await graphNode.close();
  });

  const post = (query: string, variables: object = {}, accept = "application/json") =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept },
      body: JSON.stringify({ query, variables }),
    });
  const ask = async (query: string, variables: object = {}): Promise<Body> =>
    (await post(query, variables)).json() as Promise<Body>;

  it("app_bothParts_answersInOneQuery", async () => {
    scene.granted.push(lease(0xb1), lease(0xb2, OTHER));
    const { data, errors } = await ask(
      `{ app(id: "${APP}") { id owner releases { number } live { head leases { key } } } }`,
    );
    expect(errors).to.equal(undefined);
    expect(data?.["app"]).to.deep.equal({
      id: APP,
      owner: account(0),
      releases: [{ number: 1 }],
      live: { head: 1, leases: [{ key: account(0xb1) }] },
    });
    expect(asked).to.have.length(1);
  });

  it("app_unknown_isNull", async () => {
    expect((await ask(`{ app(id: "${account(0xdead)}") { id owner } }`)).data).to.deep.equal({ app: null });
  });

  it("apps_ofEitherRoot_mergeInOneRequest", async () => {
    const { data, errors } = await ask("{ liveApps { id owner } apps(first: 2) { id live { head } } }");
    expect(errors).to.equal(undefined);
    expect((data?.["liveApps"] as { id: string }[]).map(({ id }) => id)).to.deep.equal([APP, OTHER].sort());
    expect(data?.["apps"]).to.deep.equal([
      { id: APP, live: { head: 1 } },
      { id: OTHER, live: { head: 1 } },
    ]);
    expect(asked.filter(({ where }) => where !== undefined)).to.have.length(1);
  });

  it("block_ofTheRoot_isCarriedIntoMergedFetches", async () => {
    const { data, errors } = await ask(
      `query ($at: Block_height) { old: app(id: "${APP}", block: $at) { owner } now: app(id: "${APP}") { owner } }`,
      { at: { number: 7 } },
    );
    expect(errors).to.equal(undefined);
    expect(data).to.deep.equal({ old: { owner: account(7) }, now: { owner: account(0) } });
  });

  it("live_ofPastBlock_isRefusedByCode", async () => {
    const { data, errors } = await ask(
      `{ old: releases(block: { number: 41 }) { app { live { head } } } now: releases { app { live { head } } }
         newest: app(id: "${APP}", block: { number: 42 }) { live { head } }
         hashed: liveApps(ids: ["${APP}"], block: { hash: "${word(41)}" }) { live { head } }
         later: app(id: "${APP}", block: { number_gte: 43 }) { live { head } } }`,
    );
    expect(data).to.deep.equal({
      old: [{ app: { live: null } }],
      now: [{ app: { live: { head: 1 } } }],
      newest: { live: { head: 1 } },
      hashed: [{ live: null }],
      later: { live: null },
    });
    expect(errors?.map(({ extensions, path }) => [path?.[0], extensions.code]).sort()).to.deep.equal([
      ["hashed", "api/past-block"],
      ["later", "api/past-block"],
      ["old", "api/past-block"],
    ]);
  });

  it("graphNode_away_leavesTheLivePartAndSaysSo", async () => {
    graphNodeFails = true;
    const response = await post(
      `{ app(id: "${APP}") { id owner live { head } } liveApps { id level } apps { id } }`,
    );
    const text = await response.text();
    const { data, errors } = JSON.parse(text) as Body;
    expect(data?.["app"]).to.deep.equal({ id: APP, owner: null, live: { head: 1 } });
    expect(data?.["apps"]).to.equal(null);
    expect(data?.["liveApps"]).to.have.length(2);
    expect(new Set(errors?.map(({ extensions }) => extensions.code))).to.deep.equal(
      new Set(["subgraph/unavailable"]),
    );
    expect(text).not.to.contain("10.0.0.7");
  });

  it("unexpectedError_ofALiveField_isMasked", async () => {
    const response = await post(
      `{ allowedAt(app: "${APP}", composeHash: "${word(1)}", time: 1) { allowed } }`,
    );
    const text = await response.text();
    expect((JSON.parse(text) as Body).errors?.[0]?.extensions.code).to.equal("api/internal");
    expect(text).not.to.contain("hunter2");
  });

  it("typedError_throughTheStitching_keepsItsCode", async () => {
    const { errors } = await ask("{ liveNodes(first: 1001) { number } }");
    expect(errors?.[0]?.extensions).to.deep.equal({ code: "api/page-too-large" });
  });

  it("wrongQuery_refused_saysSoByCode", async () => {
    expect((await ask("{ nothing }")).errors?.[0]?.extensions.code).to.equal("GRAPHQL_VALIDATION_FAILED");
    expect((await ask("{")).errors?.[0]?.extensions.code).to.equal("GRAPHQL_PARSE_FAILED");
  });

  it("listsOfAnApp_arePagesToo", async () => {
    for (let key = 1; key <= 3; key++) scene.granted.push(lease(key));
    scene.history.propose(2, 1_200, 1_090);
    const { data } = await ask(
      `{ app(id: "${APP}") { live { all: releases { number } newest: releases(last: 1) { number }
           before: releases(last: 5, skip: 1) { number } leases(first: 1, skip: 1) { key } } } }`,
    );
    expect(data?.["app"]).to.deep.equal({
      live: {
        all: [{ number: 1 }, { number: 2 }],
        newest: [{ number: 2 }],
        before: [{ number: 1 }],
        leases: [{ key: account(2) }],
      },
    });
    const { errors } = await ask(`{ app(id: "${APP}") { live { instances(first: 1001) { key } } } }`);
    expect(errors?.[0]?.extensions.code).to.equal("api/page-too-large");
  });

  it("pages_firstAndSkip_cutTheList", async () => {
    for (let key = 1; key <= 5; key++) scene.granted.push(lease(key));
    const { data } = await ask(
      "{ liveLeases(first: 2, skip: 3) { key } liveApps(first: 1, skip: 1) { id } }",
    );
    expect(data).to.deep.equal({
      liveLeases: [{ key: account(4) }, { key: account(5) }],
      liveApps: [{ id: [APP, OTHER].sort()[1] }],
    });
  });

  describe("cost", () => {
    const code = async (query: string, variables: object = {}) =>
      (await ask(query, variables)).errors?.[0]?.extensions.code;

    it("nestedLists_multiplied_areRefused", async () => {
      expect(await code("{ apps(first: 1000) { releases { number } } }")).to.equal("api/query-too-costly");
      expect(await code("{ apps(first: 10) { releases { number } } }")).to.equal(undefined);
      // Not cut by naming the number elsewhere, or the selection twice.
      const query = "query ($n: Int) { apps(first: $n) { ...F } } fragment F on App { releases { number } }";
      expect(await code(query, { n: 1_000 })).to.equal("api/query-too-costly");
      expect(await code(query, { n: 10 })).to.equal(undefined);
      const aliased = Array.from({ length: 8 }, (_, i) => `a${i}: apps { releases { number } }`).join(" ");
      expect(await code(`{ ${aliased} }`)).to.equal("api/query-too-costly");
    });

    it("defaultOfAVariable_countsAsItWillBeTaken", async () => {
      const query = "query ($n: Int = 1000) { apps(first: $n) { releases { number } } }";
      expect(await code(query)).to.equal("api/query-too-costly");
      expect(await code(query, { n: 10 })).to.equal(undefined);
    });

    it("aliasesOfALeaf_multipliedByLists_areRefused", async () => {
      const aliased = (leaf: string) => Array.from({ length: 60 }, (_, i) => `a${i}: ${leaf}`).join(" ");
      for (const leaf of ["id", "__typename"]) {
        expect(await code(`{ apps(first: 1000) { ${aliased(leaf)} } }`)).to.equal("api/query-too-costly");
        expect(await code(`{ apps(first: 10) { ${aliased(leaf)} } }`)).to.equal(undefined);
      }
    });

    it("whatIsLookedThroughForLittle_counts", async () => {
      const ask20 = (field: string) => Array.from({ length: 20 }, (_, i) => `a${i}: ${field}`).join(" ");
      const allowed = `allowedAt(app: "${APP}", composeHash: "${word(1)}", time: 1) { allowed }`;
      expect(await code(`{ ${ask20(allowed)} }`)).to.equal("api/query-too-costly");
      const many = Array.from({ length: 100 }, (_, i) => `a${i}: liveLeases(first: 1) { key }`).join(" ");
      expect(await code(`{ ${many} }`)).to.equal("api/query-too-costly");
    });

    it("budgetOfAnAddress_usedUp_isRefusedUntilLater", async () => {
      const server = Fastify({ trustProxy: true });
      graphqlRoute(server, () => Promise.resolve(graphqlHandler(server.log, liveSchema(scene), 2_000)));
      const from = async (address: string) => {
        const response = await server.inject({
          method: "POST",
          url: "/graphql",
          headers: { "content-type": "application/json", "x-forwarded-for": address },
          payload: JSON.stringify({ query: "{ liveNodes(first: 1000) { number } }" }),
        });
        return response.json<Body>().errors?.[0]?.extensions;
      };
      expect(await from("2001:db8::1")).to.equal(undefined);
      expect(await from("2001:db8::2")).to.equal(undefined);
      expect(await from("2001:db8::3")).to.deep.include({ code: "api/too-many-requests" });
      expect(await from("2001:db8:0:1::1")).to.equal(undefined);
      await server.close();
    });

    it("refusal_ofAnOperation_saysWhatItWouldBring", async () => {
      const { errors } = await ask("{ apps(first: 1000) { releases { number } } }");
      expect(errors?.[0]?.extensions).to.deep.include({ expected: MAX_COST, actual: 1_000 * 101 });
      expect(asked).to.have.length(0);
    });
  });

  describe("subscriptions over server-sent events", () => {
    /** The results of an open stream, one by one. */
    async function* events(response: Response): AsyncGenerator<Record<string, unknown>> {
      expect(response.headers.get("content-type")).to.contain("text/event-stream");
      let text = "";
      const decoder = new TextDecoder();
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        text += decoder.decode(chunk, { stream: true });
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          const [event, text0] = [text.slice(0, end), text.slice(end + 2)];
          text = text0;
          const line = event.split("\n").find((one) => one.startsWith("data: {"));
          if (line) yield JSON.parse(line.slice(6)) as Record<string, unknown>;
        }
      }
    }
    const subscribe = async (query: string) => events(await post(query, {}, "text/event-stream"));
    const nextOf = async (stream: AsyncGenerator<Record<string, unknown>>) =>
      (await stream.next()).value as unknown;

    it("head_newBlock_isTold", async () => {
      const stream = await subscribe("subscription { head { newest { number } final { number } } }");
      expect(await nextOf(stream)).to.deep.equal({
        data: { head: { newest: { number: 42 }, final: { number: 40 } } },
      });
      scene.block = { ...newest, number: 43n, hash: word(43) };
      scene.announce();
      expect(await nextOf(stream)).to.have.nested.property("data.head.newest.number", 43);
      await stream.return(undefined);
    });

    it("appChanged_aRelease_tellsBothPartsOfTheApp", async () => {
      const stream = await subscribe(
        `subscription { appChanged(app: "${APP}") { owner live { releases { number } } } }`,
      );
      expect(await nextOf(stream)).to.have.deep.nested.property("data.appChanged", {
        owner: account(0),
        live: { releases: [{ number: 1 }] },
      });
      scene.announce(); // Nothing of this app: nothing is told.
      scene.history.propose(2, 1_200, 1_090);
      scene.announce();
      expect(await nextOf(stream)).to.have.deep.nested.property("data.appChanged.live.releases", [
        { number: 1 },
        { number: 2 },
      ]);
      await stream.return(undefined);
    });

    it("leases_granted_areToldOfThisAppAlone", async () => {
      const stream = await subscribe(`subscription { leases(app: "${APP}") { key } }`);
      expect(await nextOf(stream)).to.deep.equal({ data: { leases: [] } });
      scene.granted.push(lease(0xb1), lease(0xb2, OTHER));
      expect(await nextOf(stream)).to.deep.equal({ data: { leases: [{ key: account(0xb1) }] } });
      await stream.return(undefined);
    });

    it("reader_gone_leavesNothingOpen", async () => {
      const stream = await subscribe("subscription { head { newest { number } } }");
      await nextOf(stream);
      expect(scene.changes.open).to.equal(1);
      await stream.return(undefined);
      while (scene.changes.open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(scene.listeners.size).to.equal(0);
    });

    it("address_withAsManyAsItMayHave_isRefusedAnother", async () => {
      const open = await Promise.all(
        Array.from({ length: MAX_STREAMS_PER_ADDRESS }, () =>
          subscribe("subscription { head { newest { number } } }"),
        ),
      );
      await Promise.all(open.map((stream) => nextOf(stream)));
      const refused = await post("subscription { head { newest { number } } }", {}, "text/event-stream");
      expect(await refused.text()).to.contain("api/too-many-streams");
      expect(scene.listeners.size).to.equal(1); // Looked at once for all of them.
      await Promise.all(open.map((stream) => stream.return(undefined)));
    });

    it("server_stops_endsStreams", async () => {
      const stream = await subscribe("subscription { head { newest { number } } }");
      await nextOf(stream);
      scene.changes.close();
      expect((await stream.next()).done).to.equal(true);
      const { errors } = await (
        await post("subscription { head { newest { number } } }", {}, "application/json, text/event-stream")
      )
        .text()
        .then((text) => JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as Body);
      expect(errors?.[0]?.extensions.code).to.equal("api/too-many-streams");
    });
  });
});
