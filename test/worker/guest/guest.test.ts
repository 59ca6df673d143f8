import { expect } from "chai";
import { privateKeyToAccount } from "viem/accounts";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address, Bytes32, ComposeHash, NoteDigest } from "../../../protocol/words/hex.ts";
import { guestConfigSchema, type GuestConfig } from "../../../worker/guest/config.ts";
import type { Runtime, ServiceState } from "../../../worker/guest/compose/Runtime.ts";
import { openHoldings } from "../../../worker/guest/holdings/openHoldings.ts";
import { Guest } from "../../../worker/guest/Guest.ts";
import type { NoteStanding } from "../../../worker/guest/note/NoteStanding.ts";
import type { GuestState } from "../../../worker/guest/state.ts";
import { createTestPki } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { refusal } from "../../support/refusal.ts";
import { Inbox } from "../support/Inbox.ts";
import { ManualClock } from "../support/ManualClock.ts";
import { CHAIN, LEASE_ACCOUNT, TestRelayer } from "../support/TestRelayer.ts";

const APP = `0x${"ab".repeat(20)}` as Address;
const PINNED = `busybox@sha256:${"1b".repeat(32)}`;
const COMPOSE = `services:\n  web:\n    image: ${PINNED}\n    command: [httpd, -f]\n`;
const manifest = (changes: Record<string, unknown> = {}) =>
  Buffer.from(
    JSON.stringify({
      manifest_version: 2,
      name: "hello",
      runner: "docker-compose",
      docker_compose_file: COMPOSE,
      charter: { lease_signers: [LEASE_ACCOUNT.address], max_lease_seconds: 60 },
      ...changes,
    }),
  );

/** Records what is asked of it; starting takes as long as the test wants. */
class RecordedRuntime implements Runtime {
  readonly kind = "docker";
  readonly note = "recorded";
  readonly calls: string[] = [];
  services: readonly ServiceState[] = [];
  stopSeconds: number | undefined;
  readonly downFailures: CharterError[] = [];
  isHanging = false;
  failure: CharterError | undefined;

  async pull(): Promise<void> {
    this.calls.push("pull");
  }

  async up(signal: AbortSignal): Promise<void> {
    this.calls.push("up");
    if (this.failure) throw this.failure;
    if (this.isHanging) await new Promise((done) => signal.addEventListener("abort", done, { once: true }));
  }

  async tend(): Promise<readonly ServiceState[]> {
    return this.services;
  }

  async down(stopSeconds: number): Promise<void> {
    this.calls.push("down");
    this.stopSeconds = stopSeconds;
    const failure = this.downFailures.shift();
    if (failure) throw failure;
  }

  target: string | null = null;
  async address(): Promise<string | null> {
    return this.target;
  }

  logs(): null {
    return null;
  }
}

