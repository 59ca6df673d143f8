import { availableParallelism } from "node:os";

import type { FastifyBaseLogger } from "fastify";

import { isCharterError } from "../../protocol/errors/CharterError.ts";
import { nodeCrypto } from "../../protocol/crypto/node.ts";
import type { EvidenceFacts } from "../../protocol/evidence/facts/EvidenceFacts.ts";
import { nitroFacts } from "../../protocol/evidence/facts/nitroFacts.ts";
import { snpFacts, snpParts } from "../../protocol/evidence/facts/snpFacts.ts";
import { forecast, type Forecast } from "../../protocol/evidence/forecast.ts";
import { parseGpuEvidence } from "../../protocol/evidence/gpu/gpuEvidence.ts";
import { NVIDIA_DEVICE_ROOT, NVIDIA_RIM_ROOT } from "../../protocol/evidence/gpu/nvidiaRoots.ts";
import { INTEL_ROOT, quoteBytes, testRootFromPem, type TrustedRoot } from "../../protocol/evidence/index.ts";
import { AWS_NITRO_ROOT } from "../../protocol/evidence/nitro/nitroRoot.ts";
import { AMD_ROOTS } from "../../protocol/evidence/snp/amdRoots.ts";
import type { SnpVerification } from "../../protocol/evidence/snp/verifySnp.ts";
import type { EvidenceMessage } from "../../protocol/session/messages.ts";
import type { Store } from "../store/store.ts";
import type { VendorConfig } from "../vendorConfig.ts";
import { amdVerifier } from "./amdVerifier.ts";
import { CollateralSource } from "./CollateralSource.ts";
import { genuineCollateral, marksOf, validUntilOf, type HeldCollateral } from "./genuineCollateral.ts";
import { gpuVerifier } from "./gpuVerifier.ts";
import type { GpuJudge } from "./judgeGpus.ts";
import { PcsClient } from "./pcsClient.ts";
import { familyKey, platformFamily, rememberedFamilies, type PlatformFamily } from "./platformFamily.ts";
import { VerifierPool } from "./pool/VerifierPool.ts";

/** What collateral is fetched for. */
export type CollateralKind = "tdx" | "sgx" | "snp" | "gpu";

interface Options {
  /** Test roots in it are accepted beside the vendors' own; the caller has pinned a development chain (chain/verifyChain.ts). */
  readonly vendors: VendorConfig;
  /** Keeps collateral for the times when a vendor does not answer. */
  readonly store: Pick<Store, "collateral" | "amdCollateral" | "gpuCollateral">;
  readonly logger: Pick<FastifyBaseLogger, "warn">;
  /** Told of every fetch that failed, by the error's code and the kind of evidence that it was for. */
  readonly onFetchFailed?: (code: string, kind: CollateralKind) => void;
  /** Unix seconds; the clock by default. */
  readonly now?: () => number;
  /** Threads that verify Intel's quotes; by default one core is left to everything else. 0: the one that asks. */
  readonly threads?: number;
}

export interface EvidenceVerifier {
  /** Evidence of every kind → what it says, judged now. @throws CharterError `evidence/…`, `collateral/…`. */
  readonly verify: (evidence: EvidenceMessage) => Promise<EvidenceFacts>;
  /** One GPU's report, its measurements and revocation with it. @throws as `verify`. */
  readonly verifyGpu: GpuJudge;
  /** What an SEV-SNP report says, by certificates that came along or that AMD publishes. @throws as `verify`. */
  readonly verifySnp: (quote: string) => Promise<SnpVerification>;
  /** What the vendor publishes for a family now, genuine and valid. @throws CharterError `collateral/…`. */
  readonly published: (family: PlatformFamily) => Promise<HeldCollateral>;
  /** What is to come for the platform of this evidence, under today's set and the announced one, and for its GPUs. */
  readonly forecast: (evidence: EvidenceMessage) => Promise<Forecast>;
  /** Seconds until something of the collateral in use ends, by family; negative once it has. */
  readonly secondsLeft: () => ReadonlyMap<string, number>;
  /** Verifications that were taken and not answered. */
  readonly open: () => number;
  close(): Promise<void>;
}

/**
 * A document is made for the occasion: one that is older than this was not. Its own certificate would hold for three
 * hours, and the block that it must bind is younger anyway.
 */
const NITRO_MAX_AGE_SECONDS = 600;

