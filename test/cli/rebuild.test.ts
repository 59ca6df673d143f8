import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import type { Address } from "../../protocol/words/hex.ts";
import { devnetAccounts } from "../../scripts/devnet/accounts.ts";
import { startGovernedChain, type GovernedChain } from "./support/governedChain.ts";

const { owner, guardian, operator, lease } = devnetAccounts;

describe("charter rebuild, advisories and endorsement", function () {
  this.timeout(120_000);
  let chain: GovernedChain;
  let repository: string;
  before(async () => {
    chain = await startGovernedChain();
    repository = chain.folder.path("repository");
    mkdirSync(join(repository, "deploy"), { recursive: true });
    git("init", "--quiet");
    commit("services:\n  web:\n    image: busybox:1.36\n");
  });
  after(() => chain.stop());

  function git(...args: string[]): string {
    const identity = [
      "-c",
      "user.name=t",
      "-c",
      "user.email=t@example.invalid",
      "-c",
      "commit.gpgsign=false",
    ];
    return execFileSync("git", ["-C", repository, ...identity, ...args], { encoding: "utf8" }).trim();
  }
  function commit(compose: string): void {
    writeFileSync(join(repository, "deploy/compose.yml"), compose);
    git("add", ".");
    git("commit", "--quiet", "-m", "change");
  }
  const LAUNCH = ["--name", "hello", "--lease-signer", lease.address];
  const compose = () => ["--compose", join(repository, "deploy/compose.yml"), ...LAUNCH];
  const note = async (out: string, ...more: string[]): Promise<string> => {
    const file = chain.folder.path(out);
    const args = [
      "--repository",
      repository,
      "--compose",
      "deploy/compose.yml",
      ...LAUNCH,
      "--title",
      "Hello",
    ];
    const run = await chain.as(owner, "note", "create", ...args, ...more, "--out", file);
    expect(run.stderr).to.equal("");
    return file;
  };
  const create = async (...more: string[]): Promise<Address> => {
    const run = await chain.as(owner, "app", "create", ...compose(), "--notice", "100", ...more);
    expect(run.stderr).to.equal("");
    return run.result<{ app: Address }>().app;
  };

  it("makes a note of the committed file, not of what lies in the working tree", async () => {
    const file = await note("first.json");
    writeFileSync(join(repository, "deploy/compose.yml"), "services:\n  web:\n    image: other:1\n");
    const again = await note("again.json");
    expect(readFileSync(again, "utf8")).to.equal(readFileSync(file, "utf8"));
    git("checkout", "--quiet", "deploy/compose.yml");
    const made = JSON.parse(readFileSync(file, "utf8")) as { source: object; images: object[] };
    expect(made.source).to.deep.include({ repository, commit: git("rev-parse", "HEAD") });
    expect(made.images).to.deep.equal([{ service: "web", image: "busybox:1.36", digest: null }]);
    expect((await chain.as(owner, "note", "check", file)).exitCode).to.equal(0);
  });

  it("rebuilds a release from its note's source, and reports it so that it activates", async () => {
    const app = await create(
      "--title",
      "rebuilt",
      "--set",
      `Rebuilder:${operator.address}=1`,
      "--set",
      "RebuildsRequired=1",
    );
    commit("services:\n  web:\n    image: busybox:1.37\n");
    // All that a manifest is made of beside the file stands in the note, or nobody could make it again.
    const more = ["--persistent", "--secret", "KEY=web", "--secret-signer", owner.address, "--tls", "web:80"];
    const told = await note("v2.json", ...more, "--gpu-service", "web", "--allow-unpinned-images");
    const args = [...compose(), "--note", told, ...more, "--gpu-service", "web"];
    const other = await chain.as(owner, "release", "propose", app, ...args);
    expect(other.error().code).to.equal("release/note-disagrees");
    const proposed = await chain.as(owner, "release", "propose", app, ...args, "--allow-unpinned-images");
    expect(proposed.result<{ release: number }>().release).to.equal(2);
    const reported = await chain.as(operator, "rebuild", app, "2", "--report");
    expect(reported.result()).to.include({ matches: true });
    await chain.pass(100);
    const { releases } = (await chain.as(owner, "release", "list", app)).result<{
      releases: { lapsed: boolean }[];
    }>();
    expect(releases[1]).to.include({ lapsed: false });
    expect((await chain.as(owner, "app", "show", app)).result()).to.deep.include({ head: 2 });
  });

  it("exits with 3 when the source gives something else, and shows a lapsed release as such", async () => {
    const app = await create(
      "--salt",
      `0x${"07".repeat(32)}`,
      "--set",
      `Rebuilder:${operator.address}=1`,
      "--set",
      "RebuildsRequired=1",
    );
    const honest = await note("honest.json");
    commit("services:\n  web:\n    image: evil:1\n");
    // The note names the commit before: what is proposed is not what it says. Its images would give it away at once.
    const early = await chain.as(owner, "release", "propose", app, ...compose(), "--note", honest);
    expect(early.error().code).to.equal("release/note-disagrees");
    const { images: _, ...silent } = JSON.parse(readFileSync(honest, "utf8")) as { images: object[] };
    writeFileSync(honest, JSON.stringify(silent));
    await chain.as(owner, "release", "propose", app, ...compose(), "--note", honest);
    const run = await chain.as(operator, "rebuild", app, "2", "--report");
    expect(run.exitCode).to.equal(3);
    expect(run.result()).to.include({ matches: false });
    await chain.pass(100);
    const { releases } = (await chain.as(owner, "release", "list", app)).result<{ releases: object[] }>();
    expect(releases[1]).to.include({ lapsed: true });
    expect(releases[0]).to.include({ endsAt: null });
  });

  it("refuses a stranger's report, a note without source, and a source by another transport", async () => {
    const app = await create("--salt", `0x${"08".repeat(32)}`);
    const none = await chain.as(operator, "rebuild", app, "1");
    expect(none.error().code).to.equal("note/no-source");
    commit("services:\n  web:\n    image: busybox:1.38\n");
    const file = await note("wild.json");
    const wild = readFileSync(file, "utf8").replace(repository, "ext::sh -c touch% /tmp/owned");
    writeFileSync(file, wild);
    await chain.as(owner, "release", "propose", app, ...compose(), "--note", file);
    expect((await chain.as(operator, "rebuild", app, "2")).error().code).to.equal("git/repository");
    const elsewhere = await chain.as(operator, "rebuild", app, "2", "--repository", repository, "--report");
    expect(elsewhere.error().details).to.include({ error: "NoRebuildsDemanded" });
  });

  it("publishes sets of advisories and defines endorsements that apps then name", async () => {
    const set = await chain.as(guardian, "advisories", "publish", "INTEL-SA-00615", "INTEL-SA-00614");
    expect(set.result<{ ids: string[] }>().ids).to.deep.equal(["INTEL-SA-00614", "INTEL-SA-00615"]);
    const { list } = (await chain.as(owner, "endorsement", "create-list", guardian.address)).result<{
      list: number;
    }>();
    const platform = `0x${"ab".repeat(32)}`;
    const add = await chain.as(guardian, "endorsement", "add", String(list), platform, operator.address);
    expect(add.exitCode).to.equal(0);
    const refused = await chain.as(owner, "endorsement", "remove", String(list), platform);
    expect(refused.error().details).to.include({ error: "NotCurator" });
    const text = `any(all(operator:${operator.address}, platforms:${list}), platform:${platform})`;
    const { id } = (await chain.as(owner, "endorsement", "define", text)).result<{ id: string }>();
    const again = await chain.as(owner, "endorsement", "define", text);
    expect(again.result()).to.deep.equal({ id });
    const app = await create("--salt", `0x${"09".repeat(32)}`);
    const loosened = await chain.as(
      owner,
      "settings",
      "loosen",
      app,
      `Endorsement=${id}`,
      "Advisory:INTEL-SA-00614=4000000000",
    );
    expect(loosened.exitCode).to.equal(0);
    for (const wrong of [
      "any()",
      "all(platform:0x12)",
      "operator:0x12",
      "platform",
      "any(platforms:1",
      "x:1",
    ]) {
      expect((await chain.as(owner, "endorsement", "define", wrong)).exitCode, wrong).to.equal(1);
    }
  });
});
