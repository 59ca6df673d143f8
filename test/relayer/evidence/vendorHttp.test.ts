import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { expect } from "chai";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { MAX_ANSWER_BYTES, VendorHttp } from "../../../relayer/evidence/vendorHttp.ts";
import { refusal } from "../../support/refusal.ts";

describe("VendorHttp", () => {
  let server: Server;
  let url: string;
  let answer: RequestListener;
  let requests: number;

  before(async () => {
    server = createServer((request, response) => {
      requests++;
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    requests = 0;
    answer = (_request, response) => response.end("ok");
  });

  const world = { now: 1_000_000 };
  const http = (timeoutMs = 5_000) => new VendorHttp({ timeoutMs, now: () => world.now });

  it("gives the bytes of an answer", async () => {
    expect(Buffer.from((await http().get(url)).bytes).toString()).to.equal("ok");
  });

  it("follows no redirect", async () => {
    answer = (request, response) => {
      if (request.url === "/there") response.end("another's");
      else response.writeHead(302, { Location: "/there" }).end();
    };
    expect(await refusal(http().get(url))).to.equal("collateral/unreachable");
    expect(requests).to.equal(1);
  });

  it("waits no longer than its time, for the head or for the body", async () => {
    answer = () => undefined;
    expect(await refusal(http(50).get(url))).to.equal("collateral/unreachable");
    answer = (_request, response) => response.write("a beginning");
    expect(await refusal(http(50).get(url))).to.equal("collateral/unreachable");
  });

  it("stops reading an answer that does not end", async () => {
    answer = (_request, response) => {
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(65_536), more);
      };
      more();
    };
    expect(await refusal(http().get(url))).to.equal("collateral/too-large");
    answer = (_request, response) => response.end(Buffer.alloc(MAX_ANSWER_BYTES));
    expect((await http().get(url)).bytes).to.have.length(MAX_ANSWER_BYTES);
  });

  const pauses: Record<string, readonly [header: string | undefined, seconds: number]> = {
    "a number of seconds": ["7", 7],
    "a date": [new Date((world.now + 40) * 1_000).toUTCString(), 40],
    "a date that is past": [new Date((world.now - 40) * 1_000).toUTCString(), 1],
    nothing: [undefined, 30],
    "what is no time": ["soon", 30],
    "a year": ["31536000", 3_600],
  };
  for (const [what, [header, seconds]] of Object.entries(pauses)) {
    it(`asks nothing until the time of a 429 that names ${what}`, async () => {
      const client = http();
      answer = (_request, response) =>
        response.writeHead(429, header === undefined ? {} : { "Retry-After": header }).end();
      const error = await client.get(url).catch((cause: unknown) => cause);
      expect(isCharterError(error) && error.details).to.deep.include({ retryAfterSeconds: seconds });
      answer = (_request, response) => response.end("ok");
      world.now += seconds - 1;
      expect(await refusal(client.get(url))).to.equal("collateral/rate-limited");
      expect(requests).to.equal(1);
      world.now += 1;
      expect(await refusal(client.get(url))).to.equal("nothing");
      world.now = 1_000_000;
    });
  }
});
