import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { expect } from "chai";

import { cidOfDigest, parseManifest } from "../../../../protocol/manifest/index.ts";
import type { Address, Bytes32, ComposeHash } from "../../../../protocol/words/hex.ts";
import type { NoteStanding } from "../../../../worker/guest/note/NoteStanding.ts";
import { readNote } from "../../../../worker/guest/note/readNote.ts";
import { RelayerClient } from "../../../../worker/session/RelayerClient.ts";
import { CHAIN } from "../../support/TestRelayer.ts";

const APP = `0x${"ab".repeat(20)}` as Address;
const COMPOSE_HASH = `0x${"c0".repeat(32)}` as ComposeHash;
const ZERO = `0x${"00".repeat(32)}` as Bytes32;
const IMAGE = `busybox@sha256:${"1b".repeat(32)}`;
const MANIFEST = parseManifest(
  Buffer.from(
    JSON.stringify({
      manifest_version: 2,
      name: "hello",
      runner: "docker-compose",
      docker_compose_file: `services: {web: {image: '${IMAGE}'}}`,
      charter: { lease_signers: [APP] },
    }),
  ),
);

const bytesOf = (note: unknown): Buffer => Buffer.from(JSON.stringify(note));
const digestOf = (bytes: Buffer): Bytes32 =>
  `0x${createHash("sha256").update(bytes).digest("hex")}` as Bytes32;
const image = (digest: string) => [{ service: "web", image: IMAGE, digest }];
const GOOD = bytesOf({ title: "Says hello", images: image(`sha256:${"1b".repeat(32)}`) });
const OTHERS = bytesOf({ title: "Trust me", images: image(`sha256:${"2b".repeat(32)}`) });

/** What a relayer tells of the release, and which bytes it keeps. */
interface Served {
  readonly digest?: Bytes32;
  readonly composeHash?: ComposeHash;
  readonly chain?: object;
  /** By the digest under which they are given, right or not. */
  readonly keeps?: readonly (readonly [Bytes32, Buffer])[];
}

