import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect } from "chai";
import { build } from "esbuild";
import Fastify, { type FastifyInstance } from "fastify";
import { chromium, type Browser } from "playwright-core";

import { nodeCrypto } from "../../protocol/crypto/node.ts";
import { browserOptions } from "../../web/browserOptions.ts";
import { corpus } from "../protocol/evidence/corpus/corpus.ts";
import { runCase, type EvidenceCase, type Outcome } from "../protocol/evidence/corpus/runCase.ts";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
const OUT = fileURLToPath(new URL("out", import.meta.url));
const FOLDER = fileURLToPath(new URL("../protocol/evidence/corpus/", import.meta.url));

/** What the page has: a function that runs one case on the browser's own cryptography. */
const PAGE_MODULE = `
  import { webCrypto } from "../../../../protocol/crypto/web.ts";
  import { runCase } from "./runCase.ts";
  globalThis.runCase = (text) => runCase(JSON.parse(text), webCrypto).then((outcome) => JSON.stringify(outcome));
`;

/** The verifier as a browser loads it, split as it is weighed, with the corpus's runner around it: files by path. */
async function bundle(): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    ...browserOptions,
    stdin: { contents: PAGE_MODULE, resolveDir: FOLDER, sourcefile: "verifier.ts", loader: "ts" },
    splitting: true,
    write: false,
    outdir: OUT,
    entryNames: "verifier",
  });
  return new Map(outputFiles.map(({ path, contents }) => [path.slice(OUT.length), contents]));
}

describe("the verifier in Chromium", function () {
  this.timeout(120_000);
  let browser: Browser;
  let server: FastifyInstance;
  let url: string;

  before(async function () {
    if (CHROMIUM === undefined) {
      if (process.env.CI) throw new Error("expected Chromium: .ci/run installs Debian's package");
      console.log("      skipped: the verifier in a browser: /usr/bin/chromium is not there");
      return this.skip();
    }
    const scripts = await bundle();
    // One for each kind, and what they share: nothing is loaded for a kind that does not occur.
    expect(scripts.size).to.be.greaterThan(5);
    server = Fastify();
    server.get("/", (_request, reply) =>
      reply
        .type("text/html")
        // Nothing but this script may run, and it may ask nobody for anything.
        .header("content-security-policy", "default-src 'none'; script-src 'self'")
        .send('<!doctype html><script type="module" src="/verifier.js"></script>'),
    );
    for (const [path, script] of scripts) {
      server.get(path, (_request, reply) => reply.type("text/javascript").send(Buffer.from(script)));
    }
    server.get("/favicon.ico", (_request, reply) => reply.code(204).send());
    url = await server.listen({ host: "127.0.0.1", port: 0 });
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox", "--headless", "--disable-background-networking"],
    });
  });
  after(async () => {
    await (browser as Browser | undefined)?.close();
    await (server as FastifyInstance | undefined)?.close();
  });

  it("comes to the outcome and the verdict of Node for all of the corpus, and asks nobody", async () => {
    const page = await browser.newPage();
    const trouble: string[] = [];
    const asked: string[] = [];
    page.on("pageerror", (error) => trouble.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") trouble.push(message.text());
    });
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(url);
    await page.waitForFunction("typeof globalThis.runCase === 'function'");
    const before = asked.length;
    const cases = await corpus();
    for (const one of cases) {
      const inBrowser = await run(page, one);
      const onNode = JSON.parse(JSON.stringify(await runCase(one, nodeCrypto))) as Outcome;
      expect(inBrowser.outcome, one.name).to.equal(one.expected);
      expect(inBrowser, one.name).to.deep.equal(onNode);
    }
    expect(cases.length).to.be.greaterThan(70);
    expect(trouble).to.deep.equal([]);
    // What a kind needs is loaded when it is met: scripts of the bundle alone.
    expect(asked.slice(before).filter((path) => !/^\/[\w-]+\.js$/.test(path))).to.deep.equal([]);
    await page.close();
  });

  const run = async (
    page: { evaluate: (fn: (text: string) => Promise<string>, text: string) => Promise<string> },
    one: EvidenceCase,
  ): Promise<Outcome> => {
    const text = await page.evaluate(
      (argument) =>
        (globalThis as unknown as { runCase: (text: string) => Promise<string> }).runCase(argument),
      JSON.stringify(one),
    );
    return JSON.parse(text) as Outcome;
  };
});
