import { Counter, Gauge, Histogram, Registry } from "prom-client";

import { isCharterError } from "../../protocol/errors/CharterError.ts";

interface Source {
  /** By platform family, which begins with the kind of TEE: seconds until something of the collateral in use ends. */
  readonly collateralSecondsLeft: () => ReadonlyMap<string, number>;
}

/** What a signer's operator watches. */
export interface SignerMetrics {
  readonly registry: Registry;
  /** Runs what was asked for, and counts how it ended: "accepted" or the code of the refusal. */
  counted<T>(purpose: string, work: () => Promise<T>): Promise<T>;
  /** One item of `POST /committee/judge`. */
  judged(result: string): void;
  /** So many rows of what it signed were deleted. */
  pruned(rows: number): void;
}

/** Builds a signer's registry; gauges are read when scraped. */
export function signerMetrics({ collateralSecondsLeft }: Source): SignerMetrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: "charter_committee_requests_total",
    help: "Requests to sign or judge, by purpose and result",
    labelNames: ["purpose", "result"],
    registers,
  });
  const items = new Counter({
    name: "charter_committee_judged_total",
    help: "Evidence judged for batches, by result",
    labelNames: ["result"],
    registers,
  });
  const pruned = new Counter({
    name: "charter_pruned_rows_total",
    help: "Rows deleted because they were over for longer than CHARTER_KEEP_DAYS, by table",
    labelNames: ["table"],
    registers,
  });
  const seconds = new Histogram({
    name: "charter_committee_seconds",
    help: "Time from a request to its answer",
    labelNames: ["purpose"],
    buckets: [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers,
  });
  new Gauge({
    name: "charter_collateral_seconds_left",
    help: "Seconds until something of the collateral in use ends: evidence of that family is refused from then on",
    labelNames: ["kind", "family"],
    registers,
    collect() {
      this.reset();
      for (const [family, left] of collateralSecondsLeft()) {
        this.set({ kind: family.slice(0, family.indexOf(":")), family }, left);
      }
    },
  });
  return {
    registry,
    counted: async (purpose, work) => {
      const end = seconds.startTimer({ purpose });
      try {
        const answer = await work();
        requests.inc({ purpose, result: "accepted" });
        return answer;
      } catch (error) {
        requests.inc({ purpose, result: isCharterError(error) ? error.code : "api/internal" });
        throw error;
      } finally {
        end();
      }
    },
    judged: (result) => items.inc({ result }),
    pruned: (rows) => pruned.inc({ table: "signed_verdicts" }, rows),
  };
}
