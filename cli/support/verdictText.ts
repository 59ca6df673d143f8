import type { Check, GpuClaimOnVerdict, Verdict } from "../../protocol/evidence/index.ts";
import { EXPLANATIONS } from "../../protocol/evidence/verdict/explanations.ts";
import { timeText } from "./output.ts";

/** Times as people read them. */
export const times = <T extends Pick<Verdict, "validFrom" | "validUntil">>(
  verdict: T,
): Omit<T, "validFrom" | "validUntil"> & { readonly validFrom: string; readonly validUntil: string } => ({
  ...verdict,
  validFrom: timeText(verdict.validFrom),
  validUntil: timeText(verdict.validUntil),
});

/** A verdict, its checks and what it leaves open. */
export const verdictText = (verdict: Verdict, explain: boolean): string =>
  `${factsText(verdict)}\n\n${checksText(verdict.checks, explain)}${uncheckedText(verdict.unchecked, "this evidence")}`;

/** A claim about GPUs, under a heading of its own: it is no part of the verdict before it. */
export function gpuClaimText(claim: GpuClaimOnVerdict, explain: boolean): string {
  const { checks, unchecked, gpus, ...rest } = claim;
  const boundBy = `${claim.boundBy}: the measured guest vouches for these GPUs, no hardware does`;
  const rows = [
    ...Object.entries({ ...times(rest), boundBy }),
    ...gpus.map((gpu, i) => [`gpu ${i}`, Object.values(gpu).join(", ")] as const),
  ].map(([name, value]) => row(name, String(value)));
  return (
    `a claim of its own, weaker than the verdict above: GPUs\n${rows.join("\n")}\n\n` +
    `${checksText(checks, explain)}${uncheckedText(unchecked, "this claim")}`
  );
}

/** One line for each check, with what it means and what it looked at where that is asked for. */
export function checksText(checks: readonly Check[], explain: boolean): string {
  return checks
    .map(({ name, ok, detail }) => {
      const line = `${ok ? "✓" : "✗"} ${name}`;
      const explanation = EXPLANATIONS[name];
      const looked = Object.keys(detail).length > 0 ? `\n    looked at ${JSON.stringify(detail)}` : "";
      const means = explanation ? `\n    ${explanation.says} (${explanation.source})` : "";
      return explain ? line + means + looked : line;
    })
    .join("\n");
}

const row = (name: string, text: string): string => `${name.padEnd(24)} ${text}`;

function factsText({ facts, checks: _checks, unchecked: _unchecked, ...rest }: Verdict): string {
  return Object.entries({ ...times(rest), ...facts })
    .map(([name, value]) =>
      row(name, Array.isArray(value) ? value.join(", ") || "none" : String(value ?? "none")),
    )
    .join("\n");
}

const uncheckedText = (unchecked: readonly string[], what: string): string =>
  unchecked.length === 0
    ? ""
    : `\n\nnot said by ${what}:\n${unchecked.map((line) => `  ${line}`).join("\n")}`;
