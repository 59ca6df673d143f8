import { createHash } from "node:crypto";

import { expect } from "chai";
import Fastify from "fastify";

import type { Address, Bytes32 } from "../../protocol/words/hex.ts";
import { devnetAccounts } from "../../scripts/devnet/accounts.ts";
import { attestInstance, MEASUREMENT, OS_IMAGE, PLATFORM_ID } from "./support/attest.ts";
import { startGovernedChain, type GovernedChain } from "./support/governedChain.ts";
import { runCharter } from "./support/runCharter.ts";

const { owner, guardian, operator, lease } = devnetAccounts;
const NOTICE = 100;
const GRACE = 50;

interface Created {
  readonly app: Address;
  readonly composeHash: Bytes32;
  readonly noteDigest: Bytes32;
}
interface Listed {
  readonly number: number;
  readonly composeHash: string;
  readonly activatesAt: number;
  readonly endsAt: number | null;
  readonly vetoed: boolean;
  readonly revoked: boolean;
}

describe("charter against the contracts", function () {
  this.timeout(120_000);
  let chain: GovernedChain;
  let salt = 0;

  before(async () => {
    chain = await startGovernedChain();
  });
  after(() => chain.stop());

  const compose = (text: string): string[] => {
    const name = `${createHash("sha256").update(text).digest("hex").slice(0, 8)}.yml`;
    const file = chain.folder.file(name, `services:\n  web:\n    image: ${text}\n`);
    return ["--compose", file, "--name", "hello", "--lease-signer", lease.address];
  };
  const create = async (...more: string[]): Promise<Created> => {
    const unique = `0x${(++salt).toString(16).padStart(64, "0")}`;
    const rules = ["--notice", String(NOTICE), "--grace", String(GRACE), "--salt", unique];
    const run = await chain.as(owner, "app", "create", ...compose("busybox:1.36"), ...rules, ...more);
    expect(run.stderr).to.equal("");
    return run.result<Created>();
  };
  const propose = (app: string, image: string, ...more: string[]) =>
    chain.as(owner, "release", "propose", app, ...compose(image), "--grace", String(GRACE), ...more);
  const releases = async (app: string): Promise<readonly Listed[]> =>
    (await chain.as(owner, "release", "list", app)).result<{ releases: Listed[] }>().releases;

  it("creates an app from a Compose file and publishes the bytes that its hashes name", async () => {
    const { app, composeHash, noteDigest } = await create("--title", "Hello", "--guardian", guardian.address);
    const manifest = Buffer.from(chain.published.get(composeHash) ?? []).toString("utf8");
    expect(createHash("sha256").update(manifest).digest("hex")).to.equal(composeHash.slice(2));
    expect(JSON.parse(manifest)).to.deep.include({
      charter: { lease_signers: [lease.address], max_lease_seconds: 60 },
    });
    expect(Buffer.from(chain.published.get(noteDigest) ?? []).toString("utf8")).to.include('"Hello"');
    const control = (await chain.as(owner, "control", app)).result();
    expect(control).to.include({ level: "Open", ownerCode: "account", noticeSeconds: NOTICE });
    expect(String(control.owner).toLowerCase()).to.equal(owner.address);
    expect(String(control.guardian).toLowerCase()).to.equal(guardian.address);
  });

  it("proposes a release that is active after its notice, its predecessor in grace until it ends", async () => {
    const { app, composeHash } = await create();
    const proposed = (await propose(app, "busybox:1.37")).result<{ release: number; activatesAt: number }>();
    expect(proposed.release).to.equal(2);
    const [first, second] = await releases(app);
    expect(first).to.include({ composeHash, endsAt: proposed.activatesAt + GRACE });
    expect(second).to.include({ activatesAt: proposed.activatesAt, endsAt: null });
    const states = async (): Promise<string[]> => {
      const run = await runCharter(["release", "list", app], chain.environment(owner));
      return [...run.stdout.matchAll(/^\d+ +(\w+(?: grace)?) {2}/gm)].map((match) => match[1] as string);
    };
    expect(await states()).to.deep.equal(["active", "pending"]);
    await chain.pass(NOTICE);
    expect(await states()).to.deep.equal(["in grace", "active"]);
    await chain.pass(GRACE);
    expect(await states()).to.deep.equal(["ended", "active"]);
  });

  it("shows services, images and compose hash before it signs a proposal", async () => {
    const { app } = await create();
    const args = ["release", "propose", app, ...compose("busybox:1.38")];
    const run = await runCharter(args, chain.environment(owner));
    expect(run.stderr).to.match(/^manifest hello\n {2}web: busybox:1\.38 {2}\(not pinned by digest\)\n/);
    expect(run.stderr).to.include(`lease signers: ${lease.address}`);
    expect(run.stdout).to.match(/^release 2 of 0x\w+, after release 1\n/);
  });

  it("vetoes a pending release and revokes an active one, as the guardian", async () => {
    const { app } = await create("--guardian", guardian.address);
    await propose(app, "busybox:1.39");
    expect((await chain.as(guardian, "release", "veto", app, "2")).exitCode).to.equal(0);
    expect((await chain.as(guardian, "release", "revoke", app, "1")).exitCode).to.equal(0);
    const [first, second] = await releases(app);
    expect([first?.revoked, second?.vetoed]).to.deep.equal([true, true]);
    const shown = (await chain.as(owner, "app", "show", app)).result();
    expect(shown).to.include({ head: null, manifestCid: null });
  });

  it("exits with 2 and the contract's own error when a rule refuses", async () => {
    const { app } = await create();
    const stranger = await chain.as(operator, "release", "revoke", app, "1");
    expect(stranger.exitCode).to.equal(2);
    expect(stranger.error().code).to.equal("chain/refused");
    expect(stranger.error().details).to.include({ error: "NotOwnerOrGuardian" });
    expect(String(stranger.error().details.actual).toLowerCase()).to.equal(operator.address);
    const late = await propose(app, "busybox:1.40", "--expect", "7");
    expect(late.exitCode).to.equal(2);
    expect(late.error().details).to.include({ error: "UnexpectedPredecessor", expected: 7, actual: 1 });
    const twice = await chain.as(owner, "app", "create", ...compose("busybox:1.36"), "--notice", "31536001");
    expect(twice.error().details).to.include({ error: "NoticeTooLong" });
  });

  it("raises the level only with --yes, says what that forbids, and then cannot propose", async () => {
    const { app } = await create();
    const hesitant = await chain.as(owner, "renounce", app, "--to", "sealed");
    expect(hesitant.exitCode).to.equal(1);
    expect(hesitant.error().details.forbids).to.have.length(2);
    const frozen = await chain.as(owner, "renounce", app, "--to", "Frozen", "--yes");
    expect(frozen.result()).to.include({ level: "Frozen" });
    const refused = await propose(app, "busybox:1.41");
    expect(refused.exitCode).to.equal(2);
    expect(refused.error().details).to.include({ error: "LevelForbids" });
  });

  it("loosens after the notice and tightens at once, entry by entry", async () => {
    const { app } = await create();
    const entry = async (text: string) =>
      (await chain.as(owner, "settings", "list", app))
        .result<{ entries: { text: string; pending: object | null }[] }>()
        .entries.find((one) => one.text.startsWith(text));
    await chain.as(owner, "settings", "loosen", app, "TcbStatus:OutOfDate=1", "AnyNode=1");
    expect(await entry("TcbStatus OutOfDate")).to.include({ text: "TcbStatus OutOfDate = 0" });
    expect((await entry("AnyNode"))?.pending).to.include({ value: "1" });
    await chain.pass(NOTICE);
    expect(await entry("TcbStatus OutOfDate")).to.include({ text: "TcbStatus OutOfDate = 1", pending: null });
    await chain.as(owner, "settings", "tighten", app, "TcbStatus:OutOfDate=0", "Notice=200");
    expect(await entry("TcbStatus OutOfDate")).to.include({ text: "TcbStatus OutOfDate = 0" });
    expect(await entry("Notice")).to.include({ text: "Notice = 200" });
    const wrongWay = await chain.as(owner, "settings", "tighten", app, "Notice=10");
    expect(wrongWay.error().details).to.include({ error: "NotATightening" });
  });

  it("lets the guardian take a waiting loosening back", async () => {
    const { app } = await create("--guardian", guardian.address);
    await chain.as(owner, "settings", "loosen", app, "TcbStatus:OutOfDate=1");
    const cancelled = await chain.as(guardian, "settings", "cancel", app, "TcbStatus:OutOfDate");
    expect(cancelled.exitCode).to.equal(0);
    const again = await chain.as(guardian, "settings", "cancel", app, "TcbStatus:OutOfDate");
    expect(again.error().details).to.include({ error: "NothingPending" });
  });

  it("adds a guardian at once, replaces one after the notice, and hands ownership over in two steps", async () => {
    const { app } = await create();
    const control = async () => (await chain.as(owner, "control", app)).result<Record<string, unknown>>();
    await chain.as(owner, "guardian", "set", app, guardian.address);
    expect(String((await control()).guardian).toLowerCase()).to.equal(guardian.address);
    await chain.as(owner, "guardian", "set", app, operator.address);
    expect(String((await control()).pendingGuardian).toLowerCase()).to.equal(operator.address);
    const refused = await chain.as(guardian, "guardian", "cancel", app);
    expect(refused.error().details).to.include({ error: "NotOwner" });
    expect((await chain.as(owner, "guardian", "cancel", app)).exitCode).to.equal(0);
    expect((await control()).pendingGuardianAt).to.equal(0);
    await chain.as(owner, "owner", "transfer", app, operator.address);
    expect((await chain.as(operator, "owner", "accept", app)).exitCode).to.equal(0);
    expect(String((await control()).owner).toLowerCase()).to.equal(operator.address);
  });

  it("lists nodes and instances, and believes the ledger about which are live", async () => {
    const image = `${OS_IMAGE}:${MEASUREMENT}`;
    const { app, composeHash } = await create("--os-image", image, "--node", PLATFORM_ID, "--replicas", "2");
    const key = await attestInstance(chain, app, composeHash);
    const nodes = (await chain.as(owner, "node", "list")).result<{ nodes: object[] }>().nodes;
    expect(nodes).to.have.length(1);
    expect(nodes[0]).to.include({ number: 1, operator: operator.address, platformId: PLATFORM_ID });
    const listed = async () =>
      (await chain.as(owner, "instance", "list", "--app", app)).result<{ instances: object[] }>().instances;
    expect((await listed())[0]).to.include({ key, release: 1, node: 1, live: true });
    await chain.as(owner, "release", "revoke", app, "1");
    expect((await listed())[0]).to.include({ key, live: false });
    expect((await chain.as(owner, "app", "show", app)).result()).to.include({ replicas: 2 });
    expect((await chain.as(owner, "replicas", app, "5")).exitCode).to.equal(0);
    expect((await chain.as(owner, "app", "show", app)).result()).to.include({ replicas: 5 });
    const text = await runCharter(["node", "list"], chain.environment(owner));
    expect(text.stdout)
      .to.match(/^node +state +kind/)
      .and.match(/active +Tdx \(simulated\) +UpToDate/);
  });

  it("refuses replicas for another owner's app before it creates anything", async () => {
    const more = ["--owner", operator.address, "--replicas", "1"];
    const run = await chain.as(owner, "app", "create", ...compose("busybox:1.36"), ...more);
    expect(run.exitCode).to.equal(1);
    expect(run.error().code).to.equal("cli/usage");
  });

  it("does not publish for an account that the relayer does not know", async () => {
    const run = await chain.as(operator, "app", "create", ...compose("busybox:never"));
    expect(run.exitCode).to.equal(2);
    expect(run.error().code).to.equal("ipfs/not-publishable");
  });

  it("proposes nothing when the relayer keeps other bytes than were published", async () => {
    const { app } = await create();
    const liar = Fastify();
    liar.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    liar.put("/ipfs/:cid", () => ({}));
    liar.get("/ipfs/:cid", () => "other bytes");
    const url = await liar.listen({ host: "127.0.0.1", port: 0 });
    const run = await propose(app, "busybox:1.42", "--relayer", url);
    await liar.close();
    expect(run.exitCode).to.equal(2);
    expect(run.error().code).to.equal("ipfs/hash-mismatch");
    expect(await releases(app)).to.have.length(1);
    const gone = await propose(app, "busybox:1.42", "--relayer", url);
    expect(gone.exitCode).to.equal(4);
    expect(gone.error().code).to.equal("relayer/unreachable");
  });

  it("refuses a node of another chain than the address book's", async () => {
    const other = { ...chain.deployment, genesisHash: `0x${"99".repeat(32)}` };
    const book = chain.folder.file("other.json", JSON.stringify(other));
    const run = await chain.as(owner, "--deployment", book, "node", "list");
    expect(run.exitCode).to.equal(1);
    expect(run.error().code).to.equal("chain/wrong-chain");
  });

  it("refuses an address that is no app of the registry", async () => {
    const run = await chain.as(owner, "app", "show", `0x${"12".repeat(20)}`);
    expect(run.exitCode).to.equal(2);
    expect(run.error().code).to.equal("app/unknown");
  });

  it("prints no escape sequence that a manifest or a message carries", async () => {
    const { app } = await create();
    const evil = ["--compose", compose("busybox:1.43")[1] as string, "--lease-signer", lease.address];
    const args = ["release", "propose", app, ...evil, "--name", "\u001b[2Jgone"];
    const run = await runCharter(args, chain.environment(owner));
    expect(run.exitCode).to.equal(0);
    expect(run.stderr).to.include(String.raw`manifest "\u001b[2Jgone"`);
    expect(run.stdout + run.stderr).to.not.include("\u001b");
  });
});
