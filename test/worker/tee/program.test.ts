import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

interface Ready {
  readonly url: string;
  readonly ocspUrl: string;
  readonly root: string;
  readonly roots: Readonly<Record<string, string>>;
}

const MAIN = fileURLToPath(new URL("../../../worker/tee/simulator/main.ts", import.meta.url));

describe("the simulated vendor's program", function () {
  this.timeout(30_000);
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "charter-simulator-"))));
  afterEach(() => rmSync(dir, { recursive: true }));

  const start = (env: Record<string, string>) => {
    const child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
    const ready = new Promise<Ready>((done) =>
      createInterface({ input: child.stdout }).once("line", (line) => done(JSON.parse(line) as Ready)),
    );
    const exited = new Promise<{ code: number | null; said: string }>((done) =>
      child.once("close", (code) => done({ code, said })),
    );
    return { child, ready, exited };
  };
  const codeOf = (said: string) => (JSON.parse(said) as { error: { code: string } }).error.code;

  it("serves collateral, says where its root is, refuses a port that is taken, and stops when asked", async () => {
    const first = start({ CHARTER_SIM_DIR: dir, PORT: "0" });
    try {
      const { url, root, roots, ocspUrl } = await first.ready;
      expect((await fetch(`${url}/tdx/certification/v4/qe/identity`)).status).to.equal(200);
      expect((await fetch(`${url}/v1/rim/ids`)).status).to.equal(200);
      const headers = { "content-type": "application/ocsp-request" };
      const asked = await fetch(ocspUrl, { method: "POST", headers, body: "no question" });
      expect(asked.headers.get("content-type")).to.equal("application/ocsp-response");
      // Nobody named a machine of AMD's: its keys are not made.
      expect((await fetch(`${url}/vcek/v1/Milan/cert_chain`)).status).to.equal(404);
      expect(Object.keys(roots).sort()).to.deep.equal(["gpu", "nitro", "rim"]);
      for (const path of [root, ...Object.values(roots)]) {
        expect(readFileSync(path, "utf8")).to.match(/^-----BEGIN CERTIFICATE-----/);
      }
      const second = await start({ CHARTER_SIM_DIR: dir, PORT: new URL(url).port }).exited;
      expect(second.code).to.equal(1);
      expect(codeOf(second.said)).to.equal("config/port-in-use");
    } finally {
      first.child.kill("SIGTERM");
    }
    expect((await first.exited).code).to.equal(0);
  });

  it("refuses to start without a directory", async () => {
    const { code, said } = await start({ PORT: "0" }).exited;
    expect(code).to.equal(1);
    expect(codeOf(said)).to.equal("config/invalid");
  });
});
