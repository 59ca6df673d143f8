import { CharterError } from "../../protocol/errors/CharterError.ts";
import { EvidenceError, verifyFiles } from "../../protocol/evidence/browser.ts";
import type { Check } from "../../protocol/evidence/EvidenceError.ts";
import { EXPLANATIONS } from "../../protocol/evidence/verdict/explanations.ts";
import type { GpuClaimOnVerdict } from "../../protocol/evidence/verdict/gpuClaimOn.ts";
import type { Fact, Verdict } from "../../protocol/evidence/verdict/Verdict.ts";
import { element, readForm } from "./evidenceForm.ts";
import { showTable, type Cell } from "./table.ts";

const CHECK_HEADERS = ["check", "it means", "rule", "it looked at"];
const SECTIONS = ["verdict", "unchecked", "checks", "gpu-claim", "gpu-unchecked", "gpu-checks"];

function show(verdict: Verdict): void {
  const { facts, checks, unchecked, validFrom, validUntil, ...rest } = verdict;
  const valid = { validFrom: iso(validFrom), validUntil: iso(validUntil) };
  showStatus(
    `Verified: ${verdict.kind}${verdict.status ? `, ${verdict.status}` : ""}${verdict.simulated ? ", simulated" : ""}`,
    false,
  );
  showSection("verdict", ["what", "value"], Object.entries({ ...rest, ...valid, ...facts }).map(factRow));
  showSection(
    "unchecked",
    ["this verdict does not say"],
    unchecked.map((text): Cell[] => [{ text }]),
  );
  showSection("checks", CHECK_HEADERS, checks.map(checkRow));
}

/** What the guest says of GPUs: under headings of its own, so that nobody takes it for a part of the verdict. */
function showClaim(claim: GpuClaimOnVerdict): void {
  const { checks, unchecked, gpus, validFrom, validUntil, ...rest } = claim;
  const boundBy = `${claim.boundBy}: the measured guest vouches for these GPUs, no hardware does`;
  const facts = { ...rest, boundBy, validFrom: iso(validFrom), validUntil: iso(validUntil) };
  const named = gpus.map((gpu, i): [string, Fact] => [`gpu ${i}`, Object.values(gpu).join(", ")]);
  showSection("gpu-claim", ["what", "value"], [...Object.entries(facts), ...named].map(factRow));
  showSection(
    "gpu-unchecked",
    ["this claim does not say"],
    unchecked.map((text): Cell[] => [{ text }]),
  );
  showSection("gpu-checks", CHECK_HEADERS, checks.map(checkRow));
}

/** A refusal with the checks up to it; nothing of an earlier verdict stays. */
function refuse(error: CharterError): void {
  showStatus(`Not verified: ${error.message} (${error.code})`, true);
  clear();
  const checks = error instanceof EvidenceError ? error.checks : [];
  showSection("checks", CHECK_HEADERS, checks.map(checkRow));
}

function clear(): void {
  for (const id of SECTIONS) showSection(id, [], null);
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();

const factRow = ([name, value]: readonly [string, Fact]): Cell[] => [
  { text: name },
  { text: Array.isArray(value) ? value.join(", ") || "none" : String(value ?? "none"), mono: true },
];

function checkRow({ name, ok, detail }: Check): Cell[] {
  const explanation = EXPLANATIONS[name];
  return [
    { text: `${ok ? "✓" : "✗"} ${name}`, tone: ok ? "good" : "over" },
    { text: explanation?.says ?? "" },
    { text: explanation?.source ?? "" },
    { text: Object.keys(detail).length === 0 ? "" : JSON.stringify(detail), mono: true },
  ];
}

function showSection(id: string, headers: readonly string[], rows: readonly Cell[][] | null): void {
  const host = element(id);
  (host.parentElement as HTMLElement).hidden = rows === null || rows.length === 0;
  if (rows === null) host.replaceChildren();
  else showTable(host, headers, rows);
}

function showStatus(text: string, isTrouble: boolean): void {
  const status = element("status");
  status.textContent = text;
  status.dataset.state = isTrouble ? "trouble" : "well";
}

element("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  showStatus("Checking…", false);
  void readForm()
    .then(async ({ files, options }) => {
      const { verdict, gpuClaim } = await verifyFiles(files, options);
      clear();
      show(verdict);
      if (gpuClaim) showClaim(gpuClaim);
    })
    .catch((error: unknown) => {
      refuse(
        error instanceof CharterError
          ? error
          : new CharterError("evidence/unknown-form", "this page failed; that is a defect of ours"),
      );
    });
});
