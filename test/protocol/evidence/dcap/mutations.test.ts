import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import {
  parseCollateral,
  verifyQuote,
  type Collateral,
  type TrustedRoot,
} from "../../../../protocol/evidence/index.ts";
import { fromHex } from "../../../../protocol/words/hex.ts";
import { refusal } from "../../../support/refusal.ts";
import { clock, hasVectors, vector, vectorJson } from "../../../support/vectors.ts";
import { dstackVector } from "../dstackVector.ts";
import { AT, issued, root } from "../simulated.ts";
import { goodCases, type Case } from "./defects/defect.ts";
import { version5 } from "./defects/quoteDefects.ts";
import { flipped, layoutOf, type Layout, type QuoteKind } from "./layout.ts";

/** Every byte of a quote, always. Of collateral, every byte in the long profile; else the first, the last and some between. */
const isLong = process.env["CHARTER_FUZZ"] === "long" || process.env["FLIPS"] === "all";
const SAMPLES = isLong ? Infinity : 64;

interface Example {
  readonly kind: QuoteKind;
  /** Bytes that version 5 of a TD's quote has more: a descriptor before the body, and what TD 1.5 adds behind it. */
  readonly more?: { readonly descriptor: number; readonly body: number };
  readonly quote: Uint8Array;
  readonly collateral: Readonly<Record<string, string>>;
  readonly at: number;
  readonly roots?: readonly TrustedRoot[];
}

const EXAMPLES: Readonly<
  Record<string, { readonly isReal: boolean; readonly load: () => Promise<Example> | Example }>
> = {
  "a simulated TDX quote": { isReal: false, load: () => simulated("tdx4") },
  "a simulated TDX quote of version 5, TD 1.5": {
    isReal: false,
    load: async () => {
      const example = await simulated("tdx4");
      return { ...example, quote: td15(example.quote), more: { descriptor: 6, body: 64 } };
    },
  },
  "a simulated SGX quote of version 3": { isReal: false, load: () => simulated("sgx3") },
  "a simulated SGX quote of version 4": { isReal: false, load: () => simulated("sgx4") },
  "a real TDX quote": {
    isReal: true,
    load: () => {
      const { evidence, collateral, at } = dstackVector();
      const quote = fromHex(`0x${evidence.quote}`);
      return { kind: "tdx4", quote, collateral: collateral as Record<string, string>, at };
    },
  },
  "a real SGX quote of version 3": {
    isReal: true,
    load: () => ({
      kind: "sgx3",
      quote: vector("sgx/dcap-qvl/quote.bin"),
      collateral: vectorJson("sgx/dcap-qvl/collateral.json") as Record<string, string>,
      at: clock("2025-06-21T10:56:11Z"),
    }),
  },
};

async function simulated(kind: QuoteKind): Promise<Example> {
  const { quote, collateral } = (await goodCases()).get(kind) as Case;
  return { kind, quote, collateral: { ...collateral }, at: AT + 1, roots: [root] };
}

/** The same guest under TD 1.5, signed anew: 16 bytes of a second SVN, and MRSERVICETD. */
const td15 = (quote: Uint8Array, more: Uint8Array = new Uint8Array(64)): Uint8Array =>
  version5({ kind: "tdx4", quote, collateral: issued(), at: AT }, 3, more);

/** A part of a quote, and the check that a flipped byte in it fails. */
interface Range {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly checks: readonly string[];
}

/** A byte of a certificate may break its text, its structure, a name, a key or a signature. */
const CHAIN_CHECKS = ["pck-chain", "pck-extensions", "pck-signatures", "root-pinned", "qe-report-signature"];

/** The whole quote, byte by byte: nothing is left out. */
function rangesOf({ kind, quote, more = { descriptor: 0, body: 0 } }: Example): Range[] {
  const longer = more.descriptor + more.body;
  const at = Object.fromEntries(
    Object.entries(layoutOf(kind)).map(([part, offset]) => [
      part,
      part === "body" ? Number(offset) : Number(offset) + longer,
    ]),
  ) as unknown as Layout;
  const chainEnd =
    at.chain + new DataView(quote.buffer, quote.byteOffset).getUint32(at.chainHeader + 2, true);
  const ends: readonly (readonly [name: string, to: number, ...checks: readonly string[]])[] = [
    ["version", 2, "quote-format"],
    ["attestation key type", 4, "quote-header"],
    ["TEE type", 8, "quote-format"],
    ["reserved", 12, "quote-signature"],
    ["QE vendor", 28, "quote-header"],
    ["user data", 48, "quote-signature"],
    ["body descriptor", 48 + more.descriptor, "quote-format"],
    ["report", at.signatureLength - more.body, "quote-signature"],
    ["second SVN and MRSERVICETD", at.signatureLength, "quote-signature"],
    ["signature length", at.signature, "quote-format"],
    ["quote signature", at.attestationKey, "quote-signature"],
    ["attestation key", at.certification, "qe-report-data"],
    ["certification header", at.qeReport, "quote-format"],
    ["QE report", at.qeReportSignature, "qe-report-signature"],
    ["QE report signature", at.authLength, "qe-report-signature"],
    ["QE auth length", at.auth, "quote-format"],
    ["QE auth data", at.chainHeader, "qe-report-data"],
    ["chain header", at.chain, "quote-format"],
    ["PCK chain", chainEnd, ...CHAIN_CHECKS],
    ["padding", quote.length, "quote-format"],
  ];
  let from = 0;
  return ends
    .map(([name, to, ...checks]) => {
      const range = { name, from, to, checks };
      from = to;
      return range;
    })
    .filter((range) => range.from < range.to);
}

