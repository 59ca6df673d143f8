import type { FastifyBaseLogger } from "fastify";

import { isCharterError } from "../../protocol/errors/CharterError.ts";
import { nodeCrypto } from "../../protocol/crypto/node.ts";
import { forecast, type Forecast } from "../../protocol/evidence/forecast.ts";
import { INTEL_ROOT, quoteBytes, testRootFromPem } from "../../protocol/evidence/index.ts";
import type { CollateralStore } from "../store/collateralStore.ts";
import { CollateralSource } from "./CollateralSource.ts";
import { genuineCollateral, marksOf, validUntilOf, type HeldCollateral } from "./genuineCollateral.ts";
import type { JudgeOptions } from "./judgeEvidence.ts";
import { PcsClient } from "./pcsClient.ts";
import { familyKey, platformFamily, type PlatformFamily } from "./platformFamily.ts";
import { VerifierPool } from "./pool/VerifierPool.ts";

interface Options {
  readonly pcsUrl: string;
  /** Accepted beside Intel's root; the caller has pinned a development chain (environment.ts, chain/verifyChain.ts). */
  readonly testRootPem: string | undefined;
  /** Keeps collateral for the times when the vendor does not answer. */
  readonly store: Pick<CollateralStore, "get" | "keep">;
  readonly logger: Pick<FastifyBaseLogger, "warn">;
  /** Told of every fetch that failed, by the error's code. */
  readonly onFetchFailed?: (code: string) => void;
  /** Unix seconds; the clock by default. */
  readonly now?: () => number;
  /** Threads that verify; default one per core. */
  readonly threads?: number;
}

export interface EvidenceVerifier {
  /** Evidence → what it says, judged now. @throws CharterError `evidence/…`, `collateral/…`. */
  readonly verify: JudgeOptions["verify"];
  /** What is to come for the platform of this quote, under today's set and the announced one. */
  readonly forecast: (quote: string) => Promise<Forecast>;
  /** Seconds until something of the collateral in use ends, by family; negative once it has. */
  readonly secondsLeft: () => ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Verifies evidence in threads, against the collateral that the vendor published last. */
export function evidenceVerifier(options: Options): EvidenceVerifier {
  const { pcsUrl, testRootPem, store, logger, onFetchFailed, threads } = options;
  const now = options.now ?? (() => Math.floor(Date.now() / 1_000));
  const roots = testRootPem === undefined ? [INTEL_ROOT] : [INTEL_ROOT, testRootFromPem(testRootPem)];
  const pcs = new PcsClient({ url: pcsUrl });
  const told = (cause: unknown): void => {
    onFetchFailed?.(isCharterError(cause) ? cause.code : "api/internal");
    logger.warn({ err: cause }, "collateral could not be refreshed");
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
    onRefreshFailed: told,
  });
  const pool = new VerifierPool({ roots, ...(threads === undefined ? {} : { threads }) });

  return {
    verify: async (evidence) => {
      const { message } = await collateral.get(platformFamily(quoteBytes(evidence.quote)));
      return pool.verify(evidence, message, now());
    },
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
      return new Map([...collateral.held()].map(([key, until]) => [key, until - at]));
    },
    close: () => pool.close(),
  };
}