/** Verifies evidence in threads, against the collateral that the vendors published last. */
export function evidenceVerifier(options: Options): EvidenceVerifier {
  const {
    vendors,
    store,
    logger,
    onFetchFailed,
    threads = Math.max(1, availableParallelism() - 1),
  } = options;
  const now = options.now ?? (() => Math.floor(Date.now() / 1_000));
  const roots = withTestRoot([INTEL_ROOT], vendors.testRootPem);
  const nitroRoots = withTestRoot([AWS_NITRO_ROOT], vendors.nitroTestRootPem);
  const pcs = new PcsClient({ url: vendors.pcsUrl, now });
  const told = (cause: unknown, kind: CollateralKind): void => {
    onFetchFailed?.(isCharterError(cause) ? cause.code : "api/internal", kind);
    logger.warn({ err: cause, kind }, "collateral could not be refreshed");
  };
  const collateral = new CollateralSource<PlatformFamily, HeldCollateral>({
    key: familyKey,
    load: async (family) => {
      const held = await genuineCollateral(await pcs.collateral(family), roots);
      await store.collateral.keep(familyKey(family), held.message, marksOf(held.parsed), now());
      return held;
    },
    kept: async (family) => {
      const message = await store.collateral.get(familyKey(family));
      return message === null ? null : genuineCollateral(message, roots);
    },
    validUntil: ({ parsed }) => validUntilOf(parsed),
    now,
    onRefreshFailed: (cause, { tee }) => told(cause, tee),
  });
  const amd = amdVerifier({
    kdsUrl: vendors.kdsUrl,
    roots: withTestRoot(AMD_ROOTS, vendors.amdTestRootPem),
    store: store.amdCollateral,
    now,
    onRefreshFailed: (cause) => told(cause, "snp"),
    ...(vendors.snpFloors === undefined ? {} : { minimumTcb: vendors.snpFloors }),
  });
  const gpu = gpuVerifier({
    rimUrl: vendors.rimUrl,
    ocspUrl: vendors.ocspUrl,
    roots: withTestRoot([NVIDIA_DEVICE_ROOT], vendors.gpuTestRootPem),
    rimRoots: withTestRoot([NVIDIA_RIM_ROOT], vendors.rimTestRootPem),
    store: store.gpuCollateral,
    now,
    onRefreshFailed: (cause) => told(cause, "gpu"),
  });
  const pool = new VerifierPool({ roots, threads });
  const familyOf = rememberedFamilies();

  const forecastCpu = async ({ kind, quote: text }: EvidenceMessage): Promise<Forecast> => {
    const quote = quoteBytes(text);
    if (kind === "snp") return amd.forecast(quote, vendors.nextSnpFloors);
    const family = platformFamily(quote);
    const { parsed } = await collateral.get(family);
    // What is not announced, or cannot be had, says nothing.
    const next = await pcs
      .collateral(family, true)
      .then((message) => genuineCollateral(message, roots))
      .catch(() => undefined);
    const given = { collateral: parsed, at: now(), crypto: nodeCrypto, roots };
    return forecast(quote, { ...given, ...(next ? { next: next.parsed } : {}) });
  };

  return {
    verify: async (evidence) => {
      switch (evidence.kind) {
        case "tdx":
        case "sgx": {
          const { message } = await collateral.get(familyOf(evidence.quote));
          return pool.verify(evidence, message, now());
        }
        case "snp": {
          const parts = snpParts(evidence);
          return snpFacts(await amd.verify(parts.reportAndTable, parts.mrConfig), parts);
        }
        case "nitro":
          return nitroFacts(evidence, {
            at: now(),
            crypto: nodeCrypto,
            roots: nitroRoots,
            maxAgeSeconds: NITRO_MAX_AGE_SECONDS,
          });
      }
    },
    verifyGpu: (evidence, nonce) => gpu.verify(evidence, { nonce }),
    verifySnp: (quote) => amd.verify(quoteBytes(quote)),
    published: (family) => collateral.get(family),
    forecast: async (evidence) => {
      const cpu = await forecastCpu(evidence);
      const gpus = evidence.gpu === undefined ? [] : parseGpuEvidence(evidence.gpu);
      const ends = await Promise.all(gpus.map((one) => gpu.endings(one)));
      return { ...cpu, endings: [...cpu.endings, ...ends.flat()].sort((a, b) => a.at - b.at) };
    },
    secondsLeft: () => {
      const at = now();
      const held = [...collateral.held(), ...amd.held(), ...oneForOcsp(gpu.held())];
      return new Map(held.map(([key, until]) => [key, until - at]));
    },
    open: () => pool.open,
    close: () => pool.close(),
  };
}

const OCSP = "gpu:ocsp";

/**
 * Answers about certificates are many, and each is asked for anew only when its GPU is seen again: one family stands for
 * all of them, with the freshest. It ends when the service has not answered for a day.
 */
function oneForOcsp(held: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const [answers, others] = [[], []] as [number[], [string, number][]];
  for (const [key, until] of held) {
    if (key.startsWith(OCSP)) answers.push(until);
    else others.push([key, until]);
  }
  return new Map([...others, ...(answers.length === 0 ? [] : [[OCSP, Math.max(...answers)] as const])]);
}

const withTestRoot = (roots: readonly TrustedRoot[], pem: string | undefined): readonly TrustedRoot[] =>
  pem === undefined ? roots : [...roots, testRootFromPem(pem)];
