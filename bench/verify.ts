/**
 * TDX verification, warm, beside @phala/dcap-qvl in the same run: with collateral parsed before (as the relayer holds
 * it), and with nothing kept. Then the other kinds, quotes through the relayer's pool of threads, and the weight of the
 * browser's bundle. Real evidence where it lies beside the checkout, else the simulator's.
 */
import { QuoteVerifier } from "@phala/dcap-qvl";

import { nodeCrypto } from "../protocol/crypto/node.ts";
import { splitPem } from "../protocol/der/pem.ts";
import {
  INTEL_ROOT,
  parseCollateral,
  testRootFromPem,
  verifyQuote,
  verifyTdx,
  type CollateralMessage,
  type Evidence,
  type TrustedRoot,
} from "../protocol/evidence/index.ts";
import { verifyGpu } from "../protocol/evidence/gpu/verifyGpu.ts";
import { verifyNitro } from "../protocol/evidence/nitro/verifyNitro.ts";
import { verifySnp } from "../protocol/evidence/snp/verifySnp.ts";
import { fromHex, parseAddress, parseComposeHash, toHex, type Bytes32 } from "../protocol/words/hex.ts";
import { VerifierPool } from "../relayer/evidence/pool/VerifierPool.ts";
import { weighVerifier } from "../web/verifierBundle.ts";
import { measureBoot } from "../worker/tee/measureBoot.ts";
import { issueCollateral } from "../worker/tee/simulator/collateral.ts";
import { createGpuPki } from "../worker/tee/simulator/gpu/gpuPki.ts";
import { SimulatedGpu } from "../worker/tee/simulator/gpu/SimulatedGpu.ts";
import { createNitroPki } from "../worker/tee/simulator/nitro/nitroPki.ts";
import { SimulatedNitro } from "../worker/tee/simulator/nitro/SimulatedNitro.ts";
import { createAmdPki } from "../worker/tee/simulator/snp/amdPki.ts";
import { SimulatedSnp } from "../worker/tee/simulator/snp/SimulatedSnp.ts";
import { createTestPki } from "../worker/tee/simulator/pki.ts";
import { simulatedPlatform } from "../worker/tee/simulator/platform.ts";
import { SimulatedSgx } from "../worker/tee/simulator/SimulatedSgx.ts";
import { SimulatedTdx } from "../worker/tee/simulator/SimulatedTdx.ts";
import { clock, hasVectors, vector, vectorJson } from "../test/support/vectors.ts";
import { writeReport, type Figure } from "./support/report.ts";

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

/** One verification of each other kind, of the simulator's evidence. */
async function otherKinds(): Promise<Record<string, () => Promise<unknown>>> {
  const at = 1_800_000_000;
  const pki = createTestPki({ notBefore: at - 1000 });
  const sgx = new SimulatedSgx(simulatedPlatform(pki, { name: "bench" })).quote(new Uint8Array(64));
  const sgxOptions = {
    collateral: parseCollateral(issueCollateral(pki, { at, tee: "sgx" })),
    at: at + 1,
    crypto: nodeCrypto,
    roots: [testRootFromPem(pki.file.root)],
  };
  const gpuPki = createGpuPki({ notBefore: at - 1000 });
  const nonce = new Uint8Array(32).fill(1);
  const gpu = new SimulatedGpu(gpuPki, { name: "bench" }).attest(nonce);
  const gpuOptions = {
    at,
    crypto: nodeCrypto,
    nonce: toHex(nonce) as Bytes32,
    roots: [testRootFromPem(gpuPki.root)],
  };
  const nitroPki = createNitroPki({ notBefore: at - 1000 });
  const document = new SimulatedNitro(nitroPki).attest();
  const nitroOptions = { at, crypto: nodeCrypto, roots: [testRootFromPem(nitroPki.root)] };
  const amdPki = createAmdPki({ notBefore: at - 1000 });
  const snp = new SimulatedSnp(amdPki, { name: "bench" });
  const snpEvidence = snp.attest(new Uint8Array(64));
  const snpOptions = { at, crypto: nodeCrypto, roots: [testRootFromPem(amdPki.root)] };
  return {
    nitro: () => verifyNitro(document, nitroOptions),
    snp: () => verifySnp(snpEvidence, snpOptions),
    sgx: () => verifyQuote(sgx, sgxOptions),
    gpu: () => verifyGpu(gpu, gpuOptions),
  };
}

