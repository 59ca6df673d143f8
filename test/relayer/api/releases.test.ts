import { expect } from "chai";
import Fastify, { type FastifyInstance } from "fastify";

import type { AppState } from "../../../protocol/state/types.ts";
import { parseAddress } from "../../../protocol/words/hex.ts";
import { installErrorHandler } from "../../../relayer/api/errors.ts";
import { releaseRoute } from "../../../relayer/api/routes/releases.ts";

const app = parseAddress(`0x${"0b".repeat(20)}`);
const bytes32 = (byte: string): string => `0x${byte.repeat(32)}`;

describe("GET /apps/:app/releases/:number", () => {
  let server: FastifyInstance;
  before(() => {
    const releases = ["01", "02"].map((byte) => ({
      number: Number(byte),
      composeHash: bytes32(byte),
      noteDigest: bytes32(`d${byte[1] ?? ""}`),
    }));
    const apps = new Map([[app, { releases } as unknown as AppState]]);
    server = Fastify();
    installErrorHandler(server);
    releaseRoute(server, { projection: () => ({ final: { state: { apps } } }) });
  });
  after(() => server.close());
  const answer = async (path: string): Promise<[number, unknown]> => {
    const response = await server.inject({ url: path });
    const body = response.json<{ error?: { code: string } }>();
    return [response.statusCode, body.error?.code ?? body];
  };

  it("aRelease_isTold_withItsNotesDigest", async () => {
    expect(await answer(`/apps/${app}/releases/2`)).to.deep.equal([
      200,
      { number: 2, composeHash: bytes32("02"), noteDigest: bytes32("d2") },
    ]);
  });

  it("whatTheFinalBlockDoesNotHave_isUnknown", async () => {
    for (const path of [`/apps/${app}/releases/3`, `/apps/0x${"0c".repeat(20)}/releases/1`]) {
      expect(await answer(path), path).to.deep.equal([404, "release/unknown"]);
    }
  });

  it("whatIsNoNumberOrNoAddress_isRefused", async () => {
    for (const path of [
      `/apps/${app}/releases/0`,
      `/apps/${app}/releases/1e1`,
      `/apps/${app}/releases/-1`,
      "/apps/x/releases/1",
    ]) {
      expect(await answer(path), path).to.deep.equal([400, "api/invalid-message"]);
    }
  });
});
