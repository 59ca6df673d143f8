import { existsSync } from "node:fs";

import { expect } from "chai";
import Fastify, { type FastifyInstance } from "fastify";
import { chromium, type Browser, type Page } from "playwright-core";

import { servePage } from "../../relayer/api/page.ts";
import { buildWeb, WEB_DIST } from "../../web/build.ts";
import { simulatedCcel } from "../protocol/evidence/eventlog/simulatedCcel.ts";
import { corpus } from "../protocol/evidence/corpus/corpus.ts";
import type { EvidenceCase } from "../protocol/evidence/corpus/runCase.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));

describe("the evidence page in Chromium", function () {
  this.timeout(60_000);
  let server: FastifyInstance;
  let browser: Browser;
  let page: Page;
  let url: string;
  let cases: readonly EvidenceCase[];
  let trouble: string[];
  let requests: string[];

  before(async function () {
    if (CHROMIUM === undefined) {
      if (process.env.CI) throw new Error("expected Chromium: .ci/run installs Debian's package");
      console.log("      skipped: the evidence page in a browser: /usr/bin/chromium is not there");
      return this.skip();
    }
    await buildWeb();
    cases = await corpus();
    server = Fastify();
    await servePage(server, WEB_DIST);
    url = `${await server.listen({ host: "127.0.0.1", port: 0 })}/evidence.html`;
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
    page = await browser.newPage();
    trouble = [];
    requests = [];
    page.on("pageerror", (error) => trouble.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") trouble.push(message.text());
    });
    await page.goto(url);
    await page.waitForLoadState("networkidle");
    // What a kind of evidence needs is loaded when it is met: scripts of the page's own, asked for without a word more.
    page.on("request", (request) => {
      const { origin, pathname, search } = new URL(request.url());
      const isOwn = /^\/(?:[\w-]+\.js|icon\.svg)$/.test(pathname);
      const isOwnScript = origin === new URL(url).origin && isOwn && search === "";
      if (!isOwnScript || request.method() !== "GET") requests.push(request.url());
    });
  });
  afterEach(async () => {
    await page.close();
    expect(trouble).to.deep.equal([]);
    expect(requests, "nothing leaves the page").to.deep.equal([]);
  });

  const named = (name: string): EvidenceCase => {
    const one = cases.find((each) => each.name === name);
    if (!one) throw new Error(`the corpus has no case "${name}"`);
    return one;
  };
  const give = (id: string, ...buffers: readonly (Buffer | string)[]) =>
    page.locator(`#${id}`).setInputFiles(
      buffers.map((one, i) => ({
        name: `${id}-${i}`,
        mimeType: "application/octet-stream",
        buffer: Buffer.from(one),
      })),
    );
  const decoded = (text: string): Buffer => Buffer.from(text, "base64");

  /** Fills the form as a person would, and waits for the answer. */
  async function judge(one: EvidenceCase): Promise<string> {
    const { file, collateral, roots = [], at, reportData, gpu, rims, ocsp = [], nras, amd = {} } = one;
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
    await give("evidence", decoded(file));
    if (collateral) await give("collateral", JSON.stringify(collateral));
    if (gpu) await give("gpu", decoded(gpu));
    if (rims) {
      await give("driver-rim", rims.driver);
      await give("vbios-rim", rims.vbios);
    }
    if (nras) await give("nras-keys", JSON.stringify(nras.keys));
    if (amd.minimumTcb) await give("amd-minimum-tcb", JSON.stringify(amd.minimumTcb));
    await give("ocsp", ...ocsp.map(decoded));
    await give("amd-crl", ...(amd.crls ?? []).map(decoded));
    await give("root", ...roots);
    await page.locator("#nras-issuer").fill(nras?.issuer ?? "");
    await page.locator("#at").fill(new Date(at * 1000).toISOString());
    await page.locator("#report-data").fill(reportData ?? "");
    await page.locator("button").click();
    await page.locator("#status", { hasText: /^(Verified|Not verified)/ }).waitFor();
    return page.locator("#status").innerText();
  }
  const texts = (selector: string): Promise<string[]> => page.locator(selector).allInnerTexts();

  it("shows the verdict, every check with its meaning, and what is not said", async () => {
    expect(await judge(named("a TD with its event log"))).to.equal("Verified: tdx, UpToDate, simulated");
    const facts = await texts("#verdict tbody tr");
    expect(facts.some((row) => row.startsWith("composeHash") && row.includes("22".repeat(32)))).to.equal(
      true,
    );
    const checks = await texts("#checks tbody td:first-child");
    expect(checks).to.include.members(["✓ root-pinned", "✓ quote-signature", "✓ rtmr-replay"]);
    const meanings = await texts("#checks tbody td:nth-child(2)");
    expect(meanings.every((text) => text.endsWith("."))).to.equal(true);
    expect(await page.locator("#unchecked").isVisible()).to.equal(false);
    await judge(named("a GPU's report"));
    expect((await texts("#unchecked tbody td")).length).to.be.greaterThan(1);
  });

  it("shows which check refused, and nothing of the verdict before", async () => {
    await judge(named("a TD's quote"));
    expect(await judge(named("a debug TD"))).to.match(/^Not verified: .*\(evidence\/td-debug\)$/);
    expect(await page.locator("#verdict").isVisible()).to.equal(false);
    const checks = await texts("#checks tbody td:first-child");
    expect(checks.at(-1)).to.equal("✗ td-debug");
    expect(checks.slice(0, -1).every((text) => text.startsWith("✓"))).to.equal(true);
  });

  it("holds a boot log to the quote's registers", async () => {
    const td = named("a TD with its event log");
    await give("ccel", Buffer.from(simulatedCcel()));
    expect(await judge(td)).to.equal("Verified: tdx, UpToDate, simulated");
    expect((await texts("#checks tbody td:first-child")).at(-1)).to.equal("✓ ccel-replay");
    await give("ccel", Buffer.from(simulatedCcel((boot) => boot.slice(1))));
    expect(await judge(td)).to.match(/^Not verified: .*differing: RTMR0\) \(evidence\/ccel-replay\)$/);
  });

  for (const [name, says, check] of [
    ["an SNP report held to AMD's list and a lowest version", /^Verified: snp, UpToDate, /, "✓ snp-revoked"],
    ["an SNP report whose ASK was revoked", /\(evidence\/snp-revoked\)$/, "✗ snp-revoked"],
    ["a Nitro document", /^Verified: nitro, simulated$/, "✓ nitro-signature"],
    ["a GPU by manifests and answers", /^Verified: gpu, simulated$/, "✓ rim-digest"],
    ["a token of two GPUs", /^Verified: nras, simulated$/, "✓ gpu-eat-signature"],
  ] as const) {
    it(`judges by what its vendor publishes: ${name}`, async () => {
      expect(await judge(named(name))).to.match(says);
      expect(await texts("#checks tbody td:first-child")).to.include(check);
      expect(await page.locator("#gpu-claim").isVisible()).to.equal(false);
    });
  }

  it("shows what a guest says of GPUs as a claim of its own, and takes it back with the next evidence", async () => {
    const td = named("a TD that vouches for a GPU");
    expect(await judge(td)).to.equal("Verified: tdx, UpToDate, simulated");
    expect(
      (await texts("#gpu-claim tbody tr")).some((row) => /boundBy\s+guest: .*no hardware does/.test(row)),
    ).to.equal(true);
    expect((await texts("#gpu-unchecked tbody td"))[0]).to.match(/^that the GPU is on this machine's bus/);
    expect((await texts("#gpu-checks tbody td:first-child")).at(-1)).to.equal("✓ gpu-distinct");
    expect(await texts("#checks tbody td:first-child")).not.to.include("✓ gpu-signature");
    expect(await judge(named("a TD that vouches for another GPU"))).to.include(
      "(evidence/gpu-binding-digest)",
    );
    expect(await page.locator("#gpu-claim").isVisible()).to.equal(false);
  });

  it("holds evidence to an age and to facts that a person knows", async () => {
    await page.locator("summary", { hasText: "What you expect" }).click();
    await page.locator("#max-age").fill("3598");
    expect(await judge(named("a Nitro document"))).to.include("(evidence/nitro-age)");
    await page.locator("#max-age").fill("");
    await page.locator("#expect").fill("composeHash=0x00\n");
    expect(await judge(named("a TD with its event log"))).to.include("(evidence/expected-fact)");
  });

  it("says what it expected of a file, a time or hex that it cannot read", async () => {
    const good = named("a TD's quote");
    expect(await judge({ ...good, file: Buffer.from("hello").toString("base64") })).to.include(
      "(evidence/unknown-form)",
    );
    expect(await judge({ ...good, reportData: "0x1" })).to.include("(hex/invalid)");
    await page.locator("#at").fill("yesterday");
    await page.locator("#report-data").fill("");
    await page.locator("button").click();
    await page.locator("#status", { hasText: "expected an ISO time" }).waitFor();
  });

  it("shows a hostile file's words as text only", async () => {
    const hostile = '{"quote":"<img src=x onerror=window.hacked=1>","event_log":"[]","vm_config":"{}"}';
    await judge({ ...named("a TD's quote"), file: Buffer.from(hostile).toString("base64") });
    expect(await page.evaluate("window.hacked")).to.equal(undefined);
    expect(await page.locator("main img").count()).to.equal(0);
  });
});
