import { createHash } from "node:crypto";

import { expect } from "chai";

import { makeFolder } from "./support/folder.ts";
import { runCharter } from "./support/runCharter.ts";

const MANIFEST = JSON.stringify({
  manifest_version: 2,
  name: "hello",
  runner: "docker-compose",
  docker_compose_file: "services:\n  hello:\n    image: busybox:1.36\n",
});
const sha256 = (text: string): string => `0x${createHash("sha256").update(text).digest("hex")}`;

describe("charter compose-hash", () => {
  const folder = makeFolder();
  after(() => folder.remove());

  it("prints SHA-256 of the raw bytes and the CID that follows from it", async () => {
    const run = await runCharter(["compose-hash", folder.file("a.json", MANIFEST)]);
    expect(run.exitCode).to.equal(0);
    const [hash, cid] = run.stdout.trim().split("\n");
    expect(hash).to.equal(sha256(MANIFEST));
    expect(cid).to.match(/^bafkrei[a-z2-7]{52}$/);
  });

  it("hashes bytes, not meaning: one space more is another compose hash", async () => {
    const run = await runCharter(["--json", "compose-hash", folder.file("b.json", `${MANIFEST} `)]);
    expect(run.result()).to.include({ composeHash: sha256(`${MANIFEST} `), bytes: MANIFEST.length + 1 });
  });

  it("refuses bytes that are no manifest, and names the field", async () => {
    const unknown = MANIFEST.replace('"name"', '"surprise":1,"name"');
    const run = await runCharter(["--json", "compose-hash", folder.file("c.json", unknown)]);
    expect(run.exitCode).to.equal(1);
    expect(run.error().code).to.equal("manifest/malformed");
    expect(run.stderr).to.include("surprise");
  });

  it("refuses a manifest above 1 MiB", async () => {
    const long = MANIFEST.replace("hello", "h".repeat(1_048_577));
    const run = await runCharter(["--json", "compose-hash", folder.file("d.json", long)]);
    expect(run.exitCode).to.equal(1);
    expect(run.error().code).to.equal("manifest/too-large");
  });

  it("hashes any bytes with --raw", async () => {
    const run = await runCharter(["--json", "compose-hash", "--raw", folder.file("e.json", "anything")]);
    expect(run.result().composeHash).to.equal(sha256("anything"));
  });
});