/** TDX evidence with its event log through the relayer's threads, per second, of the best of three bursts. */
async function poolRate(): Promise<number> {
  const at = 1_800_000_000;
  const pki = createTestPki({ notBefore: at - 1000 });
  const issued = issueCollateral(pki, { at });
  const pool = new VerifierPool({ roots: [testRootFromPem(pki.file.root)], threads: 2 });
  const evidence = await Promise.all(
    Array.from({ length: 8 }, async (_, i): Promise<Evidence> => {
      const tdx = new SimulatedTdx(simulatedPlatform(pki, { name: `bench-${i}` }));
      await measureBoot(tdx, {
        app: parseAddress(`0x${"11".repeat(20)}`),
        composeHash: parseComposeHash(`0x${"22".repeat(32)}`),
        instanceId: `0x${"33".repeat(20)}`,
      });
      return { kind: "tdx", ...(await tdx.quote(new Uint8Array(64))) };
    }),
  );
  let best = 0;
  for (let burst = 0; burst < 4; burst++) {
    const count = 4_000;
    const start = performance.now();
    // As many under way as the pool takes; the relayer refuses more.
    let next = 0;
    const askOn = async (): Promise<void> => {
      for (let i = next++; i < count; i = next++) {
        await pool.verify(evidence[i % 8] as Evidence, issued, at + 1);
      }
    };
    await Promise.all(Array.from({ length: 256 }, askOn));
    // The first burst warms the threads.
    if (burst > 0) best = Math.max(best, (1000 * count) / (performance.now() - start));
  }
  await pool.close();
  return best;
}

const { what, quote, collateral, at, root, oracle } = hasVectors ? realSubject() : await simulatedSubject();
const parsed = parseCollateral(collateral);
const options = { at, crypto: nodeCrypto, roots: [root] };
const { warm, fresh, theirs } = await medians({
  warm: () => verifyTdx(quote, { ...options, collateral: parsed }),
  fresh: () => verifyTdx(quote, { ...options, collateral: parseCollateral(collateral) }),
  theirs: () => oracle.verify(Buffer.from(quote), collateral, at),
});

const others = await medians(await otherKinds());
const perSecond = await poolRate();
const weights = await weighVerifier();

console.log(
  `${what}; medians of ${ROUNDS}: fresh ${fresh.toFixed(3)} ms, @phala/dcap-qvl ${theirs.toFixed(3)} ms\n` +
    "kept between rounds: tdx, sgx: parsed collateral and which of its signatures hold; fresh, snp, nitro, gpu: nothing;\n" +
    "pool: that, and platforms seen before (certificates parsed, their signature, that of the QE report)\n" +
    "bundle: what a browser loads to verify one kind, which it loads when it meets it; everything: all kinds in one file",
);
writeReport("verify", [
  { name: "tdx.median", value: warm, unit: "ms", target: "<= 0.8" },
  { name: "tdx.ratio", value: theirs / warm, unit: "times", target: ">= 5" },
  { name: "tdx.freshRatio", value: theirs / fresh, unit: "times", target: ">= 2" },
  ...Object.entries(others).map(([kind, value]) => ({ name: `${kind}.median`, value, unit: "ms" })),
  { name: "tdx.perSecond", value: perSecond, unit: "verifications/s", target: ">= 2000" },
  ...Object.entries(weights).map(([kind, bytes]): Figure => ({
    name: `bundle.${kind}.gzip`,
    value: bytes / 1000,
    unit: "kB",
    ...(kind === "everything" ? {} : { target: "<= 40" as const }),
  })),
]);
