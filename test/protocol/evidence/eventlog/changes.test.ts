import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { parseCollateral, verifyEvidence, type VerifyOptions } from "../../../../protocol/evidence/index.ts";
import { CharterError } from "../../../../protocol/errors/CharterError.ts";
import { fromHex, parseAddress, parseComposeHash, toHex } from "../../../../protocol/words/hex.ts";
import { SimulatedTdx } from "../../../../worker/tee/simulator/SimulatedTdx.ts";
import { measureBoot } from "../../../../worker/tee/measureBoot.ts";
import { hasVectors } from "../../../support/vectors.ts";
import { dstackVector } from "../dstackVector.ts";
import { AT, issued, platform, root } from "../simulated.ts";

/** Code without its area, of whatever typed error refuses. */
async function refusedBy(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "nothing";
  } catch (error) {
    if (error instanceof CharterError) return error.code.replace(/^evidence\//, "");
    throw error;
  }
}

interface Case {
  readonly quote: Uint8Array;
  readonly eventLog: string;
  readonly vmConfig: string;
  readonly collateral: Record<string, string>;
  readonly options: Omit<VerifyOptions, "collateral">;
}

async function simulatedCase(): Promise<Case> {
  const tdx = new SimulatedTdx(platform);
  await measureBoot(tdx, {
    app: parseAddress(`0x${"11".repeat(20)}`),
    composeHash: parseComposeHash(`0x${"22".repeat(32)}`),
    instanceId: `0x${"33".repeat(20)}`,
  });
  const { quote, eventLog, vmConfig } = await tdx.quote(new Uint8Array(64));
  return {
    quote: fromHex(quote),
    eventLog,
    vmConfig,
    collateral: { ...issued() },
    options: { at: AT + 1, crypto: nodeCrypto, roots: [root] },
  };
}

function realCase(): Case {
  const { evidence, collateral, at } = dstackVector();
  return {
    ...evidence,
    quote: fromHex(`0x${evidence.quote}`),
    collateral: collateral as Record<string, string>,
    options: { at, crypto: nodeCrypto },
  };
}

function suite(name: string, load: () => Promise<Case> | Case, isReal: boolean): void {
  (isReal && !hasVectors ? describe.skip : describe)(`a changed event log of ${name}`, () => {
    let c: Case;
    before(async () => {
      c = await load();
    });
    const whole = (changes: Partial<Case> = {}) => {
      const { quote, eventLog, vmConfig, collateral, options } = { ...c, ...changes };
      return refusedBy(async () =>
        verifyEvidence(
          { kind: "tdx", quote: toHex(quote), eventLog, vmConfig },
          { ...options, collateral: parseCollateral(collateral) },
        ),
      );
    };

    it("would pass as it is", async () => {
      expect(await whole()).to.equal("nothing");
    });

    it("in name or payload of a measured runtime event fails the replay", async () => {
      const events = JSON.parse(c.eventLog) as Record<string, string | number>[];
      for (const [i, event] of events.entries()) {
        if (event["imr"] !== 3) continue;
        for (const field of ["event", "event_payload"]) {
          const text = String(event[field]);
          if (text === "") continue;
          const changed = events.map((each) => ({ ...each }));
          (changed[i] as Record<string, unknown>)[field] = flipDigit(text[0] as string) + text.slice(1);
          expect(await whole({ eventLog: JSON.stringify(changed) }), `${field} of event ${i}`).to.equal(
            "rtmr-replay",
          );
        }
        // What the log says of its digest is not even read.
        const lied = events.map((each, k) => (k === i ? { ...each, digest: "00".repeat(48) } : each));
        expect(await whole({ eventLog: JSON.stringify(lied) })).to.equal("nothing");
      }
    });

    it("in the digest of a firmware event fails the replay, unless its data give the digest", async () => {
      const events = JSON.parse(c.eventLog) as { imr: number; event_type: number; digest: string }[];
      for (const [i, event] of events.entries()) {
        if (event.imr === 3) continue;
        const lied = events.map((each, k) => (k === i ? { ...each, digest: "00".repeat(48) } : each));
        const isRecomputed = [4, 0x8000_0001, 0x8000_0007].includes(event.event_type);
        expect(await whole({ eventLog: JSON.stringify(lied) }), `event ${i}`).to.equal(
          isRecomputed ? "nothing" : "rtmr-replay",
        );
      }
    });

    it("that drops, repeats or swaps an event fails the replay", async () => {
      const events = JSON.parse(c.eventLog) as unknown[];
      const [first, second, ...rest] = events.slice(-5);
      const head = events.slice(0, -5);
      for (const changed of [
        events.slice(0, -1),
        [...events, events.at(-1)],
        [...head, second, first, ...rest],
      ]) {
        expect(await whole({ eventLog: JSON.stringify(changed) })).to.equal("rtmr-replay");
      }
    });
  });
}

/** Another character of the same alphabet (hex or base64 stay hex or base64). */
const flipDigit = (character: string): string => (character === "1" ? "2" : "1");

suite("simulated evidence", simulatedCase, false);
suite("real evidence", realCase, true);
