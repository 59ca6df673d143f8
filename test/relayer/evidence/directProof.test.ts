import { expect } from "chai";

import { factsOf } from "../../../protocol/evidence/dcap/onchain/facts.ts";
import { parseQuote, quoteBytes } from "../../../protocol/evidence/index.ts";
import type { EvidenceMessage, VerdictMessage } from "../../../protocol/session/messages.ts";
import type { PlatformRecord } from "../../../protocol/state/types.ts";
import { toHex, type Address, type Bytes32, type Hex, type PlatformId } from "../../../protocol/words/hex.ts";
import { directProof } from "../../../relayer/evidence/directProof.ts";
import { isDue, type Piece } from "../../../relayer/evidence/collateralPieces.ts";
import { createTestPki } from "../../../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../../../worker/tee/simulator/platform.ts";
import { SimulatedTdx, type SimulatedTdxOptions } from "../../../worker/tee/simulator/SimulatedTdx.ts";

const bytes32 = (byte: string): Bytes32 => `0x${byte.repeat(32)}` as Bytes32;
const claim = {
  purpose: "instance",
  subject: `0x${"aa".repeat(20)}` as Address,
  key: `0x${"bb".repeat(20)}` as Address,
} as const;
const verdict = { evidenceBlock: 7, osImageHash: bytes32("cc") } as VerdictMessage;
/** Byte of an instance's proof that says how long the preimage is; the quote's form follows. */
const LENGTH_AT = 81;
const byteAt = (proof: Hex | null, at: number): number =>
  parseInt((proof ?? "0x").slice(2 + 2 * at, 4 + 2 * at), 16);

describe("direct proofs of evidence", () => {
  const platform = simulatedPlatform(createTestPki({ secret: new Uint8Array(32).fill(7) }), {
    name: "direct",
  });
  const evidenceOf = async (options: SimulatedTdxOptions): Promise<EvidenceMessage> => {
    const td = new SimulatedTdx(platform, options);
    for (const [name, payload] of [
      ["app-id", Buffer.alloc(20, 0xaa)],
      ["compose-hash", Buffer.alloc(32, 0xdd)],
      ["instance-id", Buffer.alloc(20, 1)],
      ["key-provider", Buffer.from('{"name":"kms","id":"0102"}')],
      ["system-ready", Buffer.alloc(0)],
    ] as const) {
      await td.extend(name, payload);
    }
    return { kind: "tdx", ...(await td.quote(new Uint8Array(64))), blockNumber: 7, blockHash: bytes32("ee") };
  };
  const mrConfigId = (version: number): Uint8Array =>
    Uint8Array.from({ length: 48 }, (_, i) => (i === 0 ? version : 1));

  it("take the first form where no record has exactly these facts, and the short one where one has", async () => {
    const evidence = await evidenceOf({ composeHash: bytes32("dd") as never });
    const facts = toHex(factsOf(parseQuote(quoteBytes(evidence.quote))));
    const record = (number: number, of: Hex): PlatformRecord => ({
      number,
      platformId: bytes32("01") as unknown as PlatformId,
      facts: of,
    });
    const other = record(1, `0xff${facts.slice(4)}`);
    expect(byteAt(directProof(claim, evidence, verdict, [other]), LENGTH_AT + 1)).to.equal(3);
    const known = directProof(claim, evidence, verdict, [other, record(0x01020304, facts)]);
    expect(known?.slice(2 + 2 * (LENGTH_AT + 1))).to.match(/^0201020304/);
  });

  it("bring what MRCONFIGID of version 2 is the hash of, and nothing for version 1", async () => {
    const first = await evidenceOf({ composeHash: bytes32("dd") as never });
    expect(byteAt(directProof(claim, first, verdict, []), LENGTH_AT)).to.equal(0);
    const second = directProof(claim, await evidenceOf({ mrConfigId: mrConfigId(2) }), verdict, []);
    expect(byteAt(second, LENGTH_AT)).to.equal(55);
    const preimage = second?.slice(2 + 2 * (LENGTH_AT + 1)).slice(0, 110);
    expect(preimage).to.equal(`${"dd".repeat(32)}${"aa".repeat(20)}020102`);
  });

  it("are none where the quote does not bind the compose hash, but for a node", async () => {
    for (const options of [{}, { mrConfigId: mrConfigId(3) }]) {
      const evidence = await evidenceOf(options);
      expect(directProof(claim, evidence, verdict, [])).to.equal(null);
      expect(directProof({ ...claim, purpose: "node" }, evidence, verdict, [])).to.match(/^0x01aaaa/);
    }
    const evidence = { ...(await evidenceOf({})), kind: "snp" } as const;
    expect(directProof({ ...claim, purpose: "node" }, evidence, verdict, [])).to.equal(null);
  });
});

describe("a piece of collateral", () => {
  const DAY = 86_400;
  const kept = { content: 18n, issuedAt: 0, nextUpdate: 30 * DAY };
  const later = { ...kept, issuedAt: 5 * DAY, nextUpdate: 35 * DAY };
  const due = (name: Piece["name"], published: Piece["published"], now: number): boolean =>
    isDue({ name, published } as Piece, kept, now);

  it("is due where the chain has none", () => {
    expect(isDue({ name: "tcb-info", published: kept } as Piece, undefined, 0)).to.equal(true);
  });

  it("waits with other dates alone until three days before the end", () => {
    expect(due("tcb-info", later, 27 * DAY - 1)).to.equal(false);
    expect(due("tcb-info", later, 27 * DAY)).to.equal(true);
    expect(due("tcb-info", kept, 29 * DAY)).to.equal(false);
  });

  it("is due at once with newer content, and never with an older document's or list's", () => {
    expect(due("tcb-info", { ...later, content: 19n }, 0)).to.equal(true);
    expect(due("tcb-info", { ...later, content: 17n }, 0)).to.equal(false);
    expect(due("pck-crl", { ...later, content: 17n }, 0)).to.equal(true);
    expect(due("pck-crl", { ...kept, content: 19n, nextUpdate: 29 * DAY }, 0)).to.equal(false);
  });
});
