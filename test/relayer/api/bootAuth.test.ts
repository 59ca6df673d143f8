import { expect } from "chai";
import pino from "pino";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { bootAuthServer } from "../../../relayer/api/bootAuth/server.ts";
import type { BootDecision } from "../../../relayer/api/bootAuth/server.ts";
import type { BootRequest } from "../../../relayer/api/bootAuth/parseBootRequest.ts";

const INFO = {
  kmsContractAddr: "0x00000000000000000000000000000000000000A1",
  ethRpcUrl: "http://rpc.test",
  gatewayAppId: "",
  chainId: 31_337,
  appAuthImplementation: "0x00000000000000000000000000000000000000A2",
  appImplementation: "0x00000000000000000000000000000000000000A2",
};

const BODY = {
  mrAggregated: `0x${"01".repeat(32)}`,
  osImageHash: "ab",
  appId: `0x${"AA".repeat(20)}`,
  composeHash: "0xCC",
  instanceId: "",
  deviceId: "d".repeat(64),
};

function fixture(decide: (request: BootRequest) => BootDecision, known = true) {
  const server = bootAuthServer({
    decideApp: decide,
    decideKms: decide,
    info: () => (known ? INFO : undefined),
    logger: pino({ level: "silent" }),
  });
  const post = async (path: string, payload: string | object, type = "application/json") => {
    const { statusCode, body } = await server.inject({
      method: "POST",
      url: path,
      headers: { "content-type": type },
      payload: typeof payload === "string" ? payload : JSON.stringify(payload),
    });
    return `${statusCode} ${body}`;
  };
  return { server, post };
}

const allow = (): BootDecision => ({ kind: "decided", isAllowed: true, reason: "", gatewayAppId: "" });
const INVALID = '400 {"isAllowed":false,"reason":"invalid authorization request","gatewayAppId":""}';
const UNAVAILABLE = '200 {"isAllowed":false,"reason":"authorization backend unavailable","gatewayAppId":""}';

describe("bootAuth webhook", () => {
  it("answers byte for byte what dstack's clients read", async () => {
    const { post } = fixture(allow);
    expect(await post("/bootAuth/app", BODY)).to.equal(
      '200 {"isAllowed":true,"reason":"","gatewayAppId":""}',
    );
    const denied = fixture(() => ({
      kind: "decided",
      isAllowed: false,
      reason: "Compose hash not allowed",
      gatewayAppId: "0xaa",
    }));
    expect(await denied.post("/bootAuth/app", BODY)).to.equal(
      '200 {"isAllowed":false,"reason":"Compose hash not allowed","gatewayAppId":"0xaa"}',
    );
  });

  it("denies in its own words when the chain cannot be consulted", async () => {
    const { post } = fixture(() => ({ kind: "unavailable" }), false);
    expect(await post("/bootAuth/app", BODY)).to.equal(UNAVAILABLE);
    expect(await post("/bootAuth/kms", BODY)).to.equal(UNAVAILABLE);
  });

  it("denies in the same words when the decision fails", async () => {
    const { post } = fixture(() => {
      throw new TypeError("a defect");
    });
    expect(await post("/bootAuth/app", BODY)).to.equal(UNAVAILABLE);
  });

  it("denies in the same words when the decision is refused for a reason of the relayer's own", async () => {
    const { post } = fixture(() => {
      throw new CharterError("chain/deep-reorg", "a final block was taken back");
    });
    expect(await post("/bootAuth/app", BODY)).to.equal(UNAVAILABLE);
  });

  it("reads hex with or without 0x, of any case, left-padded, and fills optional fields", async () => {
    let seen: BootRequest | undefined;
    const { post } = fixture((request) => {
      seen = request;
      return allow();
    });
    await post("/bootAuth/app", BODY);
    expect(seen).to.deep.equal({
      mrAggregated: `0x${"01".repeat(32)}`,
      osImageHash: `0x${"0".repeat(62)}ab`,
      appId: `0x${"aa".repeat(20)}`,
      composeHash: `0x${"0".repeat(62)}cc`,
      instanceId: `0x${"0".repeat(40)}`,
      deviceId: `0x${"d".repeat(64)}`,
      mrSystem: `0x${"0".repeat(64)}`,
      tcbStatus: "",
      advisoryIds: [],
    });
  });

  it("reads the body as JSON whatever the content type says", async () => {
    const { post } = fixture(allow);
    expect(await post("/bootAuth/app", BODY, "text/plain")).to.match(/^200 /);
  });

  const { appId: _omitted, ...withoutApp } = BODY;
  const invalid: Record<string, string | object> = {
    "malformed JSON": "{",
    "an empty body": "",
    "a JSON array": [],
    "a missing field": withoutApp,
    "a number where hex belongs": { ...BODY, composeHash: 1 },
    "hex that is none": { ...BODY, composeHash: "xyz" },
    "hex that is too long": { ...BODY, appId: "0".repeat(41) },
    "a TCB status above 128 characters": { ...BODY, tcbStatus: "x".repeat(129) },
    "more than 128 advisories": { ...BODY, advisoryIds: Array(129).fill("INTEL-SA-1") },
    "an advisory above 256 characters": { ...BODY, advisoryIds: ["x".repeat(257)] },
    "advisories that are no list": { ...BODY, advisoryIds: "INTEL-SA-1" },
    "a body above the limit": `"${"x".repeat(70_000)}"`,
  };
  for (const [what, payload] of Object.entries(invalid)) {
    it(`refuses ${what} with 400`, async () => {
      const { post } = fixture(allow);
      expect(await post("/bootAuth/app", payload)).to.equal(INVALID);
      expect(await post("/bootAuth/kms", payload)).to.equal(INVALID);
    });
  }

  it("tells what it is, and says error when it cannot consult the chain", async () => {
    const up = await fixture(allow).server.inject({ method: "GET", url: "/" });
    expect([up.statusCode, up.json()]).to.deep.equal([200, { status: "ok", ...INFO }]);
    const down = await fixture(allow, false).server.inject({ method: "GET", url: "/" });
    expect([down.statusCode, down.body]).to.deep.equal([
      500,
      '{"status":"error","message":"authorization backend unavailable"}',
    ]);
  });
});
