/**
 * TDX verification, warm, beside @phala/dcap-qvl in the same run: with collateral parsed before (as the relayer holds
 * it), and with nothing kept. Real evidence where it lies beside the checkout, else the simulator's.
 */
import { QuoteVerifier } from "@phala/dcap-qvl";

import { nodeCrypto } from "../protocol/crypto/node.ts";
import { splitPem } from "../protocol/der/pem.ts";
import {
  INTEL_ROOT,
  parseCollateral,
  testRootFromPem,
  verifyTdx,
  type CollateralMessage,
  type TrustedRoot,
} from "../protocol/evidence/index.ts";
import { fromHex } from "../protocol/words/hex.ts";
import { issueCollateral } from "../worker/tee/simulator/collateral.ts";
import { createTestPki } from "../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../worker/tee/simulator/platform.ts";
import { SimulatedTdx } from "../worker/tee/simulator/SimulatedTdx.ts";
import { clock, hasVectors, vector, vectorJson } from "../test/support/vectors.ts";
import { writeReport } from "./support/report.ts";

interface Subject {
  readonly what: string;
  readonly quote: Uint8Array;
  readonly collateral: CollateralMessage;
  readonly at: number;
  readonly root: TrustedRoot;
  readonly oracle: QuoteVerifier;
}

const WARM_UP = 200;
const ROUNDS = 400;

function realSubject(): Subject {
  return {
    what: "real evidence (dcap-qvl-2025-06)",
    quote: vector("tdx/dcap-qvl-2025-06/quote.bin"),
    collateral: vectorJson("tdx/dcap-qvl-2025-06/collateral.json") as CollateralMessage,
    at: clock("2025-07-01T00:00:00Z"),
    root: INTEL_ROOT,
    oracle: QuoteVerifier.newProd(),
  };
}

async function simulatedSubject(): Promise<Subject> {
  const at = 1_800_000_000;
  const pki = createTestPki({ notBefore: at - 1000 });
  const { quote } = await new SimulatedTdx(simulatedPlatform(pki, { name: "bench" })).quote(
    new Uint8Array(64),
  );
  return {
    what: "simulated evidence (no vectors beside this checkout)",
    quote: fromHex(quote),
    collateral: issueCollateral(pki, { at }),
    at: at + 1,
    root: testRootFromPem(pki.file.root),
    oracle: QuoteVerifier.newWithRootCa(Buffer.from(splitPem(pki.file.root)[0] as Uint8Array)),
  };
}

const median = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[times.length >> 1] as number;

/** Rounds of all contenders, one after another, so that whatever else the machine does meets each alike. */
async function medians<Name extends string>(
  work: Record<Name, () => unknown>,
): Promise<Record<Name, number>> {
  const names = Object.keys(work) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const name of names) {
      const start = performance.now();
      await work[name]();
      if (round >= WARM_UP) times[name].push(performance.now() - start);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<Name, number>;
}

const { what, quote, collateral, at, root, oracle } = hasVectors ? realSubject() : await simulatedSubject();
const parsed = parseCollateral(collateral);
const options = { at, crypto: nodeCrypto, roots: [root] };
const { warm, fresh, theirs } = await medians({
  warm: () => verifyTdx(quote, { ...options, collateral: parsed }),
  fresh: () => verifyTdx(quote, { ...options, collateral: parseCollateral(collateral) }),
  theirs: () => oracle.verify(Buffer.from(quote), collateral, at),
});

console.log(
  `${what}; medians of ${ROUNDS}: fresh ${fresh.toFixed(3)} ms, @phala/dcap-qvl ${theirs.toFixed(3)} ms`,
);
writeReport("verify", [
  { name: "tdx.median", value: warm, unit: "ms", target: "<= 0.8" },
  { name: "tdx.ratio", value: theirs / warm, unit: "times", target: ">= 5" },
  { name: "tdx.freshRatio", value: theirs / fresh, unit: "times", target: ">= 2" },
]);
