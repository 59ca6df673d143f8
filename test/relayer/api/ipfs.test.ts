import { createHash } from "node:crypto";

import { expect } from "chai";
import Fastify from "fastify";
import type { FastifyInstance } from "fastify";
import { privateKeyToAccount } from "viem/accounts";

import { cidOfDigest } from "../../../protocol/manifest/cid.ts";
import { publishDomain, publishTypes } from "../../../protocol/session/domains.ts";
import { emptyChainState } from "../../../protocol/state/chainState.ts";
import type { AppState, Release } from "../../../protocol/state/types.ts";
import { parseAddress, parseBytes32, toHex } from "../../../protocol/words/hex.ts";
import type { Address, Bytes32 } from "../../../protocol/words/hex.ts";
import { installErrorHandler } from "../../../relayer/api/errors.ts";
import { ipfsRoutes } from "../../../relayer/api/ipfs/routes.ts";
import { openStore } from "../../../relayer/store/store.ts";
import type { Store } from "../../../relayer/store/store.ts";
import { freshDatabase } from "../../support/postgres.ts";

const CHAIN = 31_337;
const appRegistry = parseAddress(`0x${"0a".repeat(20)}`);
const owner = privateKeyToAccount(`0x${"11".repeat(32)}`);
const publisher = privateKeyToAccount(`0x${"22".repeat(32)}`);
const stranger = privateKeyToAccount(`0x${"33".repeat(32)}`);

const digestOf = (bytes: Uint8Array): Bytes32 =>
  parseBytes32(toHex(createHash("sha256").update(bytes).digest()));
const manifest = Buffer.from('{"name":"<script>alert(1)</script>"}');
const note = Buffer.from('{"title":"first"}');
const unnamed = Buffer.from("in no event");

describe("/ipfs on a real Postgres", () => {
  let store: Store;
  let server: FastifyInstance;

  before(async function () {
    this.timeout(60_000);
    store = await openStore(await freshDatabase());
    const state = emptyChainState();
    const release = { composeHash: digestOf(manifest), noteDigest: digestOf(note) } as unknown as Release;
    const app = { owner: owner.address.toLowerCase() as Address, releases: [release] } as unknown as AppState;
    state.apps.set(parseAddress(`0x${"0b".repeat(20)}`), app);
    server = Fastify();
    installErrorHandler(server);
    await server.register(async (scope) =>
      ipfsRoutes(scope, {
        blobs: store.blobs,
        newestState: () => state,
        publishers: [publisher.address.toLowerCase() as Address],
        chainId: CHAIN,
        appRegistry,
      }),
    );
  });
  after(async () => {
    await server.close();
    await store.close();
  });

  const put = async (
    bytes: Buffer,
    at = digestOf(bytes),
    by?: typeof owner,
    domain = publishDomain(CHAIN, appRegistry),
  ) => {
    const signature = await by?.signTypedData({
      domain,
      types: publishTypes,
      primaryType: "Publish",
      message: { digest: at },
    });
    const response = await server.inject({
      method: "PUT",
      url: `/ipfs/${cidOfDigest(at)}`,
      payload: bytes,
      headers: {
        "content-type": "application/json",
        ...(signature !== undefined && { "charter-signature": signature }),
      },
    });
    const body = response.body === "" ? {} : response.json<{ error?: { code: string } }>();
    return `${response.statusCode} ${body.error?.code ?? "kept"}`;
  };
  const get = (digest: Bytes32, method: "GET" | "HEAD" = "GET") =>
    server.inject({ method, url: `/ipfs/${cidOfDigest(digest)}` });

  it("keeps manifest and note that an event names, from anyone, and gives the same bytes back", async () => {
    expect(await put(manifest)).to.equal("201 kept");
    expect(await put(manifest)).to.equal("200 kept");
    expect(await put(note)).to.equal("201 kept");
    const response = await get(digestOf(manifest));
    expect(response.rawPayload.equals(manifest)).to.equal(true);
    const head = await get(digestOf(manifest), "HEAD");
    expect([head.statusCode, head.headers["content-length"], head.body]).to.deep.equal([
      200,
      `${manifest.length}`,
      "",
    ]);
  });

  it("gives bytes that no browser takes for a page", async () => {
    await put(manifest);
    const { headers } = await get(digestOf(manifest));
    expect(headers["content-type"]).to.equal("application/octet-stream");
    expect(headers["x-content-type-options"]).to.equal("nosniff");
    expect(headers["content-security-policy"]).to.equal("sandbox; default-src 'none'");
  });

  it("refuses bytes under another hash", async () => {
    expect(await put(unnamed, digestOf(manifest))).to.equal("400 ipfs/hash-mismatch");
  });

  it("refuses more than 1 MiB, and takes exactly that", async () => {
    expect(await put(Buffer.alloc(1_048_577), undefined, owner)).to.equal("413 api/body-too-large");
    expect(await put(Buffer.alloc(1_048_576), undefined, owner)).to.equal("201 kept");
  });

  it("refuses what no event names, unless an app's owner or a publisher signed for it", async () => {
    expect(await put(unnamed)).to.equal("403 ipfs/not-publishable");
    expect(await put(unnamed, undefined, stranger)).to.equal("403 ipfs/not-publishable");
    expect(await put(unnamed, undefined, owner, publishDomain(1, appRegistry))).to.equal(
      "403 ipfs/not-publishable",
    );
    expect((await get(digestOf(unnamed))).statusCode).to.equal(404);
    expect(await put(unnamed, undefined, owner)).to.equal("201 kept");
    expect(await put(Buffer.from("another"), undefined, publisher)).to.equal("201 kept");
  });

  it("keeps of one owner's word alone so much in a day, and what an event names as ever", async () => {
    let refused = "";
    for (let n = 0; refused === "" && n < 100; n++) {
      const answer = await put(Buffer.from(`draft ${n}`), undefined, owner);
      if (answer !== "201 kept") refused = answer;
    }
    expect(refused).to.equal("429 api/too-many-requests");
    expect(await put(Buffer.from("draft 0"), undefined, owner)).to.equal("200 kept");
    expect(await put(note, undefined, owner)).to.equal("200 kept");
    expect(await put(Buffer.from("a publisher's"), undefined, publisher)).to.equal("201 kept");
  });

  for (const cid of ["Qmb1111111111111111111111111111111111111111111", "bafy", "x", "..%2fetc"]) {
    it(`answers no 200 at ${cid}`, async () => {
      const response = await server.inject({ method: "GET", url: `/ipfs/${cid}` });
      expect(response.statusCode).to.be.within(400, 404);
    });
  }

  it("speaks the three calls that graph-node makes", async () => {
    await put(note);
    const version = await server.inject({ method: "POST", url: "/api/v0/version" });
    expect([version.statusCode, typeof version.json<{ Version: string }>().Version]).to.deep.equal([
      200,
      "string",
    ]);
    const cat = await server.inject({
      method: "POST",
      url: `/api/v0/cat?arg=${cidOfDigest(digestOf(note))}`,
    });
    expect(cat.rawPayload.equals(note)).to.equal(true);
    const absent = await server.inject({ method: "POST", url: "/api/v0/cat?arg=QmAbsent" });
    expect([absent.statusCode, absent.json<{ Type: string }>().Type]).to.deep.equal([500, "error"]);
  });
});
