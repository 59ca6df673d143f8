import { readFileSync } from "node:fs";

import { QuoteVerifier } from "@phala/dcap-qvl";
import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { isCharterError } from "../../../../protocol/errors/CharterError.ts";
import {
  EvidenceError,
  parseCollateral,
  verifyQuote,
  type SgxVerification,
  type TdxVerification,
} from "../../../../protocol/evidence/index.ts";
import { nameOf, TcbStatus } from "../../../../protocol/words/enums.ts";
import { random, type Random } from "../../../support/random.ts";
import { pki, root } from "../simulated.ts";
import { CHAIN_DEFECTS } from "./defects/chainDefects.ts";
import { COLLATERAL_DEFECTS } from "./defects/collateralDefects.ts";
import { goodCases, type Case, type Defect } from "./defects/defect.ts";
import { QUOTE_DEFECTS } from "./defects/quoteDefects.ts";
import { firstOf } from "./forgery.ts";
import type { QuoteKind } from "./layout.ts";

/** One class of disagreement, and the specification that decides it for us. */
interface Difference {
  readonly defect: string;
  readonly ours: string;
  readonly theirs: string;
  readonly because: string;
}
const TABLE = new URL("differences.json", import.meta.url);
const differences = JSON.parse(readFileSync(TABLE, "utf8")) as readonly Difference[];

const isLong = process.env["CHARTER_FUZZ"] === "long";
const DEFECTS: readonly Defect[] = [...QUOTE_DEFECTS, ...CHAIN_DEFECTS, ...COLLATERAL_DEFECTS];
/** Rounds over all defects: in every round each has one case. More than 2,000 cases, 12,000 in the long profile. */
const ROUNDS = isLong ? 60 : 12;
/** The other library reads no version 4 of an enclave's quote: one defect of that name says so. */
const COMPARED: readonly QuoteKind[] = ["tdx4", "sgx3"];
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);

const REFUSES = "refuses: ";

/** What a verifier says, in words that the table can name. */
interface Answer {
  readonly says: string;
  readonly advisories: string;
}

async function ours({ quote, collateral, at }: Case): Promise<Answer> {
  let verified: TdxVerification | SgxVerification;
  try {
    const parsed = parseCollateral(collateral);
    verified = await verifyQuote(quote, { collateral: parsed, at, crypto: nodeCrypto, roots: [root] });
  } catch (error) {
    if (error instanceof EvidenceError) return { says: REFUSES + error.check, advisories: "" };
    if (isCharterError(error)) return { says: REFUSES + error.code, advisories: "" };
    throw error;
  }
  return { says: nameOf(TcbStatus, verified.status), advisories: verified.advisoryIds.join() };
}

const oracle = QuoteVerifier.newWithRootCa(Buffer.from(firstOf(pki.file.root)));

function theirs({ quote, collateral, at }: Case): Answer {
  try {
    const { status, advisory_ids } = oracle.verify(Buffer.from(quote), collateral, at);
    return { says: status, advisories: [...new Set(advisory_ids)].sort().join() };
  } catch (error) {
    return { says: REFUSES + (error as Error).message.split(":", 1)[0], advisories: "" };
  }
}

const isRefusal = (says: string): boolean => says.startsWith(REFUSES);

/** `null` where both say the same; who refuses may do it for any reason. */
function difference(defect: string, mine: Answer, other: Answer): Omit<Difference, "because"> | null {
  if (isRefusal(mine.says) && isRefusal(other.says)) return null;
  if (mine.says !== other.says) return { defect, ours: mine.says, theirs: other.says };
  if (mine.advisories === other.advisories) return null;
  return { defect, ours: `${mine.says} [${mine.advisories}]`, theirs: `${other.says} [${other.advisories}]` };
}

const keyOf = (each: Omit<Difference, "because">): string =>
  [each.defect, each.ours, each.theirs].join(" | ");

describe("against @phala/dcap-qvl", function () {
  this.timeout(isLong ? 3_600_000 : 120_000);

  const listed = new Map(differences.map((entry) => [keyOf(entry), entry]));

  it("has a table of differences with a reason for each, each once, for defects that exist", () => {
    expect(listed.size).to.equal(differences.length);
    const names = DEFECTS.map(({ name }) => name);
    expect(new Set(names).size, "names of defects").to.equal(names.length);
    for (const entry of differences) {
      expect(names, entry.defect).to.include(entry.defect);
      expect(entry.because, entry.defect).to.match(/§|section|"/);
    }
  });

  it(`differs over ${ROUNDS} × ${DEFECTS.length} quotes only where the table says why`, async () => {
    console.log(`      seed: SEED=${seed}`);
    const good = await goodCases();
    const source: Random = random(seed);
    const met = new Set<string>();
    const unlisted = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, defect] of DEFECTS.entries()) {
        const kinds = COMPARED.filter((kind) => defect.kinds?.includes(kind) ?? true);
        const start = good.get(kinds[(round + i) % kinds.length] ?? "sgx4") as Case;
        const c: Case = { ...start, ...(await defect.make(start, source)) };
        const [mine, other] = [await ours(c), theirs(c)];
        const found = difference(defect.name, mine, other);
        if (!found) continue;
        if (listed.has(keyOf(found))) met.add(keyOf(found));
        else unlisted.add(keyOf(found));
      }
    }
    expect([...unlisted].sort(), `unlisted differences, SEED=${seed}`).to.deep.equal([]);
    if (isLong)
      expect(
        [...listed.keys()].filter((key) => !met.has(key)),
        "entries that never occur",
      ).to.deep.equal([]);
  });
});
