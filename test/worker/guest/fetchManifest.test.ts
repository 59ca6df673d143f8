import { createServer } from "node:http";
import type { Server } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { cidOfDigest } from "../../../protocol/manifest/cid.ts";
import { composeHash as hashOf } from "../../../protocol/manifest/composeHash.ts";
import type { ComposeHash } from "../../../protocol/words/hex.ts";
import { fetchManifestBytes } from "../../../worker/guest/fetchManifestBytes.ts";
import { RelayerClient } from "../../../worker/session/RelayerClient.ts";

const MANIFEST = Buffer.from('{"manifest_version":2,"name":"somewhere","runner":"docker-compose"}');
const MAX = 1_048_576;

describe("a manifest by its hash", () => {
  const servers: Server[] = [];
  let [dir, cid] = ["", ""];
  let composeHash: ComposeHash;
  /** Paths that each server was asked for, by its URL. */
  const asked = new Map<string, string[]>();

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "charter-manifests-"));
    composeHash = await hashOf(MANIFEST, nodeCrypto);
    cid = cidOfDigest(composeHash);
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))));
    await rm(dir, { recursive: true });
    dir = await mkdtemp(join(tmpdir(), "charter-manifests-"));
  });
  after(() => rm(dir, { recursive: true }));

  /** A server that answers `/ipfs/<cid>` with `body`, or with nothing but a status. */
  const serving = async (body: Buffer | number, prefix = ""): Promise<string> => {
    const paths: string[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url ?? "");
      if (typeof body === "number" || request.url !== `${prefix}/ipfs/${cid}`) {
        response.writeHead(typeof body === "number" ? body : 404).end("nothing");
      } else response.end(body);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    servers.push(server);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    asked.set(url, paths);
    return url;
  };
  const fetched = (relayers: readonly string[], sources: readonly string[]): Promise<Uint8Array> =>
    fetchManifestBytes({ relayers: relayers.map((url) => new RelayerClient(url)), sources }, composeHash);
  const text = async (bytes: Promise<Uint8Array>): Promise<string> => Buffer.from(await bytes).toString();
  const refusal = async (bytes: Promise<unknown>): Promise<[string, unknown]> => {
    try {
      await bytes;
      return ["none", null];
    } catch (error) {
      return isCharterError(error) ? [error.code, error.details["tried"]] : [String(error), null];
    }
  };
  const directory = (): string => pathToFileURL(dir).href;

  it("comes from a gateway where no relayer has it", async () => {
    const [relayer, gateway] = [await serving(404), await serving(MANIFEST, "/some/prefix")];
    expect(await text(fetched([relayer], [`${gateway}/some/prefix/`]))).to.equal(MANIFEST.toString());
  });

  it("comes from a gateway or another relayer where the first lies", async () => {
    const [liar, other, gateway] = [
      await serving(Buffer.from("{}")),
      await serving(MANIFEST),
      await serving(MANIFEST),
    ];
    expect(await text(fetched([liar, other], []))).to.equal(MANIFEST.toString());
    expect(await text(fetched([liar], [gateway]))).to.equal(MANIFEST.toString());
  });

  it("comes from a directory by either name, and then nobody is asked", async () => {
    const relayer = await serving(MANIFEST);
    for (const name of [cid, `${composeHash}.json`]) {
      const path = join(dir, name);
      await writeFile(path, MANIFEST);
      expect(await text(fetched([relayer], [directory()])), name).to.equal(MANIFEST.toString());
      await rm(path);
    }
    expect(asked.get(relayer)).to.deep.equal([]);
  });

  it("comes from a relayer where the directory has other bytes under its name, or too many", async () => {
    const relayer = await serving(MANIFEST);
    for (const bytes of [Buffer.from("{}"), Buffer.alloc(MAX + 1)]) {
      await writeFile(join(dir, cid), bytes);
      expect(await text(fetched([relayer], [directory()]))).to.equal(MANIFEST.toString());
    }
  });

  it("is refused where nobody has it, telling what each said", async () => {
    const [relayer, empty, long] = [
      await serving(404),
      await serving(500),
      await serving(Buffer.alloc(MAX + 1)),
    ];
    expect(await refusal(fetched([relayer], [directory(), empty, long]))).to.deep.equal([
      "relayer/answer-too-large",
      [
        { source: directory(), code: "source/failed" },
        { source: relayer, code: "relayer/malformed-answer" },
        { source: empty, code: "source/failed" },
        { source: long, code: "relayer/answer-too-large" },
      ],
    ]);
  });
});
