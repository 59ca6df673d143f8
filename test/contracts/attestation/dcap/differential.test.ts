import { expect } from "chai";

import { splitPem } from "../../../../protocol/der/pem.ts";
import { isCharterError } from "../../../../protocol/errors/CharterError.ts";
import { encodeFirstQuote, type FirstForm } from "../../../../protocol/evidence/dcap/onchain/encodeQuote.ts";
import { parseQuote } from "../../../../protocol/evidence/dcap/parseQuote.ts";
import { nameOf, TcbStatus } from "../../../../protocol/words/enums.ts";
import type { Hex } from "../../../../protocol/words/hex.ts";
import type { QuoteMutator } from "../../../../types/typechain/index.ts";
import { toPem } from "../../../../worker/tee/simulator/certificate.ts";
import { CHAIN_DEFECTS } from "../../../protocol/evidence/dcap/defects/chainDefects.ts";
import { goodCases, teeOf, type Case } from "../../../protocol/evidence/dcap/defects/defect.ts";
import { QUOTE_DEFECTS } from "../../../protocol/evidence/dcap/defects/quoteDefects.ts";
import { layoutOf, type QuoteKind } from "../../../protocol/evidence/dcap/layout.ts";
import { AT, issued, pki } from "../../../protocol/evidence/simulated.ts";
import { random } from "../../../support/random.ts";
import { REFUSED, statusOf, verdictOffChain, verdictText } from "./support/offChain.ts";
import {
  caKeyOf,
  deployOnDouble,
  openChainAt,
  useDocuments,
  ZERO,
  type VerifierOnDouble,
} from "./support/verifier.ts";

const isLong = process.env["CHARTER_FUZZ"] === "long";
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);
const DEFECTS = [...QUOTE_DEFECTS, ...CHAIN_DEFECTS];
/** Rounds over all defects, and the quotes that must really have been put to both verifiers in them. */
const ROUNDS = isLong ? 220 : 4;
const LEAST_COMPARED = isLong ? 20_000 : 300;
/** Quotes per call: a transaction has 2^24 gas (EIP-7825). */
const GROUP = 24;
/** An enclave's quote of version 4 is one that the chain does not take. */
const KINDS: readonly QuoteKind[] = ["tdx4", "sgx3"];

/** Defects that one verifier refuses and the other does not see, and why. */
const DIFFERENCES: Readonly<Record<string, string>> = {};

interface Question {
  readonly defect: string;
  readonly kind: QuoteKind;
  readonly quote: Uint8Array;
  readonly packed: Hex;
}

/**
 * The same evidence as the chain sees: of the certificates in a quote it takes the first alone, and has the CA from its
 * collateral. Null where the quote cannot be packed: then nobody can bring it.
 */
function question(defect: string, form: FirstForm, { kind, quote }: Case): Question | null {
  try {
    const parsed = parseQuote(quote);
    const packed = encodeFirstQuote(quote, form);
    const leaf = toPem(splitPem(parsed.pckChain)[0] as Uint8Array);
    const chain = Buffer.from(`${leaf}${pki.file.platformCa}${pki.file.root}\0`, "latin1");
    const { bytes, signed, pckChain } = parsed;
    const prefix = Buffer.from(bytes.subarray(0, bytes.length - pckChain.length));
    const grown = chain.length - pckChain.length;
    // Lengths that the chain's size is part of: of the signature, from version 4 on of the certification, of the chain.
    const { signatureLength, certification } = layoutOf(kind);
    const shift = signed.length - signatureLength;
    const sizes = [signed.length, prefix.length - 4];
    if (parsed.version !== 3) sizes.push(certification + shift + 2);
    for (const at of sizes) prefix.writeUInt32LE(prefix.readUInt32LE(at) + grown, at);
    return { defect, kind, quote: Buffer.concat([prefix, chain]), packed };
  } catch (error) {
    if (isCharterError(error)) return null;
    throw error;
  }
}

