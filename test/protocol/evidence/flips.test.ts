import { expect } from "chai";

import { nodeCrypto } from "../../../protocol/crypto/node.ts";
import {
  parseCollateral,
  verifyEvidence,
  verifyTdx,
  type VerifyOptions,
} from "../../../protocol/evidence/index.ts";
import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { fromHex, parseAddress, parseComposeHash, toHex } from "../../../protocol/words/hex.ts";
import { SimulatedTdx } from "../../../worker/tee/simulator/SimulatedTdx.ts";
import { measureBoot } from "../../../worker/tee/measureBoot.ts";
import { hasVectors } from "../../support/vectors.ts";
import { dstackVector } from "./dstackVector.ts";
import { AT, issued, Offset, platform, root } from "./simulated.ts";

/** Bytes tried per range: its first, its last and some between. `FLIPS=all` tries every one. */
const SAMPLES = process.env["FLIPS"] === "all" ? Infinity : 24;

function sampled(from: number, to: number): number[] {
  const step = Math.max(1, Math.ceil((to - from) / SAMPLES));
  const offsets = new Set([from, to - 1]);
  for (let offset = from; offset < to; offset += step) offsets.add(offset);
  return [...offsets];
}

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

/** Ranges of the quote (version 4, auth data of 32 bytes) and the check that a flipped byte in them fails. */
const QUOTE_RANGES: readonly (readonly [
  name: string,
  from: number,
  to: number,
  checks: readonly string[],
])[] = [
  ["version", 0, 2, ["quote-format"]],
  ["attestation key type", 2, 4, ["quote-header"]],
  ["TEE type", 4, 8, ["quote-format"]],
  ["reserved", 8, 12, ["quote-signature"]],
  ["QE vendor", 12, 28, ["quote-header"]],
  ["user data", 28, 48, ["quote-signature"]],
  ["TD report", Offset.body, Offset.signatureLength, ["quote-signature"]],
  ["signature length", Offset.signatureLength, Offset.signature, ["quote-format"]],
  ["quote signature", Offset.signature, Offset.attestationKey, ["quote-signature"]],
  ["attestation key", Offset.attestationKey, Offset.certification, ["qe-report-data"]],
  ["certification header", Offset.certification, Offset.qeReport, ["quote-format"]],
  ["QE report", Offset.qeReport, Offset.qeReportSignature, ["qe-report-signature"]],
  ["QE report signature", Offset.qeReportSignature, Offset.authLength, ["qe-report-signature"]],
  ["QE auth length", Offset.authLength, Offset.auth, ["quote-format"]],
  ["QE auth data", Offset.auth, Offset.chainHeader, ["qe-report-data"]],
  ["chain header", Offset.chainHeader, Offset.chain, ["quote-format"]],
];
/** A byte of a certificate may break its text, its structure, a name, a key or a signature. */
const CHAIN_CHECKS = ["pck-chain", "pck-extensions", "pck-signatures", "root-pinned", "qe-report-signature"];

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
  (isReal && !hasVectors ? describe.skip : describe)(`a flipped byte of ${name}`, () => {
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

    it("changes what would pass", async () => {
      expect(await whole()).to.equal("nothing");
    });

    for (const [range, from, to, checks] of QUOTE_RANGES) {
      it(`in the quote's ${range} fails ${checks.join(" or ")}`, async () => {
        const collateral = parseCollateral(c.collateral);
        for (const offset of sampled(from, to)) {
          const quote = Uint8Array.from(c.quote);
          quote[offset] = (quote[offset] as number) ^ 1;
          const check = await refusedBy(() => verifyTdx(quote, { ...c.options, collateral }));
          expect(checks, `byte ${offset}`).to.include(check);
        }
      });
    }

    it(`in the quote's PCK chain fails ${CHAIN_CHECKS.join(" or ")}`, async () => {
      const collateral = parseCollateral(c.collateral);
      const pem = Buffer.from(c.quote).toString("latin1", Offset.chain).replace(/\0+$/, "");
      for (const offset of sampled(0, pem.trimEnd().length)) {
        if (/\s/.test(pem[offset] as string)) continue; // White space is neither signed nor read.
        const quote = Uint8Array.from(c.quote);
        quote[Offset.chain + offset] = (quote[Offset.chain + offset] as number) ^ 1;
        const check = await refusedBy(() => verifyTdx(quote, { ...c.options, collateral }));
        expect(CHAIN_CHECKS, `byte ${offset} of the chain`).to.include(check);
      }
    });

    it("in any collateral fails by a typed code", async () => {
      for (const [part, text] of Object.entries(c.collateral)) {
        if (part === "pck_certificate_chain") continue; // Not read: the quote's own chain counts.
        const isPem = text.startsWith("-----");
        for (const offset of sampled(0, text.trimEnd().length)) {
          const character = text[offset] as string;
          if (isPem && /\s/.test(character)) continue;
          const flipped =
            isPem || part.includes("crl") || part.endsWith("signature")
              ? flipDigit(character)
              : String.fromCharCode(character.charCodeAt(0) ^ 1);
          const collateral = {
            ...c.collateral,
            [part]: text.slice(0, offset) + flipped + text.slice(offset + 1),
          };
          expect(await whole({ collateral }), `${part} at ${offset}`).to.be.oneOf([
            "collateral/malformed",
            "collateral-chains",
            "collateral-root",
            "collateral-signatures",
            "root-crl-signature",
            "root-crl-issuer",
            "pck-crl-signature",
            "pck-crl-issuer",
            "tcb-info-signature",
            "qe-identity-signature",
          ]);
        }
      }
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
