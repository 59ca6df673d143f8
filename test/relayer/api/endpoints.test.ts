import { expect } from "chai";
import Fastify from "fastify";

import { parseAddress } from "../../../protocol/words/hex.ts";
import { KeyGuard } from "../../../relayer/api/limits/KeyGuard.ts";
import { endpointRoutes } from "../../../relayer/api/routes/endpoints.ts";
import { bounded } from "../../../relayer/bounded.ts";

const app = parseAddress(`0x${"0b".repeat(20)}`);

describe("GET /apps/:app/endpoints", () => {
  it("manyKeysThatAreNotKnownYet_areLookedUpAFewAtATime", async () => {
    const kept = Array.from({ length: 200 }, (_, n) => ({
      key: parseAddress(`0x${(n + 1).toString(16).padStart(40, "0")}`),
      host: "127.0.0.1",
      port: 443,
      until: 2_000,
    }));
    // As the desk asks the store: so many at once, and one more is refused.
    const lookUp = bounded("keys", 64, async (key: string) => {
      await new Promise((done) => setImmediate(done));
      return key !== kept[0]?.key;
    });
    const server = Fastify();
    endpointRoutes(server, {
      chainId: 31_337,
      ledger: app,
      store: { keep: async () => undefined, ofApp: async () => kept },
      mayRun: (_app, key) => lookUp(key),
      guard: new KeyGuard({ perKey: 1 }),
      maxRequestsPerMinute: 100,
      now: () => 1_000,
    });
    const answer = await server.inject({ url: `/apps/${app}/endpoints` });
    expect(answer.statusCode).to.equal(200);
    expect(answer.json<{ endpoints: unknown[] }>().endpoints).to.deep.equal(kept.slice(1));
    await server.close();
  });
});
