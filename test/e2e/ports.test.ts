import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect } from "chai";

import { postgresDir } from "../../scripts/devnet/dataDir.ts";
import { freePort } from "../../scripts/devnet/freePort.ts";

const START = fileURLToPath(new URL("../../scripts/start.ts", import.meta.url));

/** Listens on a port of loopback; undefined where another program does so already, which is as good here. */
const occupy = (port: number): Promise<Server | undefined> =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });

describe("freePort", () => {
  it("gives the wanted port where it is free, and another where it is in use", async () => {
    const server = (await occupy(0)) as Server;
    const { port } = server.address() as AddressInfo;
    const other = await freePort(port);
    expect(other).to.be.greaterThan(0).and.not.to.equal(port);
    await new Promise((resolve) => server.close(resolve));
    expect(await freePort(port)).to.equal(port);
  });
});

describe("npm start where its usual ports are in use", function () {
  this.timeout(180_000);
  /** Those of scripts/devnet/devnet.ts: this is about what happens when somebody else has them. */
  const usual = [8545, 8787, 8788, 8000];
  let occupied: (Server | undefined)[];
  let dir: string;

  before(async () => {
    occupied = await Promise.all(usual.map(occupy));
    dir = mkdtempSync(join(tmpdir(), "charter-ports-"));
  });
  after(async () => {
    for (const server of occupied) if (server) await new Promise((done) => server.close(done));
    for (const each of [dir, postgresDir(dir)]) rmSync(each, { recursive: true, force: true });
  });

  it("takes others, and stops in order", async () => {
    const child = spawn(process.execPath, [START, "--dir", dir], { stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    const hear = (chunk: Buffer) => {
      printed += chunk.toString("utf8");
      if (printed.includes("✓ relayer (")) child.kill("SIGINT");
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(code, printed).to.equal(0);
    expect(printed).to.include("✓ chain (anvil").and.include("✓ relayer (");
    const log = readFileSync(join(dir, "logs", "relayer.log"), "utf8");
    const taken = Array.from(log.matchAll(/listening at http:\/\/127\.0\.0\.1:(\d+)/g), ([, port]) =>
      Number(port),
    );
    expect(taken).to.have.length(2);
    for (const port of taken) expect(usual).not.to.include(port);
  });
});