describe("a release's note", () => {
  const servers: Server[] = [];
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "charter-notes-"));
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))));
    await rm(dir, { recursive: true });
  });

  const serving = async ({
    digest,
    composeHash = COMPOSE_HASH,
    chain = {},
    keeps = [],
  }: Served): Promise<string> => {
    const block = { number: 7, hash: ZERO, timestamp: 1 };
    const info = {
      ...CHAIN,
      appRegistry: APP,
      committeeVerifier: APP,
      finalized: block,
      head: block,
      ...chain,
    };
    const server = createServer((request, response) => {
      const kept = keeps.find(([name]) => request.url === `/ipfs/${cidOfDigest(name)}`);
      if (kept !== undefined) response.end(kept[1]);
      else if (request.url === "/chain") response.end(JSON.stringify(info));
      else if (digest !== undefined && request.url === `/apps/${APP}/releases/3`) {
        response.end(JSON.stringify({ number: 3, composeHash, noteDigest: digest }));
      } else {
        const error = { code: "release/unknown", message: "no", details: {} };
        response.writeHead(404).end(JSON.stringify({ error }));
      }
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    servers.push(server);
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const read = (relayers: readonly string[], sources: readonly string[] = []): Promise<NoteStanding> =>
    readNote(
      {
        places: { relayers: relayers.map((url) => new RelayerClient(url)), sources },
        release: { ...CHAIN, app: APP, release: 3, composeHash: COMPOSE_HASH },
        manifest: MANIFEST,
      },
      new AbortController().signal,
    );
  const good = (toldBy: readonly string[], toldOtherwise: readonly string[] = []): NoteStanding => ({
    note: "good",
    digest: digestOf(GOOD),
    title: "Says hello",
    toldBy,
    toldOtherwise,
  });

  it("comes from the relayer that names it", async () => {
    const relayer = await serving({ digest: digestOf(GOOD), keeps: [[digestOf(GOOD), GOOD]] });
    expect(await read([relayer])).to.deep.equal(good([relayer]));
  });

  it("comes from a gateway or a directory where no relayer has its bytes", async () => {
    const relayer = await serving({ digest: digestOf(GOOD) });
    const gateway = await serving({ keeps: [[digestOf(GOOD), GOOD]] });
    expect(await read([relayer], [gateway])).to.deep.equal(good([relayer]));
    await writeFile(join(dir, `${digestOf(GOOD)}.json`), GOOD);
    expect(await read([relayer], [pathToFileURL(dir).href])).to.deep.equal(good([relayer]));
  });

  it("comes from another source where one lies about its bytes", async () => {
    const liar = await serving({ digest: digestOf(GOOD), keeps: [[digestOf(GOOD), OTHERS]] });
    const gateway = await serving({ keeps: [[digestOf(GOOD), GOOD]] });
    expect(await read([liar], [gateway])).to.deep.equal(good([liar]));
  });

  it("is the one that most relayers name, and the others are named", async () => {
    const lie = bytesOf({ title: "A lie that contradicts nothing" });
    const liar = await serving({ digest: digestOf(lie), keeps: [[digestOf(lie), lie]] });
    const honest = [
      await serving({ digest: digestOf(GOOD), keeps: [[digestOf(GOOD), GOOD]] }),
      await serving({ digest: digestOf(GOOD) }),
    ];
    expect(await read([liar, ...honest])).to.deep.equal(good(honest, [liar]));
  });

  it("is missing where those who name it do not have it, whatever fewer of them name", async () => {
    const lie = bytesOf({ title: "A lie that contradicts nothing" });
    const liar = await serving({ digest: digestOf(lie), keeps: [[digestOf(lie), lie]] });
    const honest = [await serving({ digest: digestOf(GOOD) }), await serving({ digest: digestOf(GOOD) })];
    const standing = await read([liar, ...honest]);
    expect(standing).to.deep.include({ note: "missing", digest: digestOf(GOOD) });
    expect("tried" in standing && standing.tried).to.deep.equal(
      [liar, ...honest].map((source) => ({ source, code: "release/unknown" })),
    );
  });

  it("is missing where no relayer names one for this very release", async () => {
    const [silent, other, elsewhere] = [
      await serving({}),
      await serving({ digest: digestOf(GOOD), composeHash: `0x${"c1".repeat(32)}` as ComposeHash }),
      await serving({ digest: digestOf(GOOD), chain: { genesisHash: ZERO } }),
    ];
    expect(await read([silent, other, elsewhere])).to.deep.equal({
      note: "missing",
      digest: null,
      tried: [
        { source: silent, code: "release/unknown" },
        { source: other, code: "release/mismatch" },
        { source: elsewhere, code: "chain/mismatch" },
      ],
    });
  });

  it("is none where the release has none, and nothing is fetched", async () => {
    const relayer = await serving({ digest: ZERO, keeps: [[ZERO, GOOD]] });
    expect(await read([relayer])).to.deep.equal({ note: "none", toldBy: [relayer], toldOtherwise: [] });
  });

  it("counts for nothing where it contradicts: the next relayer's word does", async () => {
    const liars = [
      await serving({ digest: digestOf(OTHERS), keeps: [[digestOf(OTHERS), OTHERS]] }),
      await serving({ digest: digestOf(OTHERS) }),
    ];
    const honest = await serving({ digest: digestOf(GOOD), keeps: [[digestOf(GOOD), GOOD]] });
    expect(await read([...liars, honest])).to.deep.equal(good([honest], liars));
  });

  it("contradicts where it tells of another manifest", async () => {
    const relayer = await serving({ digest: digestOf(OTHERS), keeps: [[digestOf(OTHERS), OTHERS]] });
    const [told, actual] = ["2b", "1b"].map((byte) => `sha256:${byte.repeat(32)}`);
    expect(await read([relayer])).to.deep.equal({
      note: "contradicts",
      digest: digestOf(OTHERS),
      toldBy: [relayer],
      toldOtherwise: [],
      code: "note/disagrees",
      why: [`digest of web: ${told} in the note, ${actual} in the manifest`],
    });
  });

  for (const [what, bytes] of [
    ["is no note", Buffer.from("<html>")],
    [
      "has unknown fields, however many",
      bytesOf(Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`\u001b[2J${i}`, 1]))),
    ],
    ["is nested beyond reason", Buffer.from(`{"title":${"[".repeat(30_000)}${"]".repeat(30_000)}}`)],
    [
      "names images by control characters",
      bytesOf({ title: "t", images: [{ service: "\u001b]0;x\u0007\u202e", image: "\u009b", digest: null }] }),
    ],
  ] as const) {
    it(`contradicts where it ${what}, and says so in a few plain words`, async () => {
      const standing = await read([
        await serving({ digest: digestOf(bytes), keeps: [[digestOf(bytes), bytes]] }),
      ]);
      if (standing.note !== "contradicts") return expect.fail(standing.note);
      expect(standing.why.length).to.be.within(1, 5);
      for (const why of standing.why) {
        expect(why.length).to.be.lessThan(1_300);
        expect(why).not.to.match(/[\p{C}\p{Zl}\p{Zp}]/u);
      }
    });
  }

  it("has a title that moves no terminal's cursor", async () => {
    const note = bytesOf({ title: "up\u001b[2J\u009bA\u202edate" });
    const standing = await read([await serving({ digest: digestOf(note), keeps: [[digestOf(note), note]] })]);
    expect(standing).to.deep.include({ note: "good", title: String.raw`"up\u001b[2J\u009bA\u202edate"` });
  });

  it("is missing where it is longer than a note may be: no more of it is read", async () => {
    const long = bytesOf({ title: "t", description: "d".repeat(70_000) });
    const relayer = await serving({ digest: digestOf(long), keeps: [[digestOf(long), long]] });
    expect(await read([relayer])).to.deep.equal({
      note: "missing",
      digest: digestOf(long),
      tried: [{ source: relayer, code: "relayer/answer-too-large" }],
    });
  });
});
