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

const TABLES = ["apps", "releases", "instances", "nodes", "history"];

/** The same shape with every text replaced, but for the digits that stand for numbers. */
function hostile(value: unknown): unknown {
  if (typeof value === "string") return /^\d+$/.test(value) ? value : HOSTILE;
  if (Array.isArray(value)) return value.map(hostile);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hostile(inner)]));
}

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
  /** What `/graphql` answers, and with which status; null: the relayer is gone. */
  let answer: object | string | null;
  let status: number;
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
      answer === null ? reply.raw.destroy() : reply.code(status).send(answer),
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
    status = 200;
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
    await page.locator("#status[data-state]").waitFor();
  };
  const rows = (id: string): Promise<string[][]> =>
    page
      .locator(`#${id} tbody tr`)
      .evaluateAll((lines) =>
        (lines as HTMLTableRowElement[]).map((line) =>
          Array.from(line.cells, (cell) => cell.textContent ?? ""),
        ),
      );

  /** Nothing ran, nothing can be followed, no other element came to be, and the browser had nothing to object to. */
  const expectOnlyText = async (): Promise<void> => {
    expect(await page.evaluate("window.hacked")).to.equal(undefined);
    expect(
      await page.locator("main a, main [href], main [src], main [style], main [onerror]").count(),
    ).to.equal(0);
    const names = await page
      .locator("main *")
      .evaluateAll((all) => [...new Set((all as Element[]).map(({ localName }) => localName))]);
    expect(names).to.have.members(["section", "h2", "div", "table", "thead", "tbody", "tr", "th", "td"]);
    expect(await page.locator("body script").count()).to.equal(1);
    for (const request of requests) expect(new URL(request).origin).to.equal(origin);
    expect(trouble).to.deep.equal([]);
  };

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
    await expectOnlyText();
  });

  it("makes nothing but text of an answer that lies in every text that it holds", async () => {
    answer = { data: hostile(ANSWER) };
    await open();
    expect((await rows("apps"))[0]).to.include(HOSTILE);
    for (const id of TABLES) expect(await rows(id), id).to.not.be.empty;
    await expectOnlyText();
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

  const expectNoTables = async (): Promise<void> => {
    for (const id of TABLES) {
      const text = await page.locator(`#${id}`).textContent();
      expect(text, id).to.equal("Not available now: the index does not answer.");
    }
  };

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
    await expectNoTables();
    expect(await page.locator("#status").textContent()).to.contain("index away");
    expect(await page.locator("#status").getAttribute("data-state")).to.equal("trouble");
  });

  it("says that the relayer does not answer", async () => {
    answer = null;
    await open();
    expect(await page.locator("#status").textContent()).to.contain("does not answer");
  });

  const refusing: Record<string, readonly [number, object | string]> = {
    "with errors and no data": [200, { data: null, errors: [{ message: HOSTILE }] }],
    "with a status of its own and errors": [500, { errors: [{ message: "no" }] }],
    "with something that is no GraphQL": [429, { error: { code: "api/too-many-requests" } }],
  };
  for (const [what, [code, body]] of Object.entries(refusing)) {
    it(`says in words that the relayer answers ${what}`, async () => {
      [status, answer] = [code, body];
      await open();
      await expectNoTables();
      expect(await page.locator("#status").getAttribute("data-state")).to.equal("trouble");
      expect(await page.evaluate("window.hacked")).to.equal(undefined);
    });
  }

  it("says so when the relayer answers a page of somebody else's", async () => {
    answer = "<html>bad gateway</html>";
    await open();
    expect(await page.locator("#status").textContent()).to.contain("does not answer");
    expect(await page.locator("table").count()).to.equal(0);
  });

  it("says of empty lists that there is nothing yet: not the words for an index that is away", async () => {
    answer = { data: { ...ANSWER, apps: [], releases: [], instances: [], nodes: [], governanceEvents: [] } };
    await open();
    for (const id of TABLES) expect(await page.locator(`#${id}`).textContent(), id).to.equal("None yet.");
    expect(trouble).to.deep.equal([]);
  });

  it("keeps what it showed, and says that it is old, when the relayer goes away", async () => {
    await open();
    answer = null;
    await page.locator("#status[data-state='trouble']").waitFor();
    expect(await page.locator("#status").textContent()).to.contain("What you see is old");
    expect(await rows("apps")).to.have.length(1);
  });
});
