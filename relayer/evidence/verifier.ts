import type { FastifyBaseLogger } from "fastify";

import { isCharterError } from "../../protocol/errors/CharterError.ts";
import { nodeCrypto } from "../../protocol/crypto/node.ts";
import { forecast, type Forecast } from "../../protocol/evidence/forecast.ts";
import { EvidenceError, INTEL_ROOT, quoteBytes, testRootFromPem } from "../../protocol/evidence/index.ts";
import { AMD_ROOTS } from "../../protocol/evidence/snp/amdRoots.ts";
import type { SnpVerification } from "../../protocol/evidence/snp/verifySnp.ts";
import type { CollateralStore } from "../store/collateralStore.ts";
import { amdVerifier, type AmdVerifierOptions } from "./amdVerifier.ts";
import { CollateralSource } from "./CollateralSource.ts";
import { genuineCollateral, marksOf, validUntilOf, type HeldCollateral } from "./genuineCollateral.ts";
import type { JudgeOptions } from "./judgeEvidence.ts";
import { PcsClient } from "./pcsClient.ts";
import { familyKey, platformFamily, type PlatformFamily } from "./platformFamily.ts";
import { VerifierPool } from "./pool/VerifierPool.ts";

interface Options {
  readonly pcsUrl: string;
  readonly kdsUrl: string;
  /** Accepted beside Intel's root; the caller has pinned a development chain (environment.ts, chain/verifyChain.ts). */
  readonly testRootPem: string | undefined;
  /** The same beside AMD's. */
  readonly amdTestRootPem: string | undefined;
  /** Keeps collateral for the times when the vendor does not answer. */
  readonly store: Pick<CollateralStore, "get" | "keep">;
  readonly amdStore: AmdVerifierOptions["store"];
  readonly logger: Pick<FastifyBaseLogger, "warn">;
  /** Told of every fetch that failed, by the error's code and the kind of TEE that it was for. */
  readonly onFetchFailed?: (code: string, kind: "tdx" | "sgx" | "snp") => void;
  /** Unix seconds; the clock by default. */
  readonly now?: () => number;
  /** Threads that verify; default one per core. */
  readonly threads?: number;
}

export interface EvidenceVerifier {
  /**
   * Evidence → what it says, judged now. A report of SEV-SNP is verified whole, and refused then: nothing is granted on
   * one yet. @throws CharterError `evidence/…`, `collateral/…`.
   */
  readonly verify: JudgeOptions["verify"];
  /** What an SEV-SNP report says, by certificates that came along or that AMD publishes. @throws as `verify`. */
  readonly verifySnp: (quote: string) => Promise<SnpVerification>;
  /** What the vendor publishes for a family now, genuine and valid. @throws CharterError `collateral/…`. */
  readonly published: (family: PlatformFamily) => Promise<HeldCollateral>;
  /** What is to come for the platform of this quote, under today's set and the announced one. */
  readonly forecast: (quote: string) => Promise<Forecast>;
  /** Seconds until something of the collateral in use ends, by family; negative once it has. */
  readonly secondsLeft: () => ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Verifies evidence in threads, against the collateral that the vendor published last. */
export function evidenceVerifier(options: Options): EvidenceVerifier {
  const { pcsUrl, testRootPem, amdTestRootPem, store, logger, onFetchFailed, threads } = options;
  const now = options.now ?? (() => Math.floor(Date.now() / 1_000));
  const roots = testRootPem === undefined ? [INTEL_ROOT] : [INTEL_ROOT, testRootFromPem(testRootPem)];
  const pcs = new PcsClient({ url: pcsUrl, now });
  const told = (cause: unknown, kind: "tdx" | "sgx" | "snp"): void => {
    onFetchFailed?.(isCharterError(cause) ? cause.code : "api/internal", kind);
    logger.warn({ err: cause, kind }, "collateral could not be refreshed");
  };
  const collateral = new CollateralSource<PlatformFamily, HeldCollateral>({
    key: familyKey,
    load: async (family) => {
      const held = await genuineCollateral(await pcs.collateral(family), roots);
      await store.keep(familyKey(family), held.message, marksOf(held.parsed), now());
      return held;
    },
    kept: async (family) => {
      const message = await store.get(familyKey(family));
      return message === null ? null : genuineCollateral(message, roots);
    },
    validUntil: ({ parsed }) => validUntilOf(parsed),
    now,
    onRefreshFailed: (cause, { tee }) => told(cause, tee),
  });
  const amd = amdVerifier({
    kdsUrl: options.kdsUrl,
    roots: amdTestRootPem === undefined ? AMD_ROOTS : [...AMD_ROOTS, testRootFromPem(amdTestRootPem)],
    store: options.amdStore,
    now,
    onRefreshFailed: (cause) => told(cause, "snp"),
  });
  const verifySnp = (quote: string): Promise<SnpVerification> => amd.verify(quoteBytes(quote));
  const pool = new VerifierPool({ roots, ...(threads === undefined ? {} : { threads }) });

  return {
    verify: async (evidence) => {
      if (evidence.kind === "snp") throw notGranted(await verifySnp(evidence.quote));
      const { message } = await collateral.get(platformFamily(quoteBytes(evidence.quote)));
      return pool.verify(evidence, message, now());
    },
    verifySnp,
    published: (family) => collateral.get(family),
    forecast: async (text) => {
      const quote = quoteBytes(text);
      const family = platformFamily(quote);
      const { parsed } = await collateral.get(family);
      // What is not announced, or cannot be had, says nothing.
      const next = await pcs
        .collateral(family, true)
        .then((message) => genuineCollateral(message, roots))
        .catch(() => undefined);
      const options = { collateral: parsed, at: now(), crypto: nodeCrypto, roots };
      return forecast(quote, { ...options, ...(next ? { next: next.parsed } : {}) });
    },
    secondsLeft: () => {
      const at = now();
      const held = [...collateral.held(), ...amd.held()];
      return new Map(held.map(([key, until]) => [key, until - at]));
    },
    close: () => pool.close(),
  };
}

/** A true report, of which no release, image or boot has been read: the contracts' words for those are not settled. */
const notGranted = ({ platformId, status, revocation, checks }: SnpVerification): EvidenceError =>
  new EvidenceError(
    "kind-unsupported",
    "expected evidence of kind tdx: the report holds, and nothing is granted on one of SEV-SNP yet",
    { actual: "snp", platformId, status, revocation },
    checks,
  );
