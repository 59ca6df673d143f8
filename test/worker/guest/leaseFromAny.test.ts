import { expect } from "chai";
import { privateKeyToAccount } from "viem/accounts";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address, ComposeHash } from "../../../protocol/words/hex.ts";
import { leaseFromAny } from "../../../worker/guest/leaseFromAny.ts";
import type { HeldLease, LeaseTerms } from "../../../worker/guest/requestLease.ts";
import { RelayerClient } from "../../../worker/session/RelayerClient.ts";
import { SessionKeeper } from "../../../worker/session/SessionKeeper.ts";
import { createTestPki } from "../../../worker/tee/simulator/pki.ts";
import { Inbox } from "../support/Inbox.ts";
import { ManualClock } from "../support/ManualClock.ts";
import { CHAIN, LEASE_ACCOUNT, TestRelayer } from "../support/TestRelayer.ts";

const APP = `0x${"ab".repeat(20)}` as Address;
const COMPOSE_HASH = `0x${"c0".repeat(32)}` as ComposeHash;
const account = privateKeyToAccount(`0x${"31".repeat(32)}`);
const key = account.address.toLowerCase() as Address;

describe("a lease of whoever grants it", () => {
  const pki = createTestPki();
  let relayers: TestRelayer[];
  let clock: ManualClock;
  let sessions: SessionKeeper;
  let denied: Inbox<true>;
  let attested: Inbox<string>;
  let clients: RelayerClient[];
  let stop: AbortController;

  beforeEach(() => {
    [relayers, clients, clock, denied, attested, stop] = [
      [],
      [],
      new ManualClock(),
      new Inbox(),
      new Inbox(),
      new AbortController(),
    ];
    sessions = new SessionKeeper(terms(), clock, () => denied.put(true));
  });
  afterEach(async () => {
    stop.abort();
    sessions.closeAll();
    await Promise.all(relayers.map(({ server }) => server.close()));
  });

  const terms = (): LeaseTerms => ({
    ...{ chainId: CHAIN.chainId, ledger: CHAIN.ledger, app: APP, release: 1, composeHash: COMPOSE_HASH },
    ...{ account, clock, maxLeaseSeconds: 60 },
    leaseSigners: [LEASE_ACCOUNT.address.toLowerCase() as Address],
  });
  const started = async (one = new TestRelayer(pki), knows = true): Promise<TestRelayer> => {
    if (knows) one.attested.set(key, COMPOSE_HASH);
    relayers.push(await one.start());
    clients.push(new RelayerClient(one.url));
    return one;
  };
  const silent = async (): Promise<TestRelayer> => Object.assign(await started(), { isSilent: true });
  const asking = (expiresAt?: number): Promise<HeldLease> => {
    const attest = async ({ url }: RelayerClient): Promise<void> => {
      attested.put(url);
      relayers.find((one) => one.url === url)?.attested.set(key, COMPOSE_HASH);
    };
    return leaseFromAny({ relayers: clients, terms: terms(), sessions, attest }, stop.signal, expiresAt);
  };
  /** Lets time go by when that relayer has been asked. */
  const passedOver = async (one: TestRelayer, milliseconds: number): Promise<void> => {
    await one.leaseRequests.until(() => true);
    clock.advance(milliseconds);
  };

  it("is had in time from the last of ten relayers, where the nine before it are silent", async () => {
    const quiet: TestRelayer[] = [];
    for (let i = 0; i < 9; i++) quiet.push(await silent());
    await started();
    const lease = asking(40_000);
    for (const one of quiet) await passedOver(one, 500);
    expect((await lease).sentAt).to.equal(4_500);
    expect(quiet.map(({ leaseRequests }) => leaseRequests.all.length)).to.deep.equal(Array(9).fill(1));
  });

  it("is had within a quarter of what is left, however short the lease and however many are silent", async () => {
    const quiet: TestRelayer[] = [];
    for (let i = 0; i < 9; i++) quiet.push(await silent());
    await started();
    const lease = asking(4_000);
    for (const one of quiet) await passedOver(one, 100);
    expect((await lease).sentAt).to.equal(900);
  });

  it("is that of a relayer that was slow, where those asked after it grant nothing", async () => {
    const opened = Promise.withResolvers<void>();
    const held = new Inbox<number>();
    const slow = new TestRelayer(pki);
    slow.holdSessions(held.put);
    slow.answersWithin = opened.promise;
    await started(slow);
    const other = await started();
    other.denial = new CharterError("relayer/busy", "signatures");
    const lease = asking();
    await held.until((count) => count === 1);
    while (slow.sessionRequests === 0) await new Promise((done) => setImmediate(done));
    clock.advance(500);
    await other.leaseRequests.until(() => true);
    opened.resolve();
    expect((await lease).sentAt).to.equal(0);
  });

  it("leaves the session of a relayer that was slower than another as it is", async () => {
    const opened = Promise.withResolvers<void>();
    const counts = new Inbox<number>();
    const slow = new TestRelayer(pki);
    const held = slow.holdSessions(counts.put);
    slow.answersWithin = opened.promise;
    await started(slow);
    await started();
    const first = asking();
    while (slow.sessionRequests === 0) await new Promise((done) => setImmediate(done));
    clock.advance(500);
    await first;
    opened.resolve();
    await asking();
    expect([slow.sessionRequests, slow.leaseRequests.all.length]).to.deep.equal([2, 0]);
    expect(counts.all).to.deep.equal([1]); // Opened once, and never again.
    slow.denial = new CharterError("lease/denied", "revoked", { reason: "ReleaseNotAllowed" });
    held.redecide(() => true);
    await denied.until(() => true); // What it tells unasked still comes.
  });

  it("is asked for without the session that takes long to open, which serves the next time", async () => {
    const opened = Promise.withResolvers<void>();
    const slow = new TestRelayer(pki);
    slow.server.addHook("onRequest", async ({ url }) => {
      if (url === "/sessions") await opened.promise;
    });
    slow.holdSessions();
    await started(slow);
    const asked = asking();
    await new Promise((done) => setImmediate(done));
    clock.advance(1_500);
    await asked;
    expect([slow.sessionRequests, slow.leaseRequests.all.length]).to.deep.equal([0, 1]);
    opened.resolve();
    await asking();
    expect([slow.sessionRequests, slow.leaseRequests.all.length]).to.deep.equal([1, 1]);
  });

  it("opens one session with a relayer, however many ask at once", async () => {
    const counts = new Inbox<number>();
    const one = new TestRelayer(pki);
    one.holdSessions(counts.put);
    await started(one);
    await Promise.all([asking(), asking(), asking()]);
    expect(counts.all).to.deep.equal([1]);
    expect(one.sessionRequests).to.equal(3);
  });

  it("costs a relayer that lacks evidence none while one that is silent may yet grant", async () => {
    const quiet = await silent();
    const forgot = await started(new TestRelayer(pki), false);
    const lease = asking(40_000);
    await passedOver(quiet, 500);
    await clock.sleeps.until((milliseconds) => milliseconds === 5_000);
    clock.advance(4_999);
    await new Promise((done) => setImmediate(done));
    expect(attested.all).to.deep.equal([]);
    clock.advance(1);
    await lease;
    expect(attested.all).to.deep.equal([forgot.url]);
  });

  it("is nobody's where one denies and all others are silent: the denial counts", async () => {
    const denying = await started();
    denying.denial = new CharterError("lease/denied", "revoked", { reason: "ReleaseNotAllowed" });
    const quiet = await silent();
    const failed = asking(40_000).catch((error: unknown) => error as CharterError);
    await quiet.leaseRequests.until(() => true);
    await quiet.server.close();
    const { code, details } = (await failed) as CharterError;
    expect(code).to.equal("lease/denied");
    expect(details["tried"]).to.deep.equal([
      { relayer: denying.url, code: "lease/denied" },
      { relayer: quiet.url, code: "relayer/unreachable" },
    ]);
  });
});
