import type { Crypto } from "../../crypto/crypto.ts";
import { equalBytes } from "../../words/bytes.ts";
import { toHex } from "../../words/hex.ts";
import type { TdReport } from "../dcap/tdReport.ts";
import { Checklist, type Check } from "../EvidenceError.ts";
import { parseCcel, replayCcel } from "../eventlog/ccel.ts";
import type { Fact } from "./Verdict.ts";

/** What firmware and loader extend: a boot log that is whole accounts for all of it. RTMR3 is for software. */
const BOOT_REGISTERS = [0, 1, 2];

/**
 * Holds a boot log (CCEL) to the registers of a verified quote: RTMR0, RTMR1 and RTMR2 in any case, RTMR3 where the log
 * extends it.
 * @param passed checks that were done before, the quote's among them.
 * @returns all checks, and which registers the log accounts for.
 * @throws EvidenceError `evidence/ccel-format`, `evidence/ccel-digests`, `evidence/ccel-replay`, the last with the
 * registers that differ.
 */
export async function bootLogChecks(
  ccel: Uint8Array,
  report: Pick<TdReport, "rtmrs">,
  passed: readonly Check[],
  crypto: Crypto,
): Promise<{ readonly checks: readonly Check[]; readonly facts: Readonly<Record<string, Fact>> }> {
  const list = new Checklist(passed);
  const events = list.attempt("ccel-format", "a boot log", () => parseCcel(ccel));
  const [replay] = await Promise.allSettled([replayCcel(events, crypto)]);
  const replayed = list.attempt("ccel-digests", "digests of the data that were measured", () => {
    if (replay.status === "rejected") throw replay.reason;
    return replay.value;
  });
  const registers = [0, 1, 2, 3].filter(
    (i) => BOOT_REGISTERS.includes(i) || events.some(({ register }) => register === i),
  );
  const differing = registers
    .filter((i) => !equalBytes(replayed[i] as Uint8Array, report.rtmrs[i] as Uint8Array))
    .map((i) => `RTMR${i}`);
  list.require(
    differing.length === 0,
    "ccel-replay",
    `a boot log that gives the quote's registers (differing: ${differing.join(", ")})`,
    {
      events: events.length,
      compared: registers.map((i) => `RTMR${i}`),
      differing,
      replayed: registers.map((i) => toHex(replayed[i] as Uint8Array)),
      quoted: registers.map((i) => toHex(report.rtmrs[i] as Uint8Array)),
    },
  );
  return {
    checks: list.checks,
    facts: { ccelEvents: events.length, ccelRegisters: registers.map((i) => `RTMR${i}`) },
  };
}
