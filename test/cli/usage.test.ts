import type { ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { expect } from "chai";

import { makeFolder } from "./support/folder.ts";
import { runCharter } from "./support/runCharter.ts";

const SHIM = "cli/charter.mjs";
const APP = `0x${"a1".repeat(20)}`;
const KEY = `0x${"7".repeat(64)}`;
const BOOK = JSON.stringify({
  chainId: 31_337,
  genesisHash: `0x${"11".repeat(32)}`,
  startBlock: 0,
  appRegistry: APP,
  nodeRegistry: APP,
  attestationLedger: APP,
  committeeVerifier: APP,
  advisorySets: APP,
  endorsements: APP,
  timelock: APP,
  governor: APP,
  votes: APP,
});

/** A port on which nothing listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

describe("charter: wrong usage", () => {
  const folder = makeFolder();
  const book = folder.file("book.json", BOOK);
  after(() => folder.remove());

  const wrong: readonly (readonly [string, readonly string[], string])[] = [
    ["no command", [], "cli/usage"],
    ["an unknown command", ["fly"], "cli/usage"],
    ["an unknown option", ["control", APP, "--force"], "cli/usage"],
    ["an argument missing", ["control"], "cli/usage"],
    ["no address", ["control", "0x12"], "cli/usage"],
    ["an unknown level", ["renounce", APP, "--to", "Open"], "cli/usage"],
    ["an unknown setting", ["settings", "loosen", APP, "Gravity=1"], "cli/usage"],
    ["a setting whose value no integer is", ["settings", "loosen", APP, "Notice=soon"], "cli/usage"],
    ["no number", ["release", "veto", APP, "-1"], "cli/usage"],
    ["a missing file", ["compose-hash", "nowhere.json"], "cli/file-unreadable"],
    ["no collateral", ["verify", folder.file("quote.bin", Buffer.from("04000200", "hex"))], "cli/usage"],
    ["no address book", ["--rpc", "http://127.0.0.1:1", "node", "list"], "cli/not-configured"],
    ["no chain node", ["--deployment", book, "node", "list"], "cli/not-configured"],
    ["a renouncing without --yes", ["renounce", APP, "--to", "Frozen"], "cli/not-confirmed"],
  ];
  for (const [what, args, code] of wrong) {
    it(`exits with 1 and a typed error on ${what}`, async () => {
      const run = await runCharter(["--json", ...args], { CHARTER_DEPLOYMENT: folder.path("absent.json") });
      expect(run.exitCode).to.equal(1);
      expect(run.error().code).to.equal(code);
      expect(run.stdout).to.equal("");
    });
  }

  it("exits with 4 when the chain cannot be reached", async () => {
    const rpc = `http://127.0.0.1:${await closedPort()}`;
    const run = await runCharter(["--json", "--deployment", book, "--rpc", rpc, "control", APP]);
    expect(run.exitCode).to.equal(4);
    expect(run.error().code).to.equal("chain/unreachable");
  });

  it("keeps the key out of what it prints", async () => {
    const rpc = `http://127.0.0.1:${await closedPort()}`;
    for (const key of [KEY, KEY.slice(2, 20)]) {
      const args = ["--json", "--deployment", book, "--rpc", rpc, "release", "revoke", APP, "1"];
      const run = await runCharter(args, { CHARTER_KEY: key });
      expect(run.exitCode).to.be.oneOf([1, 4]);
      expect(run.stdout + run.stderr).to.not.include(key);
    }
  });

  it("states the exit codes in its help", async () => {
    const run = await runCharter(["--help"]);
    expect(run.exitCode).to.equal(0);
    expect(run.stdout).to.match(/Exit codes: 0 done, 1 .*2 .*3 .*\n4 .*70/);
  });

  it("hands exit code and output through the shim that people start", async () => {
    const help = await runCharter(["--help"], {}, { program: SHIM });
    expect(help.exitCode).to.equal(0);
    expect(help.stdout).to.include("Usage: charter");
    const usage = await runCharter(["fly"], {}, { program: SHIM });
    expect(usage.exitCode).to.equal(1);
    expect(usage.stderr).to.include("fly");
  });

  it("passes a signal to the command that the shim started, and exits as a killed process does", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((listening) => server.once("listening", listening));
    const { port } = server.address() as AddressInfo;
    const connected = new Promise((resolve) => server.once("connection", resolve));
    // A node that never answers: the command waits until it is told to stop.
    const args = ["--deployment", book, "--rpc", `http://127.0.0.1:${port}`, "control", APP];
    let shim: ChildProcess | undefined;
    const ended = runCharter(args, {}, { program: SHIM, onSpawn: (child) => (shim = child) });
    await connected;
    shim?.kill("SIGTERM");
    expect((await ended).exitCode).to.equal(128 + 15);
    server.close();
  });
});