/**
 * What nobody signs and nothing reads: white space of a PEM chain (RFC 7468 §3), where the flipped byte is white space
 * too. Line feed becomes vertical tabulator; there is no other.
 */
const isWhiteSpaceStill = (before: number, after: number): boolean => before === 0x0a && after === 0x0b;

function sampled(length: number): number[] {
  const step = Math.max(1, Math.ceil(length / SAMPLES));
  const offsets = new Set([0, length - 1]);
  for (let offset = 0; offset < length; offset += step) offsets.add(offset);
  return [...offsets];
}

/** Codes of collateral that was changed. */
const COLLATERAL_CODES = [
  "collateral/malformed",
  ...[
    "collateral-chains",
    "collateral-root",
    "collateral-signatures",
    "root-crl-signature",
    "pck-crl-signature",
    "pck-crl-issuer",
    "tcb-info-signature",
    "qe-identity-signature",
  ].map((check) => `evidence/${check}`),
];
/** Not read: the chain in the quote is what counts. */
const UNREAD_PARTS = ["pck_certificate_chain"];
const HEX_PARTS = ["root_ca_crl", "pck_crl", "tcb_info_signature", "qe_identity_signature"];

for (const [name, { isReal, load }] of Object.entries(EXAMPLES)) {
  (isReal && !hasVectors ? describe.skip : describe)(`a flipped byte of ${name}`, function () {
    if (isLong) this.timeout(1_800_000);
    let example: Example;
    let collateral: Collateral;
    before(async () => {
      example = await load();
      collateral = parseCollateral(example.collateral);
    });

    const judge = async (quote: Uint8Array, by: () => Collateral): Promise<string> => {
      const { at, roots } = example;
      const work = async (): Promise<unknown> =>
        verifyQuote(quote, { collateral: by(), at, crypto: nodeCrypto, ...(roots ? { roots } : {}) });
      return refusal(work());
    };

    it("changes what would pass", async () => {
      expect(await judge(example.quote, () => collateral)).to.equal("nothing");
    });

    it("in the quote fails the check of its range, white space of PEM aside", async () => {
      const { quote } = example;
      for (const range of rangesOf(example)) {
        for (let offset = range.from; offset < range.to; offset++) {
          const changed = flipped(quote, offset);
          const isUnsigned =
            range.name === "PCK chain" &&
            isWhiteSpaceStill(quote[offset] as number, changed[offset] as number);
          expect(await judge(changed, () => collateral), `${range.name}, byte ${offset}`).to.be.oneOf(
            isUnsigned ? ["nothing"] : range.checks.map((check) => `evidence/${check}`),
          );
        }
      }
    });

    it("in any part of the collateral fails by a typed code, white space of PEM aside", async () => {
      for (const [part, text] of Object.entries(example.collateral)) {
        if (UNREAD_PARTS.includes(part)) continue;
        const encoding = HEX_PARTS.includes(part) ? "hex" : "latin1";
        const bytes = Buffer.from(text, encoding);
        for (const offset of sampled(bytes.length)) {
          const changed = flipped(bytes, offset);
          const isUnsigned =
            part.endsWith("_chain") && isWhiteSpaceStill(bytes[offset] as number, changed[offset] as number);
          const other = { ...example.collateral, [part]: Buffer.from(changed).toString(encoding) };
          expect(
            await judge(example.quote, () => parseCollateral(other)),
            `${part}, byte ${offset}`,
          ).to.be.oneOf(isUnsigned ? ["nothing"] : COLLATERAL_CODES);
        }
      }
    });
  });
}

describe("a TD 1.5 that really is otherwise, signed anew", () => {
  const judge = async (more: Uint8Array): Promise<string> => {
    const { quote, collateral, at, roots = [] } = await simulated("tdx4");
    return refusal(
      verifyQuote(td15(quote, more), {
        collateral: parseCollateral(collateral),
        at,
        crypto: nodeCrypto,
        roots,
      }),
    );
  };
  const swept = async (from: number, to: number): Promise<Set<string>> => {
    const outcomes = new Set<string>();
    for (let offset = from; offset < to; offset++)
      outcomes.add(await judge(flipped(new Uint8Array(64), offset)));
    return outcomes;
  };

  it("is refused for any byte of MRSERVICETD, by the check of service TDs", async () => {
    expect([...(await swept(16, 64))]).to.deep.equal(["evidence/td-service-td"]);
  });

  it("passes with any second SVN: Intel's levels judge the first, and the verdict shows both", async () => {
    expect([...(await swept(0, 16))]).to.deep.equal(["nothing"]);
  });
});