describe("the verifier on the chain beside the one off it", function () {
  this.timeout(isLong ? 3_600_000 : 120_000);

  let on: VerifierOnDouble;
  let mutator: QuoteMutator;
  const known = new Set<string>();
  const verdicts = new Map<string, number>();
  before(async () => {
    const connection = await openChainAt(AT);
    const good = await goodCases();
    const { quote } = good.get("tdx4") as Case;
    on = await deployOnDouble(connection, { at: AT, caKey: caKeyOf(quote), simulated: true });
    // There is no Processor CA in the simulated vendor's house.
    await on.collateral.setKey(2, ZERO, ZERO);
    for (const tee of ["tdx", "sgx"] as const) await useDocuments(on, tee, issued({ tee }));
    mutator = (await connection.ethers.deployContract("QuoteMutator")) as unknown as QuoteMutator;
    for (const { interface: one } of [on.verifier, on.errors])
      one.forEachError((each) => known.add(each.selector));
  });
  after(async () => on.connection.close());

  /** @returns how many were put to both. */
  async function compare(group: readonly Question[], differing: Map<string, string>): Promise<number> {
    const answer = await mutator.verifyMany.staticCall(
      on.verifier,
      group.map(({ packed }) => packed),
    );
    const at = Number(answer.timestamp);
    for (const [i, each] of group.entries()) {
      const status = Number(answer.accepted[i]);
      const theirs = status === 0 ? REFUSED : verdictText(status - 1, answer.digests[i] as string);
      if (status === 0) {
        expect(known, `${each.defect}: a typed error, SEED=${seed}`).to.include(answer.errors[i]);
      }
      const ours = await verdictOffChain(each.quote, issued({ tee: teeOf(each.kind) }), at);
      verdicts.set(statusOf(ours), (verdicts.get(statusOf(ours)) ?? 0) + 1);
      if (ours !== theirs) differing.set(each.defect, `off chain ${ours}, on chain ${theirs}`);
    }
    return group.length;
  }

  it(`says the same of ${ROUNDS} × ${DEFECTS.length} simulated quotes`, async () => {
    console.log(`      seed: SEED=${seed}`);
    const good = await goodCases();
    const source = random(seed);
    const differing = new Map<string, string>();
    let [asked, packable, compared] = [0, 0, 0];
    for (let round = 0; round < ROUNDS; round++) {
      let group: Question[] = [];
      for (const [i, defect] of DEFECTS.entries()) {
        const kinds = KINDS.filter((kind) => defect.kinds?.includes(kind) ?? true);
        const kind = kinds[(round + i) % kinds.length];
        if (!kind) continue;
        const start = good.get(kind) as Case;
        const made = await defect.make(start, source);
        asked++;
        const asking = question(defect.name, source.pick(["whole", "shortest"]), { ...start, ...made });
        if (!asking) continue;
        packable++;
        group.push(asking);
        if (group.length < GROUP) continue;
        compared += await compare(group, differing);
        group = [];
      }
      if (group.length > 0) compared += await compare(group, differing);
      // A run of minutes says how far it is, and at once what it has found.
      if (isLong && (round + 1) % 10 === 0) {
        const found = [...differing].map(([defect, how]) => `; ${defect}: ${how}`).join("");
        console.log(`      round ${round + 1} of ${ROUNDS}: ${compared} compared${found}`);
      }
    }
    console.log(`      ${asked} quotes, of which ${packable} could be packed, ${compared} compared`);
    expect(compared).to.equal(packable).and.to.be.at.least(LEAST_COMPARED);
    // Not all refused, not all accepted, and more than one status among the accepted.
    expect(verdicts.size).to.be.greaterThan(2);
    console.log(`      ${[...verdicts].map(([says, count]) => `${count} ${says}`).join(", ")}`);
    const unlisted = [...differing].filter(([defect]) => !(defect in DIFFERENCES));
    expect(Object.fromEntries(unlisted), `SEED=${seed}`).to.deep.equal({});
    if (isLong) expect(Object.keys(DIFFERENCES).filter((name) => !differing.has(name))).to.deep.equal([]);
  });

  // Intel's libraries make quotes of version 3 for enclaves; a later version is another layout, which only the verifier off
  // chain reads. It comes to the chain by the committee.
  it("refuses an enclave's quote of version 4, which the verifier off chain takes", async () => {
    const good = (await goodCases()).get("sgx4") as Case;
    const theirs = await verdictOffChain(good.quote, good.collateral, good.at);
    expect(statusOf(theirs)).to.equal(nameOf(TcbStatus, TcbStatus.UpToDate));
    const asking = question("none", "whole", good);
    if (!asking) return;
    await expect(on.verifier.verifyQuote(asking.packed)).to.be.revertedWithCustomError(
      on.verifier,
      "UnsupportedQuote",
    );
  });
});
