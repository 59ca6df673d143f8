import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

import { gocryptfsMissing, openGocryptfs } from "../../../worker/storage/gocryptfs.ts";
import type { Volume } from "../../../worker/storage/Volume.ts";
import { refusal } from "../../support/refusal.ts";
import { behavesAsVolume } from "./behavesAsVolume.ts";

behavesAsVolume({
  kind: "gocryptfs",
  missing: gocryptfsMissing,
  open: openGocryptfs,
  module: "../../../worker/storage/gocryptfs.ts",
  name: "openGocryptfs",
});

describe("a gocryptfs volume on a bad day", function () {
  this.timeout(60_000);
  let dir: string;
  let open: Volume | undefined;
  const path = process.env.PATH;

  before(async function () {
    const why = await gocryptfsMissing();
    if (why === null) return;
    console.log(`      skipped: gocryptfs: ${why}`);
    this.skip();
  });
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "charter-volume-"))));
  afterEach(async () => {
    process.env.PATH = path;
    await open?.close();
    open = undefined;
    rmSync(dir, { recursive: true });
  });
  const options = () => ({
    cipherDir: join(dir, "cipher"),
    mountPoint: join(dir, "plain"),
    key: new Uint8Array(32).fill(1),
  });

  it("whoseMountIsStillThere_isInUse_notOpened", async () => {
    // Of an earlier guest with the same directory, which is ending: what is mounted there is not ours.
    open = await openGocryptfs(options());
    expect(await refusal(openGocryptfs(options()))).to.equal("storage/in-use");
  });

  it("whoseMakingWasCutOff_isMadeAnew", async () => {
    const programs = join(dir, "programs");
    mkdirSync(programs);
    // Half a configuration, and then no power.
    writeFileSync(
      join(programs, "gocryptfs"),
      '#!/bin/sh\nfor last; do :; done\nprintf "{" > "$last/gocryptfs.conf"\nkill -9 $$\n',
    );
    chmodSync(join(programs, "gocryptfs"), 0o755);
    process.env.PATH = `${programs}:${path ?? ""}`;
    expect(await refusal(openGocryptfs(options()))).to.equal("storage/failed");
    process.env.PATH = path;
    open = await openGocryptfs(options());
    expect(existsSync(open.path)).to.equal(true);
  });
});
