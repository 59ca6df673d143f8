import { expect } from "chai";
import { privateKeyToAccount } from "viem/accounts";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { leaseDomain, leaseRequestTypes } from "../../../protocol/session/domains.ts";
import { recoverLeaseSigner } from "../../../protocol/session/lease.ts";
import type { VerdictMessage } from "../../../protocol/session/messages.ts";
import { parseAddress, parseBytes32, parseComposeHash } from "../../../protocol/words/hex.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { LeaseDecision, LeaseSession } from "../../../relayer/decisions/lease.ts";
import { LeaseDesk } from "../../../relayer/leases/LeaseDesk.ts";
import { LeaseTicker } from "../../../relayer/leases/LeaseTicker.ts";
import { refusal } from "../../support/refusal.ts";

const CHAIN = 31_337;
const relayer = privateKeyToAccount(`0x${"11".repeat(32)}`);
const guest = privateKeyToAccount(`0x${"22".repeat(32)}`);
const other = privateKeyToAccount(`0x${"33".repeat(32)}`);
const ledger = parseAddress(`0x${"0a".repeat(20)}`);
const app = parseAddress(`0x${"0b".repeat(20)}`);
const key = guest.address.toLowerCase() as Address;
let nonces = 0;
const newNonce = () => parseBytes32(`0x${(++nonces).toString(16).padStart(64, "0")}`);
const composeHash = parseComposeHash(`0x${"0c".repeat(32)}`);

const session = (evidenceBlock = 5): LeaseSession => ({
  app,
  key,
  node: 3,
  verdict: { evidenceBlock } as VerdictMessage,
});
const allowed: LeaseDecision = {
  allow: true,
  release: 2,
  composeHash,
  maxSeconds: 60,
  block: { number: 9n, hash: parseBytes32(`0x${"09".repeat(32)}`), parentHash: newNonce(), timestamp: 1_000 },
};

function fixture(decide: (session: LeaseSession) => LeaseDecision = () => allowed, maxKeys?: number) {
  const world = { now: 1_000, recalled: 0, longest: Infinity, stored: undefined as LeaseSession | undefined };
  const desk = new LeaseDesk({
    chainId: CHAIN,
    ledger,
    decide,
    now: () => world.now,
    ...(maxKeys === undefined ? {} : { maxKeys }),
    maxLeaseSeconds: async () => world.longest,
    recall: async () => {
      world.recalled++;
      return world.stored;
    },
    ticker: new LeaseTicker({ chainId: CHAIN, ledger, signer: relayer, later: (run) => queueMicrotask(run) }),
  });
  const ask = async (by = guest, nonce = newNonce()) =>
    desk.request({
      app,
      key,
      nonce,
      signature: await by.signTypedData({
        domain: leaseDomain(CHAIN, ledger),
        types: leaseRequestTypes,
        primaryType: "LeaseRequest",
        message: { app, nonce },
      }),
    });
  return { desk, world, ask };
}

async function denial(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof CharterError && error.code === "lease/denied") return error.details.reason;
    throw error;
  }
  return "nothing";
}

