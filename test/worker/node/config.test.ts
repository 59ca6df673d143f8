import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { readNodeConfig } from "../../../worker/node/config.ts";
import { loadOrCreateNodeKey } from "../../../worker/node/nodeKey.ts";
import { deploymentFile } from "../support/deploymentFile.ts";

describe("the node agent's configuration", () => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "charter-node-"))));
  afterEach(() => rmSync(dir, { recursive: true }));

  const key = `0x${"33".repeat(32)}`;
  const complete = () => ({
    CHARTER_RELAYER_URLS: "http://127.0.0.1:1, http://127.0.0.1:2",
    CHARTER_DEPLOYMENT: deploymentFile(dir),
    CHARTER_SIM_DIR: dir,
    CHARTER_SIM_PLATFORM: "one",
    CHARTER_WORKDIR: dir,
    CHARTER_OPERATOR_KEY: key,
  });

  it("comes from the environment", () => {
    const config = readNodeConfig(complete());
    expect(config.relayerUrls).to.deep.equal(["http://127.0.0.1:1", "http://127.0.0.1:2"]);
    expect(config.runtime).to.equal("auto");
    expect(config.hostPorts).to.deep.equal([]);
    expect(config.deployment.chainId).to.equal(31337);
  });

  it("comes from a file, the environment going over it", () => {
    const path = join(dir, "node.json");
    writeFileSync(path, JSON.stringify({ platform: "two", runtime: "dry", hostPorts: [8080] }));
    const config = readNodeConfig(complete(), path);
    expect(config).to.include({ platform: "one", runtime: "dry" });
    expect(config.hostPorts).to.deep.equal([8080]);
  });

  it("names everything that is wrong at once, and repeats no key", () => {
    const wrong = { CHARTER_RELAYER_URLS: "ftp://x", CHARTER_OPERATOR_KEY: "0x1234", CHARTER_WORKDIR: dir };
    expect(() => readNodeConfig(wrong))
      .to.throw(/relayerUrls.*deployment.*simulatorDir.*platform.*CHARTER_OPERATOR_KEY/s)
      .with.property("code", "config/invalid");
    expect(() => readNodeConfig(wrong))
      .to.throw()
      .with.property("message")
      .that.does.not.include("0x1234");
  });

  it("refuses fields that it does not know", () => {
    const path = join(dir, "node.json");
    writeFileSync(path, JSON.stringify({ operatorKey: key }));
    expect(() => readNodeConfig(complete(), path)).to.throw(/operatorKey/);
  });

  it("takes a machine's own evidence without a simulator, and the documents that it needs by their exact text", () => {
    const { CHARTER_SIM_DIR: _, CHARTER_SIM_PLATFORM: __, ...rest } = complete();
    writeFileSync(join(dir, "mr.json"), '{ "version": 3 }');
    const environment = {
      ...rest,
      CHARTER_EVIDENCE: "machine",
      CHARTER_MR_CONFIG_FILE: join(dir, "mr.json"),
    };
    const config = readNodeConfig(environment);
    expect(config).to.include({ evidence: "machine", mrConfig: '{ "version": 3 }' });
    const lost = { ...environment, CHARTER_VM_CONFIG_FILE: join(dir, "none") };
    expect(() => readNodeConfig(lost)).to.throw(/vmConfigFile: the file cannot be read/);
  });

  it("never takes simulated evidence for a chain of value", () => {
    const file = join(dir, "deployment.json");
    const environment = complete();
    const book = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...book, chainId: 1 }));
    expect(() => readNodeConfig(environment)).to.throw(/evidence: .*development chains only.* chain 1/);
    expect(readNodeConfig({ ...environment, CHARTER_EVIDENCE: "machine" }).deployment.chainId).to.equal(1);
  });

  it("keeps the node's key over a restart, for its owner only", () => {
    const first = loadOrCreateNodeKey(dir);
    // Where nothing can be written, as on a full disk, it is read all the same.
    mkdirSync(join(dir, `node.key.${process.pid}`));
    expect(loadOrCreateNodeKey(dir).address).to.equal(first.address);
    expect(statSync(join(dir, "node.key")).mode & 0o777).to.equal(0o600);
    expect(readFileSync(join(dir, "node.key"), "utf8")).to.match(/^0x[0-9a-f]{64}\n$/);
  });

  it("never replaces a key file that it cannot read", () => {
    writeFileSync(join(dir, "node.key"), "something else");
    expect(() => loadOrCreateNodeKey(dir))
      .to.throw()
      .with.property("code", "node/key-invalid");
    expect(readFileSync(join(dir, "node.key"), "utf8")).to.equal("something else");
  });
});
