import { existsSync } from "node:fs";

import { expect } from "chai";
import Fastify, { type FastifyInstance } from "fastify";
import { chromium, type Browser, type Page } from "playwright-core";

import { servePage } from "../../relayer/api/page.ts";
import { buildWeb, WEB_DIST } from "../../web/build.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
const NOW = 1_800_000_000;
const NEVER = "1099511627775";
const APP = `0x${"a1".repeat(20)}`;
const HOSTILE = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>javascript:alert(1)\u202egnp`;

/** What a relayer might answer: one of everything, and in every text that an account can choose, something hostile. */
const ANSWER = {
  health: { ready: true, chainId: 31_337, headAgeSeconds: 1, error: null },
  liveBlock: { final: { number: 40 }, newest: { number: 42, timestamp: NOW } },
  liveLeases: [{ app: APP, key: `0x${"b1".repeat(20)}`, release: 1, until: NOW + 30 }],
  apps: [
    {
      id: APP,
      owner: `0x${"01".repeat(20)}`,
      guardian: null,
      level: 2,
      noticeFloorSeconds: "5",
      replicas: 3,
      lastRelease: 4,
    },
  ],
  releases: [
    release(4, { activatesAt: NOW + 60 }),
    release(3, { activatesAt: NOW - 10, rebuildsRequired: 2, rebuildsMatching: 1 }),
    release(2, { activatesAt: NOW - 100 }),
    release(1, { activatesAt: NOW - 1000, endsAt: String(NOW + 60) }),
  ],
  instances: [
    {
      key: `0x${"b1".repeat(20)}`,
      expiresAt: String(NOW + 600),
      simulated: true,
      app: { id: APP },
      release: { number: 1 },
      node: { number: 7 },
    },
  ],
  nodes: [
    {
      number: 7,
      operator: `0x${"02".repeat(20)}`,
      platformId: `0x${"03".repeat(32)}`,
      kind: 1,
      status: 1,
      simulated: true,
      retired: false,
      expiresAt: String(NOW - 1),
    },
  ],
  governanceEvents: [
    {
      kind: HOSTILE,
      releaseNumber: null,
      settingKind: 1,
      oldValue: HOSTILE,
      newValue: "60",
      effectiveAt: null,
      actor: `0x${"04".repeat(20)}`,
      timestamp: String(NOW - 5),
      app: { id: APP },
    },
  ],
  _meta: { block: { number: 41, timestamp: NOW - 1 } },
};

function release(number: number, over: object) {
  return {
    number,
    composeHash: `0x${"cc".repeat(32)}`,
    endsAt: NEVER,
    vetoed: false,
    revoked: false,
    rebuildsRequired: 0,
    rebuildsMatching: 0,
    app: { id: APP },
    ...over,
    activatesAt: String((over as { activatesAt: number }).activatesAt),
  };
}

describe("the explorer page in Chromium", function () {
  this.timeout(60_000);
  let server: FastifyInstance;
  let browser: Browser;
  let page: Page;
  let url: string;
  let origin: string;
  /** What `/graphql` answers; null: the relayer is gone. */
  let answer: object | null;
  let trouble: string[];
  let requests: string[];

  before(async function () {
    if (CHROMIUM === undefined) {
      // A CI without it would prove nothing, and say so with a green tick.
      if (process.env.CI) throw new Error("expected Chromium: .ci/run installs Debian's package");
      console.log("      skipped: the page in a browser: /usr/bin/chromium is not there");
      return this.skip();
    }
    await buildWeb();
    server = Fastify();
    server.post("/graphql", (_request, reply) =>
      answer === null ? reply.raw.destroy() : reply.send(answer),
    );
    await servePage(server, WEB_DIST);
    url = await server.listen({ host: "127.0.0.1", port: 0 });
    origin = new URL(url).origin;
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox", "--headless", "--disable-background-networking"],
    });
  });
  after(async () => {
    await (browser as Browser | undefined)?.close();
    await (server as FastifyInstance | undefined)?.close();
  });
  beforeEach(async () => {
    answer = { data: ANSWER };
    trouble = [];
    requests = [];
    page = await browser.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") trouble.push(message.text());
    });
    page.on("pageerror", (error) => trouble.push(String(error)));
    page.on("request", (request) => requests.push(request.url()));
  });
  afterEach(async () => (page as Page | undefined)?.close());

  const open = async (): Promise<void> => {
    await page.goto(url);
    await page.waitForFunction("document.getElementById('status').dataset.state !== undefined");
  };
  const rows = (id: string): Promise<string[][]> =>
    page
      .locator(`#${id} tbody tr`)
      .evaluateAll((lines) =>
        (lines as HTMLTableRowElement[]).map((line) =>
          Array.from(line.cells, (cell) => cell.textContent ?? ""),
        ),
      );

  it("shows apps, releases, instances, nodes and who changed what", async () => {
    await open();
    const apps = await rows("apps");
    expect(apps).to.have.length(1);
    expect(apps[0]).to.include.members(["Sealed", "none", "4", "3"]);
    const states = (await rows("releases")).map((row) => [row[1], row[2]]);
    expect(states).to.deep.equal([
      ["4", "pending"],
      ["3", "lapsed"],
      ["2", "active"],
      ["1", "in grace"],
    ]);
    expect((await rows("instances"))[0]).to.include.members(["leased", "simulated"]);
    expect((await rows("nodes"))[0]).to.include.members(["7", "suspended", "Tdx (simulated)", "UpToDate"]);
    expect((await rows("history"))[0]).to.include("Notice");
    expect(await page.locator("#status").textContent()).to.contain("chain 31337");
  });

  it("makes nothing of what accounts write but text", async () => {
    await open();
    expect((await rows("history"))[0]).to.include(HOSTILE);
    expect(await page.evaluate("window.hacked")).to.equal(undefined);
    expect(await page.locator("main img, main script, main a").count()).to.equal(0);
    expect(trouble).to.deep.equal([]);
  });

  it("asks nobody but the server that it came from", async () => {
    await open();
    expect(requests).to.not.be.empty;
    for (const request of requests) expect(new URL(request).origin).to.equal(origin);
  });

  it("forbids by its policy what the page itself never does", async () => {
    await open();
    await page.evaluate("fetch('http://127.0.0.2:9/').catch(() => undefined)");
    expect(trouble.join()).to.match(/Content Security Policy/);
  });

  it("says that the index is away instead of showing empty tables", async () => {
    const away = {
      apps: null,
      releases: null,
      instances: null,
      nodes: null,
      governanceEvents: null,
      _meta: null,
    };
    answer = { data: { ...ANSWER, ...away } };
    await open();
    for (const id of ["apps", "releases", "nodes", "history"]) {
      expect(await page.locator(`#${id}`).textContent()).to.equal(
        "Not available now: the index does not answer.",
      );
    }
    expect(await page.locator("#status").textContent()).to.contain("index away");
    expect(await page.locator("#status").getAttribute("data-state")).to.equal("trouble");
  });

  it("says that the relayer does not answer", async () => {
    answer = null;
    await open();
    expect(await page.locator("#status").textContent()).to.contain("does not answer");
  });
});
