import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { anyRelayer } from "../../worker/session/anyRelayer.ts";
import { RelayerClient } from "../../worker/session/RelayerClient.ts";
import { refusal } from "../support/refusal.ts";

describe("the relayer's client", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  const answering = async (listener: RequestListener, timeoutMs?: number): Promise<RelayerClient> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return new RelayerClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, timeoutMs);
  };

  const answers: Record<string, readonly [code: string, listener: RequestListener]> = {
    "its own refusal": [
      "lease/denied",
      (_request, response) =>
        response
          .writeHead(403)
          .end('{"error":{"code":"lease/denied","message":"no","details":{"reason":"x"}}}'),
    ],
    "a refusal that is not documented": [
      "relayer/malformed-answer",
      (_request, response) => response.writeHead(502).end("<html>"),
    ],
    "text instead of JSON": ["relayer/malformed-answer", (_request, response) => response.end("hello")],
    "another shape": ["relayer/malformed-answer", (_request, response) => response.end('{"chainId":1}')],
    "an unknown field": ["relayer/malformed-answer", (_request, response) => response.end('{"surprise":1}')],
    "a redirect": [
      "relayer/unreachable",
      (_request, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    ],
    "too much": [
      "relayer/answer-too-large",
      (_request, response) => response.end(Buffer.alloc(1_048_577, 0x20)),
    ],
  };
  for (const [what, [code, listener]] of Object.entries(answers)) {
    it(`gives ${code} for ${what}`, async () => {
      expect(await refusal((await answering(listener)).chain())).to.equal(code);
    });
  }

  it("gives up on a relayer that never ends its answer", async () => {
    const client = await answering((_request, response) => void response.write("{"), 200);
    expect(await refusal(client.chain())).to.equal("relayer/unreachable");
  });

  it("does not follow a code that is none", async () => {
    const body = '{"error":{"code":"<script>","message":"no"}}';
    const client = await answering((_request, response) => response.writeHead(400).end(body));
    expect(await refusal(client.chain())).to.equal("relayer/malformed-answer");
  });

  it("takes a denial for the answer where the others are silent, and tells what each said", async () => {
    const relayers = [new RelayerClient("http://a"), new RelayerClient("http://b")];
    const error = await anyRelayer(relayers, ({ url }) =>
      Promise.reject(new CharterError(url === "http://a" ? "lease/denied" : "relayer/unreachable", "no")),
    ).catch((cause: unknown) => cause as CharterError);
    expect(error).to.have.property("code", "lease/denied");
    expect(error.details.tried).to.deep.equal([
      { relayer: "http://a", code: "lease/denied" },
      { relayer: "http://b", code: "relayer/unreachable" },
    ]);
  });
});