describe("the guest", () => {
  const pki = createTestPki();
  let relayers: TestRelayer[];
  let clock: ManualClock;
  let runtime: RecordedRuntime;
  let states: Inbox<GuestState>;
  let notes: Inbox<NoteStanding>;
  let stop: AbortController;

  beforeEach(async () => {
    relayers = [await new TestRelayer(pki).start()];
    clock = new ManualClock();
    runtime = new RecordedRuntime();
    states = new Inbox();
    notes = new Inbox();
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await Promise.all(relayers.map(({ server }) => server.close()));
  });

  const relayer = () => relayers[0] as TestRelayer;
  const guest = (composeHash: ComposeHash, changes: Partial<GuestConfig> = {}) => {
    const config = guestConfigSchema.parse({
      chainId: CHAIN.chainId,
      genesisHash: CHAIN.genesisHash,
      ledger: CHAIN.ledger,
      relayerUrls: relayers.map(({ url }) => url),
      app: APP,
      composeHash,
      release: 1,
      node: 1,
      slot: 0,
      simulatorDir: "unused",
      platform: "one",
      workdir: "unused",
      ...changes,
    });
    return new Guest(config, {
      clock,
      source: new SimulatedTdx(simulatedPlatform(pki, { name: "one" }), { composeHash }),
      runtime: () => Promise.resolve(runtime),
      holdings: (project, parsed) => openHoldings(config, project, parsed, { clock, report: states.put }),
      report: states.put,
      tellNote: notes.put,
    });
  };
  /** The first relayer, as one that holds sessions. */
  const holding = async () => {
    await relayer().server.close();
    const one = new TestRelayer(pki);
    const held = one.holdSessions();
    relayers[0] = await one.start();
    return held;
  };
  const reaches = (state: GuestState["state"]) => states.until((told) => told.state === state);
  const started = async (changes: Partial<GuestConfig> = {}) =>
    guest(await relayer().keep(manifest()), changes).run(stop.signal);

  it("attests, leases and starts the containers, in that order", async () => {
    const running = guest(await relayer().keep(manifest())).run(stop.signal);
    await reaches("running");
    expect(states.all.map(({ state }) => state)).to.deep.equal([
      "starting",
      "manifest-checked",
      "attested",
      "leased",
      "running",
    ]);
    expect(runtime.calls).to.deep.equal(["pull", "up"]);
    stop.abort();
    expect(await running).to.equal("asked");
    expect(runtime.calls).to.deep.equal(["pull", "up", "down"]);
  });

  it("renews at a third of the lease, and goes on beyond the first lease's end", async () => {
    const running = guest(await relayer().keep(manifest())).run(stop.signal);
    await reaches("running");
    for (let i = 0; i < 5; i++) {
      clock.advance(20_000);
      await reaches("leased");
    }
    expect(runtime.calls).to.deep.equal(["pull", "up"]);
    stop.abort();
    await running;
  });

  it("tells of its release's note", async () => {
    const composeHash = await relayer().keep(manifest());
    const noteDigest = (await relayer().keep(Buffer.from('{"title":"Says hello"}'))) as unknown as NoteDigest;
    relayer().releases.set(APP, [{ composeHash, noteDigest }]);
    const running = guest(composeHash).run(stop.signal);
    const told = await notes.until(() => true);
    expect(told).to.deep.include({ note: "good", title: "Says hello", digest: noteDigest });
    await reaches("running");
    stop.abort();
    await running;
  });

  it("runs an app whose note nobody has, and says so", async () => {
    const composeHash = await relayer().keep(manifest());
    const noteDigest = `0x${"d1".repeat(32)}` as NoteDigest;
    relayer().releases.set(APP, [{ composeHash, noteDigest }]);
    const running = guest(composeHash).run(stop.signal);
    const tried = [{ source: relayer().url, code: "ipfs/unknown" }];
    expect(await notes.until(() => true)).to.deep.equal({ note: "missing", digest: noteDigest, tried });
    await reaches("running");
    stop.abort();
    expect(await running).to.equal("asked");
  });

  it("runs an app whose note contradicts its manifest: the chain decided", async () => {
    const composeHash = await relayer().keep(manifest());
    const note = Buffer.from('{"title":"No image at all","images":[]}');
    const noteDigest = (await relayer().keep(note)) as unknown as NoteDigest;
    relayer().releases.set(APP, [{ composeHash, noteDigest }]);
    const running = guest(composeHash).run(stop.signal);
    expect(await notes.until(() => true)).to.deep.include({ note: "contradicts", code: "note/disagrees" });
    await reaches("running");
    stop.abort();
    expect(await running).to.equal("asked");
  });

  it("waits for nobody's word on the note", async () => {
    relayer().isSilentOnReleases = true;
    const running = started();
    await reaches("running");
    expect(notes.all).to.deep.equal([]);
    stop.abort();
    expect(await running).to.equal("asked");
  });

  for (const [what, bytes, code] of [
    ["other bytes than the hash says", manifest({ name: "another" }), "manifest/wrong-hash"],
    ["more than 1 MiB", Buffer.alloc(1_048_577, 0x20), "relayer/answer-too-large"],
  ] as const) {
    it(`refuses a manifest of ${what}`, async () => {
      const hash = await relayer().keep(bytes, `0x${"cd".repeat(32)}` as ComposeHash);
      expect(await refusal(guest(hash).run(stop.signal))).to.equal(code);
      expect(runtime.calls).to.deep.equal([]);
    });
  }

  it("takes the manifest from the next relayer when the first one lies", async () => {
    relayers.push(await new TestRelayer(pki).start());
    const hash = await (relayers[1] as TestRelayer).keep(manifest());
    await relayer().keep(manifest({ name: "another" }), hash);
    const running = guest(hash).run(stop.signal);
    await reaches("running");
    stop.abort();
    await running;
  });

  for (const [what, changes, code] of [
    ["an unknown field", { surprise: true }, "manifest/malformed"],
    ["no lease signer", { charter: undefined }, "manifest/unsupported"],
    ["a script that would not run", { pre_launch_script: "true" }, "manifest/unsupported"],
    [
      "a privileged service",
      { docker_compose_file: `${COMPOSE}    privileged: true\n` },
      "compose/key-not-allowed",
    ],
  ] as const) {
    it(`refuses a manifest with ${what}`, async () => {
      expect(await refusal(guest(await relayer().keep(manifest(changes))).run(stop.signal))).to.equal(code);
      expect(relayer().attested.size).to.equal(0);
    });
  }

  for (const [what, changes] of [
    ["a persistent volume", { charter: { lease_signers: [APP], persistent: true } }],
    ["keys of a KMS", { kms_enabled: true }],
  ] as const) {
    it(`refuses a manifest with ${what} where no key survives the guest`, async () => {
      const hash = await relayer().keep(manifest(changes));
      expect(await refusal(guest(hash, { evidence: "machine" }).run(stop.signal))).to.equal("keys/no-source");
      expect(relayer().attested.size).to.equal(0);
    });
  }

  it("refuses an app that asks for a GPU where its evidence binds none, before anything is pulled", async () => {
    const charter = { lease_signers: [LEASE_ACCOUNT.address], gpu: { services: ["web"] } };
    const hash = await relayer().keep(manifest({ charter }));
    expect(await refusal(guest(hash).run(stop.signal))).to.equal("manifest/unsupported");
    const unknown = { ...charter, gpu: { services: ["other"] } };
    const other = await relayer().keep(manifest({ charter: unknown }));
    expect(await refusal(guest(other).run(stop.signal))).to.equal("manifest/malformed");
    expect(runtime.calls).to.deep.equal([]);
  });

  it("refuses an app that asks for attested TLS where the node names no address for it", async () => {
    const charter = { lease_signers: [LEASE_ACCOUNT.address], tls: { service: "web", port: 8080 } };
    const hash = await relayer().keep(manifest({ charter }));
    expect(await refusal(guest(hash).run(stop.signal))).to.equal("manifest/unsupported");
    expect(runtime.calls).to.deep.equal([]);
  });

  it("refuses a relayer of another chain", async () => {
    relayer().chain = { ...CHAIN, genesisHash: `0x${"0b".repeat(32)}` };
    expect(await refusal(guest(await relayer().keep(manifest())).run(stop.signal))).to.equal(
      "chain/mismatch",
    );
  });

  for (const [what, bend, code] of [
    ["by a signer that the manifest does not name", undefined, "lease/signer-not-named"],
    ["for another nonce", { nonce: `0x${"00".repeat(32)}` as Bytes32 }, "lease/mismatch"],
    ["for another app", { app: `0x${"ac".repeat(20)}` as Address }, "lease/mismatch"],
    ["for another key", { key: `0x${"ad".repeat(20)}` as Address }, "lease/mismatch"],
    ["for another release", { release: 2 }, "lease/mismatch"],
    ["for another compose hash", { composeHash: `0x${"ae".repeat(32)}` as ComposeHash }, "lease/mismatch"],
    ["longer than the manifest allows", { maxSeconds: 61 }, "lease/too-long"],
    ["of no seconds", { maxSeconds: 0 }, "lease/too-long"],
  ] as const) {
    it(`refuses a lease ${what}`, async () => {
      if (bend) relayer().bendLease = (lease) => ({ ...lease, ...bend });
      else relayer().signer = privateKeyToAccount(`0x${"22".repeat(32)}`);
      expect(await refusal(guest(await relayer().keep(manifest())).run(stop.signal))).to.equal(code);
      expect(runtime.calls).to.deep.equal(["pull"]);
    });
  }

  it("stops the containers when the lease is denied", async () => {
    const running = started();
    await reaches("running");
    relayer().denial = new CharterError("lease/denied", "revoked", { reason: "ReleaseNotAllowed" });
    clock.advance(20_000);
    expect(await running).to.equal("denied");
    expect(runtime.calls).to.deep.equal(["pull", "up", "down"]);
  });

  it("renews within the session that it holds, without signing again", async () => {
    await holding();
    const running = started();
    await reaches("running");
    clock.advance(20_000);
    await reaches("leased");
    expect([relayer().sessionRequests, relayer().leaseRequests.all.length]).to.deep.equal([2, 0]);
    stop.abort();
    await running;
  });

  it("stops at once when its relayer says that it would deny, long before the next renewal", async () => {
    const held = await holding();
    const running = started();
    await reaches("running");
    clock.advance(1_000);
    relayer().denial = new CharterError("lease/denied", "revoked", { reason: "ReleaseNotAllowed" });
    held.redecide(() => true);
    expect(await running).to.equal("denied");
    expect(runtime.calls.at(-1)).to.equal("down");
  });

  it("goes on while another relayer leases, whatever one says", async () => {
    const held = await holding();
    relayers.push(await new TestRelayer(pki).start());
    const running = started();
    await reaches("running");
    clock.advance(1_000);
    relayer().denial = new CharterError("lease/denied", "a lie", { reason: "ReleaseNotAllowed" });
    held.redecide(() => true);
    await reaches("leased");
    expect((relayers[1] as TestRelayer).leaseRequests.all).not.to.have.length(0);
    stop.abort();
    expect(await running).to.equal("asked");
  });

  it("asks by requests of its own when its session breaks", async () => {
    const held = await holding();
    const running = started();
    await reaches("running");
    held.closeAll();
    clock.advance(20_000);
    await reaches("leased");
    stop.abort();
    expect(await running).to.equal("asked");
  });

  it("waits out a silent relayer for as long as the lease lasts, and not a moment longer", async () => {
    const running = started();
    await reaches("running");
    relayer().isSilent = true;
    const asked = relayer().leaseRequests.all.length;
    clock.advance(20_000);
    await relayer().leaseRequests.until(() => relayer().leaseRequests.all.length > asked);
    clock.advance(39_999);
    await new Promise((done) => setImmediate(done));
    expect(runtime.calls).to.deep.equal(["pull", "up"]);
    clock.advance(1);
    expect(await running).to.equal("expired");
    expect(runtime.calls).to.deep.equal(["pull", "up", "down"]);
  });

  it("says that the lease was not renewed, and stops when it ends, where the relayer is gone", async () => {
    const running = started();
    await reaches("running");
    await relayer().server.close();
    clock.advance(20_000);
    const told = await reaches("lease-not-renewed");
    expect(told).to.have.nested.property("error.code", "relayer/unreachable");
    clock.advance(40_000);
    expect(await running).to.equal("expired");
  });

  it("renews from the second relayer when the first one is gone", async () => {
    relayers.push(await new TestRelayer(pki).start());
    const running = started();
    await reaches("running");
    await relayer().server.close();
    clock.advance(20_000);
    await reaches("leased"); // The second one has no evidence of this key: the guest gives it some first.
    expect((relayers[1] as TestRelayer).attested.size).to.equal(1);
    stop.abort();
    expect(await running).to.equal("asked");
  });

  it("gives fresh evidence when the relayer has forgotten the key", async () => {
    const running = started();
    await reaches("running");
    relayer().attested.clear();
    clock.advance(20_000);
    await reaches("leased");
    expect(relayer().attested.size).to.equal(1);
    stop.abort();
    await running;
  });

  it("attests anew before its evidence grows old", async () => {
    const running = started({ reattestSeconds: 30 });
    await reaches("running");
    clock.advance(20_000);
    await reaches("leased");
    clock.advance(20_000);
    await reaches("attested");
    stop.abort();
    await running;
  });

  it("renews its lease while a relayer lets new evidence wait", async () => {
    const running = started({ reattestSeconds: 30 });
    await reaches("running");
    relayer().isSilentOnEvidence = true;
    for (let i = 0; i < 4; i++) {
      clock.advance(20_000);
      await reaches("leased");
    }
    expect(relayer().evidenceGiven).to.equal(2);
    expect(runtime.calls).to.deep.equal(["pull", "up"]);
    stop.abort();
    await running;
  });

  it("is leased by one relayer while another says that it lacks evidence, and lets it wait", async () => {
    relayers.unshift(await new TestRelayer(pki).start());
    const [liar, honest] = relayers as [TestRelayer, TestRelayer];
    liar.isSilentOnEvidence = true;
    liar.denial = new CharterError("lease/denied", "a lie", { reason: "EvidenceMissing" });
    liar.chain = { ...CHAIN, genesisHash: `0x${"0b".repeat(32)}` }; // So that the honest one is given evidence at first.
    const running = guest(await honest.keep(manifest())).run(stop.signal);
    await reaches("running");
    liar.chain = CHAIN;
    for (let i = 0; i < 4; i++) {
      clock.advance(20_000);
      await reaches("leased");
    }
    expect([liar.evidenceGiven, honest.evidenceGiven]).to.deep.equal([0, 1]);
    stop.abort();
    await running;
  });

  it("gives evidence to all that lack it when nobody grants, whichever answers first", async () => {
    relayers.unshift(await new TestRelayer(pki).start());
    const [silent, honest] = relayers as [TestRelayer, TestRelayer];
    silent.chain = { ...CHAIN, genesisHash: `0x${"0b".repeat(32)}` };
    const running = guest(await honest.keep(manifest())).run(stop.signal);
    await reaches("running");
    silent.chain = CHAIN;
    silent.isSilentOnEvidence = true;
    honest.attested.clear();
    clock.advance(20_000);
    await reaches("leased");
    expect([silent.evidenceGiven, honest.evidenceGiven]).to.deep.equal([1, 2]);
    stop.abort();
    await running;
  });

  it("asks a busy relayer again within the lease, however long it asks to be left alone", async () => {
    const running = started();
    await reaches("running");
    relayer().denial = new CharterError("relayer/busy", "signatures", { retryAfterSeconds: 3_600 });
    clock.advance(20_000);
    await reaches("lease-not-renewed");
    relayer().denial = undefined;
    clock.advance(14_000); // A third of the 40 seconds that are left.
    await reaches("leased");
    stop.abort();
    expect(await running).to.equal("asked");
  });

  it("takes containers down also where the engine never answers what it was asked before", async () => {
    runtime.tend = () => new Promise(() => undefined);
    const running = started();
    await reaches("running");
    stop.abort();
    await reaches("stopping");
    await new Promise((done) => setImmediate(done));
    clock.advance(1_000);
    expect(await running).to.equal("asked");
    expect(runtime.calls).to.deep.equal(["pull", "up", "down"]);
  });

  it("cuts off a start that hangs when the lease ends", async () => {
    runtime.isHanging = true;
    const running = guest(await relayer().keep(manifest())).run(stop.signal);
    await reaches("leased");
    relayer().denial = new CharterError("lease/denied", "revoked", { reason: "ReleaseNotAllowed" });
    clock.advance(20_000);
    expect(await running).to.equal("denied");
    expect(runtime.calls).to.deep.equal(["pull", "up", "down"]);
  });

  it("takes down what a failed start left behind", async () => {
    runtime.failure = new CharterError("compose/command-failed", "no such image");
    expect(await refusal(guest(await relayer().keep(manifest())).run(stop.signal))).to.equal(
      "compose/command-failed",
    );
    expect(runtime.calls).to.deep.equal(["pull", "up", "down"]);
  });

  it("refuses an image that is not pinned by digest, unless the manifest waives it", async () => {
    const docker_compose_file = "services: { web: { image: 'busybox:1.36' } }";
    const unpinned = await relayer().keep(manifest({ docker_compose_file }));
    expect(await refusal(guest(unpinned).run(stop.signal))).to.equal("compose/image-not-pinned");
    expect(runtime.calls).to.deep.equal([]);

    const charter = { lease_signers: [LEASE_ACCOUNT.address], allow_unpinned_images: true };
    const running = guest(await relayer().keep(manifest({ docker_compose_file, charter }))).run(stop.signal);
    await reaches("running");
    stop.abort();
    await running;
  });

  it("tells of the services' health when it changes", async () => {
    runtime.services = [{ service: "web", state: "running", health: "starting" }];
    const running = started();
    const first = await reaches("health");
    expect(first).to.have.nested.property("services[0].health", "starting");
    runtime.services = [{ service: "web", state: "running", health: "healthy" }];
    clock.advance(1_000);
    const second = await reaches("health");
    expect(second).to.have.nested.property("services[0].health", "healthy");
    stop.abort();
    await running;
  });

  it("gives containers no time beyond the lease", async () => {
    const running = started();
    await reaches("running");
    await relayer().server.close();
    clock.advance(60_000);
    expect(await running).to.equal("expired");
    expect(runtime.stopSeconds).to.equal(0);
  });

  it("gives containers what is left of the lease when it is asked to stop", async () => {
    const running = started();
    await reaches("running");
    clock.advance(17_500); // Renewal is due at 20 s of 60.
    stop.abort();
    expect(await running).to.equal("asked");
    expect(runtime.stopSeconds).to.equal(5);
  });

  it("takes containers down within the lease that its denial leaves", async () => {
    const running = started();
    await reaches("running");
    await relayer().server.close();
    clock.advance(57_500);
    await reaches("lease-not-renewed");
    stop.abort();
    expect(await running).to.equal("asked");
    expect(runtime.stopSeconds).to.equal(2);
  });

  it("tries to take containers down until the engine has done it", async () => {
    runtime.downFailures.push(new CharterError("compose/command-failed", "no engine"));
    const running = started();
    await reaches("running");
    stop.abort();
    await reaches("not-stopped");
    clock.advance(1_000);
    expect(await running).to.equal("asked");
    expect(runtime.calls).to.deep.equal(["pull", "up", "down", "down"]);
  });
});
