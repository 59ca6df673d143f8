import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { startEmbeddedPostgres } from "../../../relayer/store/embedded.ts";
import { openStore } from "../../../relayer/store/store.ts";
import { refusal } from "../../support/refusal.ts";

describe("embedded Postgres", function () {
  this.timeout(60_000);
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "charter-embedded-"));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it("keeps what was stored, and its password, from one start to the next", async () => {
    await chmod(dir, 0o755);
    const digest = `0x${"ab".repeat(32)}` as never;
    const first = await startEmbeddedPostgres({ dir });
    const store = await openStore(await first.createDatabase("relayer"));
    await store.blobs.put(digest, new Uint8Array([1, 2, 3]));
    await store.close();
    await first.stop();
    await first.stop();

    const second = await startEmbeddedPostgres({ dir });
    const again = await openStore(await second.createDatabase("relayer"));
    expect([...((await again.blobs.get(digest)) ?? [])]).to.deep.equal([1, 2, 3]);
    expect(new URL(second.url).password).to.equal(new URL(first.url).password);
    expect(await refusal(startEmbeddedPostgres({ dir }))).to.equal("store/directory-in-use");
    await again.close();
    await second.stop();
  });

  it("refuses a directory that its account cannot enter", async function () {
    if (process.getuid?.() !== 0) this.skip();
    await chmod(dir, 0o700);
    expect(await refusal(startEmbeddedPostgres({ dir }))).to.equal("store/directory-closed");
  });

  it("says which port is taken instead of hanging", async () => {
    await chmod(dir, 0o755);
    const first = await startEmbeddedPostgres({ dir });
    const other = await mkdtemp(join(tmpdir(), "charter-embedded-"));
    await chmod(other, 0o755);
    expect(await refusal(startEmbeddedPostgres({ dir: other, port: first.port }))).to.equal(
      "store/postgres-failed",
    );
    await first.stop();
    await rm(other, { recursive: true, force: true });
  });
});
