import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

import { nodeFileSchema } from "../../../worker/node/nodeFile.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

describe("the node agent's operating files", () => {
  it("hold a configuration that the agent parses, whose folder the unit lets it write", () => {
    const config = nodeFileSchema.parse(JSON.parse(read("deploy/node.example.json")));
    expect(config.evidence).to.equal("machine");
    const unit = read("deploy/systemd/charter-node.service");
    const state = /^StateDirectory=(.+)$/m.exec(unit)?.[1];
    expect(unit).to.match(/^ProtectSystem=strict$/m);
    expect(config.workdir).to.equal(`/var/lib/${String(state)}`);
    expect(read("deploy/systemd/node.env.example")).to.match(/^CHARTER_OPERATOR_KEY=0x…$/m);
  });

  it("are units that systemd takes", function () {
    this.timeout(60_000);
    if (spawnSync("systemd-analyze", ["--version"]).status !== 0) {
      console.log("skipped: systemd-analyze is not installed");
      return this.skip();
    }
    const dir = mkdtempSync(join(tmpdir(), "charter-units-"));
    try {
      // Where it is installed, and a program that is here: everything else is the unit's own.
      const installed = (text: string) =>
        text
          .replaceAll("/opt/charter/node_modules/.bin/node", process.execPath)
          .replaceAll("/opt/charter", ROOT);
      const unit = join(dir, "charter-node.service");
      writeFileSync(unit, installed(read("deploy/systemd/charter-node.service")));
      const verify = () => spawnSync("systemd-analyze", ["verify", "--man=no", unit], { encoding: "utf8" });
      const { status, stderr } = verify();
      expect(stderr).not.to.match(/charter-node\.service/);
      expect(status, stderr).to.equal(0);
      // It sees what is wrong: a unit with a word that systemd does not know.
      writeFileSync(unit, `${readFileSync(unit, "utf8")}\n[Service]\nProtectSytem=strict\n`);
      expect(verify().stderr).to.match(/charter-node\.service.*ProtectSytem/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("copy into the image what is there, and start what is copied", () => {
    const file = read("deploy/Dockerfile.node");
    const copied = [...file.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources]) =>
      String(sources).split(" "),
    );
    expect(copied).to.include.members(["protocol", "worker", "package.json"]);
    for (const path of copied) expect(existsSync(join(ROOT, path)), path).to.equal(true);
    const [, program] = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(file)?.[1] ?? "[]") as string[];
    expect(existsSync(join(ROOT, String(program))), program).to.equal(true);
    expect(copied.some((path) => program?.startsWith(`${path}/`))).to.equal(true);
  });
});
