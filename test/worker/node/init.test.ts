import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

import { readNodeConfig } from "../../../worker/node/config.ts";
import { initialise, type InitOptions } from "../../../worker/node/init.ts";
import { refusal } from "../../support/refusal.ts";
import { deploymentFile } from "../support/deploymentFile.ts";

const MAIN = fileURLToPath(new URL("../../../worker/node/main.ts", import.meta.url));
const KEY = { CHARTER_OPERATOR_KEY: `0x${"33".repeat(32)}` };

describe("charter-node init", () => {
  let dir: string;
  let out: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "charter-init-"));
    out = join(dir, "etc/node.json");
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** A machine with only what the test puts into its folder. */
  const options = (changes: Partial<InitOptions> = {}): InitOptions => {
    const places = join(dir, "places.json");
    const names = ["tdxDevice", "snpDevice", "nsmDevice", "nvidiaDevices", "tsmRoot"];
    writeFileSync(
      places,
      JSON.stringify({
        dstackSockets: [join(dir, "dstack.sock")],
        ...Object.fromEntries(names.map((name) => [name, join(dir, name)])),
      }),
    );
    return {
      out,
      relayers: "http://127.0.0.1:1, http://127.0.0.1:2",
      deployment: deploymentFile(dir),
      workdir: join(dir, "work"),
      platform: "one",
      places,
      ...changes,
    };
  };

  it("writes what the agent accepts, for the evidence that the machine has", async () => {
    mkdirSync(join(dir, "tsmRoot"));
    mkdirSync(join(dir, "nvidiaDevices/0000:01:00.0"), { recursive: true });
    writeFileSync(join(dir, "tdxDevice"), "");
    expect(await refusal(initialise(options()))).to.equal("config/incomplete");
    const vmConfigFile = join(dir, "vm.json");
    writeFileSync(vmConfigFile, "{}");
    const { evidence, found } = await initialise(options({ vmConfigFile }));
    expect([evidence, found]).to.deep.equal(["machine", ["tsm-tdx", "nvidia"]]);
    const config = readNodeConfig(KEY, out);
    expect(config).to.include({ evidence: "machine", gpu: true, vmConfig: "{}", driver: "process" });
    expect(config.relayerUrls).to.have.length(2);
  });

  it("takes the simulator only where it is asked for, and for no chain of value", async () => {
    expect(await refusal(initialise(options()))).to.equal("tee/no-source");
    expect((await initialise(options({ simulatorDir: dir }))).evidence).to.equal("simulator");
    expect(readNodeConfig(KEY, out)).to.include({ evidence: "simulator", platform: "one" });
    expect(readNodeConfig(KEY, out).tls).to.deep.equal({ host: "127.0.0.1", port: 0 });
    const book = join(dir, "mainnet.json");
    writeFileSync(
      book,
      JSON.stringify({ ...(JSON.parse(readFileSync(deploymentFile(dir), "utf8")) as object), chainId: 1 }),
    );
    const refused = initialise(options({ out: join(dir, "2.json"), simulatorDir: dir, deployment: book }));
    expect(await refusal(refused)).to.equal("tee/simulator-refused");
  });

  it("makes a host of VMs that are registered from inside", async () => {
    const vmmUrl = "unix:/run/vmm.sock";
    expect(await refusal(initialise(options({ vmmUrl })))).to.equal("config/incomplete");
    await initialise(options({ vmmUrl, vmmImage: "dstack-charter-0.5.4" }));
    const config = readNodeConfig(KEY, out);
    expect([config.driver, config.registers, config.vmm?.url]).to.deep.equal(["dstack-vmm", false, vmmUrl]);
  });

  it("overwrites nothing, and asks nobody who is not there", () => {
    const { places: _, ...rest } = options();
    const flags = ["--out", out, "--deployment", String(rest.deployment), "--simulator-dir", dir];
    const run = (...more: string[]) =>
      spawnSync(process.execPath, [MAIN, "init", ...flags, ...more], {
        env: { ...process.env, DOCKER_HOST: "unix:///run/user/1000/docker.sock" },
        encoding: "utf8",
        input: "",
      });
    const codeOf = ({ stderr }: { stderr: string }) =>
      (JSON.parse(stderr) as { error: { code: string } }).error.code;
    expect(codeOf(run())).to.equal("config/incomplete");
    const written = run("--relayers", "http://127.0.0.1:1");
    expect(written.status, written.stderr).to.equal(0);
    // Its agent would not find this engine by itself.
    expect(readNodeConfig(KEY, out).engineSocket).to.equal("/run/user/1000/docker.sock");
    const before = readFileSync(out, "utf8");
    expect(codeOf(run("--relayers", "http://127.0.0.1:2"))).to.equal("config/exists");
    expect(readFileSync(out, "utf8")).to.equal(before);
  });
});
