import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";

import type { Note } from "../../protocol/note/note.ts";
import { devnetAccounts } from "../../scripts/devnet/accounts.ts";
import { startGovernedChain, type GovernedChain } from "./support/governedChain.ts";
import { runCharter, type Run } from "./support/runCharter.ts";
import { statementOf, testSigstore, type BundleJson, type TestSigstore } from "./support/testSigstore.ts";

const { owner, lease } = devnetAccounts;
const IDENTITY = {
  issuer: "https://token.actions.githubusercontent.com",
  subject: "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v2",
};
const CLAIM = ["--provenance-issuer", IDENTITY.issuer, "--provenance-subject", IDENTITY.subject];
const SIGNED_BY = `signed by ${IDENTITY.subject}, issuer ${IDENTITY.issuer}`;

describe("charter note and release propose with provenance", function () {
  this.timeout(120_000);
  let chain: GovernedChain;
  let sigstore: TestSigstore;
  let repository: string;
  let app: string;
  let manifest: string;
  /** Files: the public root of this test, and one of another Sigstore. */
  let root: string;
  let strangeRoot: string;
  let good: string;
  let plain: string;

  before(async () => {
    chain = await startGovernedChain();
    sigstore = await testSigstore();
    root = json("root.json", sigstore.trustedRoot);
    strangeRoot = json("strange-root.json", (await testSigstore()).trustedRoot);
    repository = chain.folder.path("repository");
    mkdirSync(repository);
    git("init", "--quiet");
    commit("services:\n  web:\n    image: busybox:1.36\n");
    const created = await chain.as(owner, "app", "create", ...compose(), "--notice", "100");
    app = created.result<{ app: string }>().app;
    commit("services:\n  web:\n    image: busybox:1.37\n");
    manifest = chain.folder.path("manifest.json");
    plain = chain.folder.path("plain.json");
    await note("--manifest-out", manifest, "--out", plain);
    good = chain.folder.path("good.json");
    const bundle = json("bundle.json", await sigstore.signMessage(readFileSync(manifest), IDENTITY));
    const made = await note("--provenance", bundle, ...CLAIM, "--out", good);
    expect(made.stderr).to.equal("");
  });
  after(() => chain.stop());

  const json = (name: string, value: unknown): string => chain.folder.file(name, JSON.stringify(value));
  function git(...args: string[]): void {
    const identity = [
      "-c",
      "user.name=t",
      "-c",
      "user.email=t@example.invalid",
      "-c",
      "commit.gpgsign=false",
    ];
    execFileSync("git", ["-C", repository, ...identity, ...args]);
  }
  function commit(text: string): void {
    writeFileSync(join(repository, "compose.yml"), text);
    git("add", ".");
    git("commit", "--quiet", "-m", "change");
  }
  const LAUNCH = ["--name", "hello", "--lease-signer", lease.address];
  const compose = () => ["--compose", join(repository, "compose.yml"), ...LAUNCH];
  const note = (...more: string[]): Promise<Run> =>
    chain.as(
      owner,
      ...["note", "create", "--repository", repository, "--compose", "compose.yml", ...LAUNCH],
      ...["--title", "Two", ...more],
    );
  const check = (...args: string[]): Promise<Run> => runCharter(["--json", "note", "check", ...args]);
  const propose = (file: string, ...more: string[]): Promise<Run> =>
    chain.as(owner, "release", "propose", app, "--manifest", manifest, "--note", file, ...more);
  /** The good note with another bundle or identity in it, past the command that would refuse to make it. */
  const withProvenance = (name: string, change: object): string => {
    const made = JSON.parse(readFileSync(good, "utf8")) as Note;
    return json(name, { ...made, provenance: { ...made.provenance, ...change } });
  };
  const foreign = async (): Promise<string> =>
    withProvenance("foreign.json", { bundle: await sigstore.signMessage(Buffer.from("x"), IDENTITY) });
  const releases = async (): Promise<number> =>
    (await chain.as(owner, "release", "list", app)).result<{ releases: object[] }>().releases.length;

  it("embeds a bundle about the manifest, and says that nobody checked it until somebody did", async () => {
    const bundle = chain.folder.path("bundle.json");
    const made = await note("--provenance", bundle, ...CLAIM);
    expect(made.result().provenance).to.deep.equal({
      status: "not-checked",
      identity: IDENTITY,
      predicateType: null,
    });
    const verified = await note("--provenance", bundle, ...CLAIM, "--trusted-root", root);
    expect(verified.result().provenance).to.include({ status: "verified" });
    expect((await note()).result().provenance).to.equal(null);
  });

  it("makes no note of a bundle about something else, of somebody else, or without saying whose", async () => {
    const out = chain.folder.path("refused.json");
    const other = json("other.json", await sigstore.signMessage(Buffer.from("x"), IDENTITY));
    const run = await note("--provenance", other, ...CLAIM, "--out", out);
    expect([run.exitCode, run.error().code]).to.deep.equal([2, "note/provenance-other-artifact"]);
    const evil = { ...IDENTITY, subject: "https://github.com/evil" };
    const theirs = json("theirs.json", await sigstore.signMessage(readFileSync(manifest), evil));
    const stranger = await note("--provenance", theirs, ...CLAIM, "--out", out);
    expect(stranger.error().code).to.equal("note/provenance-identity");
    expect((await note("--provenance", other)).error().code).to.equal("cli/usage");
    const shapeless = json("shapeless.json", { mediaType: "text/plain" });
    expect((await note("--provenance", shapeless, ...CLAIM)).error().code).to.equal("note/malformed");
    expect(existsSync(out)).to.equal(false);
  });

  it("checks a note: its shape, then its provenance by the file's root alone", async () => {
    const shape = await check(good);
    expect(shape.result().provenance).to.deep.equal({ status: "not-checked", identity: IDENTITY });
    const verified = await check(good, "--manifest", manifest, "--trusted-root", root);
    expect(verified.result().provenance).to.deep.equal({
      status: "verified",
      identity: IDENTITY,
      predicateType: null,
    });
    const said = await runCharter(["note", "check", good, "--manifest", manifest, "--trusted-root", root]);
    expect(said.stdout).to.equal(`Two: well-formed\nprovenance: verified: ${SIGNED_BY}\n`);
    const unchecked = await runCharter(["note", "check", good]);
    expect(unchecked.stdout).to.equal("Two: well-formed\nprovenance: not checked (give --manifest)\n");
  });

  it("fails a check that cannot be made or does not hold", async () => {
    const refused = async (...args: string[]): Promise<unknown[]> => {
      const run = await check(...args);
      expect(run.stdout).to.equal("");
      return [run.exitCode, run.error().code];
    };
    const rooted = ["--manifest", manifest, "--trusted-root", root];
    expect(await refused(good, "--manifest", manifest, "--trusted-root", strangeRoot)).to.deep.equal([
      3,
      "note/provenance-certificate",
    ]);
    expect(await refused(await foreign(), ...rooted)).to.deep.equal([2, "note/provenance-other-artifact"]);
    expect(await refused(plain, ...rooted)).to.deep.equal([2, "note/no-provenance"]);
    expect(await refused(plain, "--manifest", manifest)).to.deep.equal([2, "note/no-provenance"]);
    expect(await refused(good, "--trusted-root", root)).to.deep.equal([1, "cli/usage"]);
    expect(await refused(good, "--manifest", manifest, "--trusted-root", good)).to.deep.equal([
      1,
      "note/trusted-root-malformed",
    ]);
    const another = chain.folder.file(
      "another.json",
      readFileSync(manifest, "utf8").replace("busybox:1.37", "busybox:1.38"),
    );
    expect(await refused(good, "--manifest", another, "--trusted-root", root)).to.deep.equal([
      2,
      "note/disagrees",
    ]);
  });

  it("proposes no release whose note's bundle is about another manifest or fails against the root", async () => {
    const before = await releases();
    const other = await propose(await foreign());
    expect([other.exitCode, other.error().code]).to.deep.equal([2, "note/provenance-other-artifact"]);
    const claimed = withProvenance("claimed.json", {
      identity: { ...IDENTITY, subject: "https://github.com/good/app" },
    });
    expect((await propose(claimed)).error().code).to.equal("note/provenance-identity");
    const strange = await propose(good, "--trusted-root", strangeRoot);
    expect([strange.exitCode, strange.error().code]).to.deep.equal([3, "note/provenance-certificate"]);
    expect((await propose(plain, "--trusted-root", root)).error().code).to.equal("note/no-provenance");
    expect(await releases()).to.equal(before);
    const first = await chain.as(
      owner,
      ...["app", "create", "--manifest", manifest, "--notice", "100", "--salt", `0x${"01".repeat(32)}`],
      ...["--note", await foreign()],
    );
    expect(first.error().code).to.equal("note/provenance-other-artifact");
  });

  it("shows who vouches for what it proposes, and whether that was checked", async () => {
    const args = ["release", "propose", app, "--manifest", manifest, "--note", good];
    const unchecked = await runCharter(args, chain.environment(owner));
    expect(unchecked.stderr).to.include(
      `provenance: not checked (give --trusted-root); the note claims: ${SIGNED_BY}\n`,
    );
    expect(unchecked.exitCode).to.equal(0);
    expect((await chain.as(owner, "release", "veto", app, "2")).exitCode).to.equal(0);
    const { bundle, statement } = await built();
    expect(statement).to.include("slsa.dev");
    const file = withProvenance("built.json", { bundle });
    const verified = await runCharter(
      [...args.slice(0, -1), file, "--trusted-root", root],
      chain.environment(owner),
    );
    expect(verified.stderr).to.include(
      `provenance: verified: built by ${IDENTITY.subject}, issuer ${IDENTITY.issuer}\n`,
    );
    expect(verified.exitCode).to.equal(0);
    expect(await releases()).to.equal(3);
  });

  async function built(): Promise<{ bundle: BundleJson; statement: string }> {
    const { composeHash } = (await runCharter(["--json", "compose-hash", manifest])).result<{
      composeHash: string;
    }>();
    const statement = statementOf([composeHash.slice(2)]);
    return { bundle: await sigstore.attest(statement, IDENTITY), statement: statement.toString("utf8") };
  }
});
