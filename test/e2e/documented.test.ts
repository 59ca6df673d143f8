import { spawn, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { expect } from "chai";

import { postgresDir } from "../../scripts/devnet/dataDir.ts";
import { gndBinary } from "../../scripts/devnet/graphNode.ts";
import { pageCommands, type PageCommand } from "./support/pageCommands.ts";
import { Shell, type Ran } from "./support/Shell.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Those of scripts/devnet/devnet.ts, which the pages name. */
const USUAL = { chain: 8545, relayer: 8787, bootAuth: 8788, graphNode: 8000 } as const;
/** What the commands of a page need of an engine; without one they are passed over, and the test says so. */
const OF_AN_ENGINE = /(^|\$\()\s*docker |\$ADDRESS/m;

/** Listens on a port of loopback; undefined where another program does so already, which is as good here. */
const occupy = (port: number): Promise<Server | undefined> =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });

/** One devnet, where its usual ports are in use; in it what the pages tell their readers to type. */
describe("npm start where its usual ports are in use", function () {
  this.timeout(600_000);
  let occupied: (Server | undefined)[];
  let clone: string;
  let dir: string;
  let child: ChildProcess;
  let ended: Promise<number | null>;
  let printed = "";
  let shell: Shell;
  let hasEngine: boolean;
  let urls: { readonly chain: string; readonly relayer: string };

  before(async function () {
    if (!gndBinary()) {
      console.log("skipped: npm start: graph-node's binary exists for Linux x64 only");
      this.skip();
    }
    occupied = await Promise.all(Object.values(USUAL).map(occupy));
    clone = mkdtempSync(join(tmpdir(), "charter-clone-"));
    dir = join(clone, ".charter/devnet");
    mkdirSync(dir, { recursive: true });
    child = spawn(process.execPath, [join(ROOT, "scripts/start.ts"), "--dir", dir], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    ended = new Promise((done) => child.once("close", done));
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk: Buffer) => (printed += chunk.toString("utf8")));
    makeClone();
  });
  after(async () => {
    await shell?.close();
    child?.kill("SIGINT"); // It ends what it started; nothing where it has ended already.
    await ended;
    for (const server of occupied ?? []) if (server) await new Promise((done) => server.close(done));
    for (const each of clone ? [clone, postgresDir(dir)] : []) rmSync(each, { recursive: true, force: true });
  });

  /** A folder that looks like this one to whoever types in it, with a `.charter` of its own. */
  function makeClone(): void {
    for (const name of readdirSync(ROOT)) {
      if (![".charter", ".git"].includes(name)) symlinkSync(join(ROOT, name), join(clone, name));
    }
    // npx finds a package's own programs by `bin`, a second later.
    const { bin } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      bin: Record<string, string>;
    };
    const cases = Object.entries(bin).map(
      ([name, file]) => `${name}) exec node "${join(ROOT, file)}" "$@" ;;`,
    );
    const npx = join(clone, ".charter/bin/npx");
    mkdirSync(dirname(npx));
    writeFileSync(npx, `#!/bin/sh\nname=$1; shift\ncase $name in\n${cases.join("\n")}\nesac\nexit 127\n`);
    chmodSync(npx, 0o755);
    const path = [dirname(npx), dirname(process.execPath), process.env.PATH].join(delimiter);
    shell = new Shell(clone, { PATH: path, HOME: clone, LANG: "C.UTF-8" });
  }

  /** As a reader would type it here: the ports that this devnet has, and a folder that goes away. */
  const typed = (text: string): string =>
    text
      .replaceAll(`http://127.0.0.1:${USUAL.chain}`, urls.chain)
      .replaceAll(`http://127.0.0.1:${USUAL.relayer}`, urls.relayer)
      .replaceAll("/tmp/", `${clone}/.charter/`);
  const ok = async (text: string): Promise<Ran> => {
    const ran = await shell.run(text);
    expect(ran.code, `${text}\n${ran.output}`).to.equal(0);
    return ran;
  };
  /** Types it again until it shows what the page says that it will. */
  const shows = async (text: string, what: RegExp): Promise<void> => {
    for (;;) {
      const { output } = await ok(typed(text));
      if (what.test(output)) return;
      await delay(500);
    }
  };
  const commands = (page: string, ...sections: string[]): PageCommand[] => {
    const all = pageCommands(readFileSync(join(ROOT, page), "utf8"), sections).filter(
      ({ text }) => text !== "npm start",
    );
    const passed = hasEngine ? [] : all.filter(({ text }) => OF_AN_ENGINE.test(text));
    if (passed.length > 0)
      console.log(
        `      skipped: ${passed.length} commands of ${page}: no container engine answers (docker info)`,
      );
    return all.filter((one) => !passed.includes(one));
  };

  it("takes others, and says where everything answers", async () => {
    while (!printed.includes("Ctrl-C stops everything")) {
      expect(child.exitCode, printed).to.equal(null);
      await delay(100);
    }
    const url = (name: string): string =>
      new RegExp(`^${name}\\s+(http://[0-9.]+:\\d+)`, "m").exec(printed)?.[1] ?? "";
    urls = { chain: url("chain"), relayer: url("explorer") };
    const taken = ["chain", "explorer", "boot auth", "graph-node"].map((name) =>
      Number(url(name).split(":")[2]),
    );
    for (const port of taken) expect(port).to.be.greaterThan(0).and.not.be.oneOf(Object.values(USUAL));
    expect(new Set(taken).size).to.equal(taken.length);
    hasEngine = (await shell.run("docker info >/dev/null")).code === 0;
  });

  it("does for node operators what docs/operators.md says of a simulated machine", async () => {
    let node = "";
    for (const { text } of commands("docs/operators.md", "A simulated machine")) {
      if (text.startsWith("npx charter-node run")) {
        const log = join(clone, ".charter/my-node.log");
        await ok(`${typed(text)} >${log} 2>&1 & agent=$!`);
        const said = (): string => (existsSync(log) ? readFileSync(log, "utf8") : "");
        while (node === "") {
          await delay(200);
          const { code } = await shell.run("kill -0 $agent");
          node = /"ready":true,.*?"node":(\d+)/.exec(said())?.[1] ?? "";
          expect(code, `the agent ended: ${said()}`).to.equal(0);
        }
        // Its third terminal has these, as the page says.
        await ok(`export CHARTER_RPC_URL=${urls.chain} CHARTER_RELAYER_URL=${urls.relayer}`);
        continue;
      }
      const { output } = await ok(typed(text));
      if (text.startsWith("npx charter-node doctor")) expect(output).to.match(/^ok +relayer /m);
      if (text.startsWith("npx charter node list"))
        expect(output).to.match(new RegExp(`^${node} .*active`, "m"));
      if (/^npx charter-node (un)?drain/.test(text)) expect(output).to.include('"refused":[]');
    }
    expect(Number(node)).to.equal(4);
  });

  it("does for app developers what docs/developers.md says, from a Compose file to a revoke", async () => {
    const sections = ["What you need", "Create, and see it answer", "Upgrade and take back"];
    let app = "";
    for (const { text } of commands("docs/developers.md", ...sections)) {
      if (text.startsWith("APP=0x…")) {
        await ok(text.replace("0x…", app));
        continue;
      }
      if (text.startsWith("npx charter instance list")) {
        await shows(text, /0x[0-9a-f]{40} +live +1 /);
        continue;
      }
      if (text.startsWith("npx charter release revoke"))
        await shows("npx charter release list $APP", /^2 +active /m);
      const { output } = await ok(typed(text));
      app = /^app (0x[0-9a-f]{40})$/m.exec(output)?.[1] ?? app;
      if (text.startsWith("npx charter release revoke")) {
        await shows("npx charter release list $APP", /^1 +(active|in grace) [\s\S]*^2 +revoked /m);
      }
    }
    expect(app).to.match(/^0x/);
  });

  it("stops in order", async () => {
    await ok("kill $agent; wait $agent");
    child.kill("SIGINT");
    expect(await ended, printed).to.equal(0);
    expect(printed).to.match(/Stopping\.\s*$/);
  });
});