describe("LeaseDesk", () => {
  it("signs what was decided, for the nonce that was sent", async () => {
    const { desk, ask } = fixture();
    desk.admit(session());
    const nonce = newNonce();
    const signed = await ask(guest, nonce);
    expect(signed.lease).to.deep.equal({ app, key, release: 2, composeHash, nonce, maxSeconds: 60 });
    expect(await recoverLeaseSigner(CHAIN, ledger, signed)).to.equal(relayer.address.toLowerCase());
  });

  it("leases no longer than the measured manifest accepts", async () => {
    const { desk, world, ask } = fixture();
    desk.admit(session());
    world.longest = 20;
    expect((await ask()).lease.maxSeconds).to.equal(20);
    world.longest = 3_600;
    expect((await ask()).lease.maxSeconds).to.equal(60);
  });

  it("refuses a request that another key signed, before it looks anything up", async () => {
    const { desk, world, ask } = fixture();
    desk.admit(session());
    expect(await refusal(ask(other))).to.equal("lease/signature-invalid");
    expect(world.recalled).to.equal(0);
  });

  it("refuses a signature that is none", async () => {
    const { desk } = fixture();
    desk.admit(session());
    const signature = `0x${"00".repeat(65)}` as const;
    expect(await refusal(desk.request({ app, key, nonce: newNonce(), signature }))).to.equal(
      "lease/signature-invalid",
    );
  });

  it("denies a key that never gave evidence", async () => {
    const { ask } = fixture();
    expect(await denial(ask())).to.equal("EvidenceMissing");
  });

  it("answers a nonce once, and does not burn one that another signed", async () => {
    const { desk, ask } = fixture();
    desk.admit(session());
    const nonce = newNonce();
    expect(await refusal(ask(other, nonce))).to.equal("lease/signature-invalid");
    await ask(guest, nonce);
    expect(await refusal(ask(guest, nonce))).to.equal("lease/nonce-replayed");
  });

  it("remembers no nonce of whoever gave no evidence", async () => {
    const { desk, ask } = fixture();
    const nonce = newNonce();
    expect(await denial(ask(guest, nonce))).to.equal("EvidenceMissing");
    desk.admit(session());
    expect((await ask(guest, nonce)).lease.nonce).to.equal(nonce);
  });

  it("forgets keys without a lease where there are too many, and knows them again from the store", async () => {
    const { desk, world, ask } = fixture(undefined, 1);
    desk.admit(session());
    await ask();
    for (const byte of ["d1", "d2"]) {
      const idle = parseAddress(`0x${byte.repeat(20)}`);
      desk.admit({ ...session(), key: idle });
    }
    desk.sweep();
    expect(desk.size).to.equal(1);
    expect(desk.nodeOf(app, key)).to.equal(3);
    world.stored = { ...session(), key: parseAddress(`0x${"d1".repeat(20)}`) };
    expect(await desk.knows(app, world.stored.key)).to.equal(true);
  });

  it("looks a stranger's key up once in a while, not at every request", async () => {
    const { desk, world, ask } = fixture();
    for (let i = 0; i < 3; i++) expect(await denial(ask())).to.equal("EvidenceMissing");
    expect(world.recalled).to.equal(1);
    world.now += 5;
    world.stored = session();
    await ask();
    expect(world.recalled).to.equal(2);
    expect(await desk.knows(app, key)).to.equal(true);
  });

  it("knows at once a key that attests after it was not known", async () => {
    const { desk, ask } = fixture();
    expect(await denial(ask())).to.equal("EvidenceMissing");
    desk.admit(session());
    await ask();
  });

  it("forgets sessions whose evidence has ended", async () => {
    const { desk, world } = fixture();
    desk.admit({ ...session(), verdict: { evidenceBlock: 5, validUntil: 1_010 } as VerdictMessage });
    desk.sweep();
    expect(desk.size).to.equal(1);
    world.now = 1_010;
    desk.sweep();
    expect(desk.size).to.equal(0);
  });

  it("objects to a lease that it would not grant any more, and to nothing else", async () => {
    let decision: LeaseDecision = allowed;
    const { desk, world, ask } = fixture(() => decision);
    desk.admit(session());
    await ask();
    expect(desk.objection(app, key)).to.equal(null);
    decision = { allow: false, reason: "ReleaseNotAllowed", details: {} };
    expect(desk.objection(app, key)?.details.reason).to.equal("ReleaseNotAllowed");
    world.now = 1_060;
    expect(desk.objection(app, key)).to.equal(null); // It is over.
  });

  it("remembers a key from the store after a restart", async () => {
    const { world, ask } = fixture();
    world.stored = session();
    expect((await ask()).lease.release).to.equal(2);
    await ask();
    expect(world.recalled).to.equal(1);
  });

  it("denies with the decision's reason, anew at every request", async () => {
    let decision: LeaseDecision = allowed;
    const { desk, ask } = fixture(() => decision);
    desk.admit(session());
    await ask();
    decision = { allow: false, reason: "ReleaseNotAllowed", details: {} };
    expect(await denial(ask())).to.equal("ReleaseNotAllowed");
  });

  it("tells a chain that cannot be consulted from a denial, so that guests wait it out", async () => {
    const { desk, ask } = fixture(() => ({ allow: false, reason: "HeadTooOld", details: {} }));
    desk.admit(session());
    expect(await refusal(ask())).to.equal("chain/head-too-old");
  });

  it("keeps the newer evidence of a key", async () => {
    const seen: number[] = [];
    const { desk, ask } = fixture(({ verdict }) => {
      seen.push(verdict.evidenceBlock);
      return allowed;
    });
    desk.admit(session(9));
    desk.admit(session(5));
    await ask();
    expect(seen).to.deep.equal([9]);
  });

  it("lists the leases that may still run", async () => {
    const { desk, world, ask } = fixture();
    desk.admit(session());
    await ask();
    expect(desk.granted()).to.deep.equal([{ app, key, node: 3, release: 2, composeHash, until: 1_060 }]);
    world.now = 1_060;
    expect(desk.granted()).to.deep.equal([]);
  });
});
