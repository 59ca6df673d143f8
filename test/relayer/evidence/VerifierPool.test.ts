import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import {
  EvidenceError,
  parseCollateral,
  verifyEvidence,
  type Evidence,
} from "../../../protocol/evidence/index.ts";
import { parseAddress, parseComposeHash } from "../../../protocol/words/hex.ts";
import { VerifierPool } from "../../../relayer/evidence/pool/VerifierPool.ts";
import { measureBoot } from "../../../worker/tee/measureBoot.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { AT, issued, platform, root } from "../../protocol/evidence/simulated.ts";

async function evidence(debug = false): Promise<Evidence> {
  const tdx = new SimulatedTdx(platform, { debug });
  await measureBoot(tdx, {
    app: parseAddress(`0x${"11".repeat(20)}`),
    composeHash: parseComposeHash(`0x${"22".repeat(32)}`),
    instanceId: `0x${"33".repeat(20)}`,
  });
  return { kind: "tdx", ...(await tdx.quote(new Uint8Array(64).fill(1))) };
}

const places = [
  { where: "in threads", threads: 2 },
  { where: "in the thread that asks", threads: 0 },
] as const;

for (const { where, threads } of places)
  describe(`the pool of verifiers, ${where}`, () => {
    const collateral = issued();
    let pool: VerifierPool;
    before(() => {
      pool = new VerifierPool({ roots: [root], threads });
    });
    after(() => pool.close());

    it("answers as the verifier itself does", async () => {
      const one = await evidence();
      const options = {
        collateral: parseCollateral(collateral),
        at: AT + 1,
        crypto: nodeCrypto,
        roots: [root],
      };
      const { tdx, boot, checks, ...expected } = await verifyEvidence(one, options);
      expect([tdx.kind, boot.composeHash, checks.length > 30]).to.deep.equal([
        "tdx",
        expected.composeHash,
        true,
      ]);
      expect(await pool.verify(one, collateral, AT + 1)).to.deep.equal(expected);
    });

    it("gives every job of a burst its own answer, good ones between bad ones", async () => {
      const [good, debug] = [await evidence(), await evidence(true)];
      const jobs = Array.from({ length: 70 }, (_, i) => ({ isGood: i % 3 !== 0, late: i % 7 === 0 }));
      const outcomes = await Promise.allSettled(
        jobs.map(({ isGood, late }) =>
          pool.verify(isGood ? good : debug, collateral, late ? AT + 31 * 86_400 : AT + 1),
        ),
      );
      outcomes.forEach((outcome, i) => {
        const { isGood, late } = jobs[i] as (typeof jobs)[number];
        if (outcome.status === "fulfilled") expect(isGood && !late, `job ${i}`).to.equal(true);
        else {
          const error = outcome.reason as EvidenceError;
          expect(error, `job ${i}`).to.be.instanceOf(EvidenceError);
          expect(error.code).to.equal(late ? "evidence/validity" : "evidence/td-debug");
          expect(error.checks.at(-1)?.ok).to.equal(false);
        }
      });
      expect(outcomes.filter((outcome) => outcome.status === "fulfilled")).to.have.lengthOf(
        jobs.filter(({ isGood, late }) => isGood && !late).length,
      );
    });

    it("refuses collateral that does not parse by its own code, beside jobs whose does", async () => {
      const one = await evidence();
      const broken = { ...collateral, pck_crl: "00" };
      const [bad, good] = await Promise.allSettled([
        pool.verify(one, broken, AT + 1),
        pool.verify(one, collateral, AT + 1),
      ]);
      expect(bad.status === "rejected" && (bad.reason as EvidenceError).code).to.equal(
        "collateral/malformed",
      );
      expect(good.status).to.equal("fulfilled");
    });

    // Threads need no turns of ours.
    if (threads === 0) {
      const turnsDuring = async (one: Evidence, count: number): Promise<number> => {
        let isOver = false;
        const all = Array.from({ length: count }, () => pool.verify(one, collateral, AT + 1));
        const burst = Promise.allSettled(all).then(() => (isOver = true));
        let turns = 0;
        for (; !isOver; turns++) await new Promise((resolve) => setImmediate(resolve));
        await burst;
        return turns;
      };

      it("lets others have their turn between the batches of a burst", async () => {
        expect(await turnsDuring(await evidence(), 160)).to.be.at.least(10);
      });

      it("lets others have their turn between long pieces of one batch", async () => {
        const one = await evidence();
        const long = { ...one, eventLog: one.eventLog.replace("[", `[${" ".repeat(500_000)}`) };
        await pool.verify(long, collateral, AT + 1); // It is read, however long it is.
        expect(await turnsDuring(one, 8)).to.be.below(6);
        expect(await turnsDuring(long, 8)).to.be.at.least(8);
      });
    }

    it("answers what was asked before it is closed, and refuses what comes after", async () => {
      const closed = new VerifierPool({ roots: [root], threads: Math.min(threads, 1) });
      const one = await evidence();
      await closed.verify(one, collateral, AT + 1);
      const asked = closed.verify(one, collateral, AT + 1);
      await new Promise((resolve) => setImmediate(resolve));
      await closed.close();
      expect((await asked).composeHash).to.equal(`0x${"22".repeat(32)}`);
      const late = await closed.verify(one, collateral, AT + 1).catch((error: unknown) => error);
      expect(late).to.have.property("code", "evidence/verifier-unavailable");
    });
  });
