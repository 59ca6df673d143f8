import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { expect } from "chai";

import { freePort } from "../../scripts/devnet/freePort.ts";
import { gndBinary } from "../../scripts/devnet/graphNode.ts";
import { examineStorage } from "../../worker/storage/chooseStorage.ts";
import { describeDecisions } from "./support/decisions.ts";
import { NOT_TYPED } from "./support/notTyped.ts";
import { NpmStart, ROOT } from "./support/NpmStart.ts";
import { pageCommands } from "./support/pageCommands.ts";
import { pageOf, Reader, USUAL } from "./support/Reader.ts";
import { withEngineIfAny } from "./support/withEngine.ts";

/** Pages whose every command is typed here, or has a reason in support/notTyped.ts. */
const PAGES = ["README.md", "docs/operators.md", "docs/developers.md", "examples/vector-notes/README.md"];

/** Listens on a port of loopback; undefined where another program does so already, which is as good here. */
const occupy = (port: number): Promise<Server | undefined> =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });

/** One devnet, where its usual ports are in use; in it what the pages tell their readers to type. */
describe("npm start, and what the pages tell their readers to type", function () {
  this.timeout(600_000);
  const engine = withEngineIfAny("containers of npm start and of documented commands");
  let occupied: (Server | undefined)[];
  let start: NpmStart;
  let reader: Reader;
  let hasEngine: boolean;

  before(async function () {
    if (!gndBinary()) {
      console.log("skipped: npm start: graph-node's binary exists for Linux x64 only");
      this.skip();
    }
    occupied = await Promise.all(Object.values(USUAL).map(occupy));
    start = new NpmStart(engine()?.socket);
    hasEngine = (await start.shell.run("docker info >/dev/null 2>&1")).code === 0;
    reader = new Reader(start, hasEngine);
    await start.isUp();
  });
  after(async () => {
    await start?.clear();
    for (const server of occupied ?? []) if (server) await new Promise((done) => server.close(done));
  });

  /** Starts what goes on until it is stopped, and gives what it printed once that shows this. */
  const inBackground = async (name: string, text: string, what: RegExp): Promise<RegExpExecArray> => {
    const log = join(start.clone, `.charter/${name}.log`);
    await start.shell.run(`${reader.here(text)} >${log} 2>&1 & ${name}=$!`);
    for (;;) {
      const said = existsSync(log) ? readFileSync(log, "utf8") : "";
      const found = what.exec(said);
      if (found) return found;
      const { code } = await start.shell.run(`kill -0 $${name}`);
      expect(code, `${text} ended: ${said}`).to.equal(0);
      await delay(200);
    }
  };

  const passOver = (context: Mocha.Context, section: string, why: string): void => {
    console.log(`skipped: documented commands of "${section}": ${why}`);
    reader.passOver("docs/developers.md", [section]);
    context.skip();
  };

  it("takes other ports where the usual ones are in use, and says where everything answers", () => {
    const taken = ["chain", "explorer", "boot auth", "vendor", "graph-node"].map((name) =>
      Number(start.url(name).split(":")[2]),
    );
    for (const port of taken) expect(port).to.be.greaterThan(0).and.not.be.oneOf(Object.values(USUAL));
    expect(new Set(taken).size).to.equal(taken.length);
  });

  it("shows what its app answers over HTTP where an engine answers, or why no container runs", () => {
    expect(start.printed).to.match(
      hasEngine
        ? /^ {2}http:\/\/[0-9.]+:8080\/ answers 200 "Hello from Charter" /m
        : /^ {2}no container runs .*: /m,
    );
  });

  it("does in five minutes what the README says", async () => {
    const section = pageOf("README.md").split("\n## Five minutes\n")[1] ?? "";
    const refused = /```text\n(charter: [\s\S]*?)```/.exec(section)?.[1] ?? "the page shows no refusal";
    await reader.read(
      "README.md",
      ["Five minutes"],
      [
        { at: "npx charter control", shows: /Open/ },
        { at: "npx charter instance list", shows: /0x[0-9a-f]{40} +live +1 / },
        { at: "sleep", by: async () => undefined }, // The next one waits for what it is there for.
        { at: "npx charter release list", shows: /^1 +in grace [\s\S]*^2 +active /m },
        { at: "npx charter release list", shows: /^1 +(active|in grace) [\s\S]*^2 +revoked /m },
        { at: "npx charter settings loosen", fails: new RegExp(refused.trim().replace(/[()]/g, "\\$&")) },
        { at: "curl", shows: /"level":2,.*"revoked":true.*"head":1,"leases":\[\{"key":"0x/ },
      ],
    );
    await reader.ok("npx charter --help");
  });

  it("does for node operators what docs/operators.md says of a simulated machine", async () => {
    let node = "";
    const run = async (text: string): Promise<void> => {
      node = (await inBackground("agent", text, /"ready":true,.*?"node":(\d+)/))[1] ?? "";
      // Its third terminal has these, as the page says.
      const [chain, relayer] = [start.url("chain"), start.url("explorer")];
      await reader.ok(`export CHARTER_RPC_URL=${chain} CHARTER_RELAYER_URL=${relayer}`);
    };
    await reader.read(
      "docs/operators.md",
      ["A simulated machine", "What runs on your machine"],
      [
        { at: "npx charter-node doctor", shows: /^ok +relayer /m },
        { at: "npx charter-node run", by: run },
        { at: "npx charter node list", shows: /^4 .*active/m },
        { at: "npx charter --relayer", shows: /slots/ },
        { at: "npx charter-node drain", shows: /"refused":\[\]/ },
        { at: "npx charter-node undrain", shows: /"refused":\[\]/ },
        { at: "docker ps", shows: /busybox/ },
      ],
    );
    expect(node).to.equal("4");
    await reader.ok("kill $agent; wait $agent; npx charter-node drain --config .charter/my-node.json");
  });

  it("does for app developers what docs/developers.md says, from a Compose file to a revoke", async () => {
    await reader.read(
      "docs/developers.md",
      ["What you need", "Create, and see it answer", "Upgrade and take back"],
      [
        { at: "npx charter instance list", shows: /0x[0-9a-f]{40} +live +1 / },
        { at: "docker ps", shows: /busybox/ },
        { at: "curl", shows: /^Hello from Charter$/m },
        { at: "npx charter release list", shows: /^1 +in grace [\s\S]*^2 +active /m },
        { at: "curl", shows: /^Hello again$/m },
      ],
    );
    await reader.shows("npx charter release list $APP", /^1 +(active|in grace) [\s\S]*^2 +revoked /m);
    if (hasEngine) await reader.shows("curl --noproxy '*' http://$(at $APP):8080/", /^Hello from Charter$/m);
  });

  it("does for them what it says of attested TLS, directly and through the gateway", async function () {
    const answered = /✓ certificate-binding [\s\S]*✓ ledger .*\n(.*\n)*Hello again/;
    const gateway = await freePort();
    if (!hasEngine) return passOver(this, "Attested TLS", "no container engine");
    await reader.read(
      "docs/developers.md",
      ["Attested TLS"],
      [
        { at: "npx charter call", shows: answered },
        {
          at: "CHARTER_GATEWAY",
          by: (text) => inBackground("gateway", `PORT=${gateway} ${text}`, /"ready":true/),
        },
        {
          at: "npx charter call",
          by: (text) => reader.shows(text.replace("127.0.0.1:8443", `127.0.0.1:${gateway}`), answered),
        },
      ],
    );
    await reader.ok("kill $gateway; wait $gateway");
  });

  it("does for them what it says of an app with data and a secret", async function () {
    const storage = Object.values(await examineStorage());
    const section = "An app with data and a secret";
    if (!hasEngine) return passOver(this, section, "no container engine");
    if (!storage.includes(null)) return passOver(this, section, storage.join("; "));
    await reader.read(
      "docs/developers.md",
      [section],
      [
        { at: "printf", shows: /is sealed to the key/ },
        { at: "npx charter secret list", shows: /NOTES_TOKEN/ },
        { at: "docker ps", shows: /vector-notes/ },
        { at: "curl", shows: /^\{"error":"not the token"\}$/m },
        { at: "curl", shows: /^\{"id":1\}$/m },
        { at: "curl", shows: /"text":"the cat sat on the mat"/ },
        { at: "curl", shows: /^\{"notes":1,"release":"1"\}$/m },
        { at: "curl", shows: /^\{"notes":1,"release":"2"\}$/m },
      ],
    );
  });

  describeDecisions(engine, () => ({
    rpcUrl: start.url("chain"),
    relayerUrl: start.url("explorer"),
    deploymentFile: join(start.dir, "deployment.json"),
    dir: start.clone,
  }));

  it("leaves no command of a page that was neither typed nor has a reason, and no reason of none", () => {
    for (const page of PAGES) {
      const reasons = NOT_TYPED[page] ?? [];
      const commands = pageCommands(pageOf(page)).filter((one) => !reader.hasTyped(one));
      const isFor = (at: string) => (one: { text: string }) => one.text.startsWith(at);
      const left = commands.filter(({ text }) => !reasons.some(({ at }) => text.startsWith(at)));
      expect(left, page).to.deep.equal([]);
      for (const { at, because } of reasons) {
        expect(commands.some(isFor(at)), `${page} has no command that begins with ${at}`).to.equal(true);
        if (typeof because !== "string")
          expect(readFileSync(join(ROOT, because.test), "utf8"), at).to.include(because.says);
      }
    }
  });

  it("stops in order", async () => {
    start.interrupt();
    expect(await start.ended, start.printed).to.equal(0);
    expect(start.printed).to.match(/Stopping\.\s*$/);
  });
});
