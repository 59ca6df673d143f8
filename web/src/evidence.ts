import {
  EvidenceError,
  readCollateral,
  readEvidence,
  testRootFromPem,
  verify,
  webCrypto,
  withBootLog,
} from "../../protocol/evidence/browser.ts";
import type { Check } from "../../protocol/evidence/EvidenceError.ts";
import type { AnyEvidence } from "../../protocol/evidence/verdict/verify.ts";
import { EXPLANATIONS } from "../../protocol/evidence/verdict/explanations.ts";
import type { Fact, Verdict, VerifyAnyOptions } from "../../protocol/evidence/verdict/Verdict.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import { parseHex } from "../../protocol/words/hex.ts";
import { showTable, type Cell } from "./table.ts";

const element = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;
const input = (id: string): HTMLInputElement => element(id) as HTMLInputElement;
const fileOf = (id: string): File | undefined => input(id).files?.[0];

const bytesOf = async (file: File): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());

/** What the form says. @throws CharterError for evidence, a time, hex, root or collateral that does not read. */
async function readForm(): Promise<{ evidence: AnyEvidence; options: VerifyAnyOptions }> {
  const [evidence, ccel, collateral, root] = ["evidence", "ccel", "collateral", "root"].map(fileOf);
  if (!evidence) throw new CharterError("evidence/unknown-form", "expected a file with evidence");
  const reportData = input("report-data").value.trim();
  const read = readEvidence(await bytesOf(evidence));
  return {
    evidence: ccel ? withBootLog(read, await bytesOf(ccel)) : read,
    options: {
      at: parseTime(input("at").value.trim()),
      crypto: webCrypto,
      ...(root ? { roots: [testRootFromPem(await root.text())] } : {}),
      ...(collateral
        ? { collateral: { intel: await readCollateral(parseJson(await collateral.text())) } }
        : {}),
      ...(reportData === ""
        ? {}
        : { expect: { reportData: parseHex(reportData, undefined, "report data") } }),
    },
  };
}

function parseTime(text: string): number {
  if (text === "") return Math.floor(Date.now() / 1000);
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new CharterError("evidence/unknown-form", "expected an ISO time", { text });
  return Math.floor(time / 1000);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new CharterError("collateral/malformed", "expected JSON");
  }
}

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
  showSection("checks", ["check", "it means", "rule", "it looked at"], checks.map(checkRow));
}

/** A refusal with the checks up to it; nothing of an earlier verdict stays. */
function refuse(error: CharterError): void {
  showStatus(`Not verified: ${error.message} (${error.code})`, true);
  showSection("verdict", [], null);
  showSection("unchecked", [], null);
  const checks = error instanceof EvidenceError ? error.checks : [];
  showSection("checks", ["check", "it means", "rule", "it looked at"], checks.map(checkRow));
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
    .then(async ({ evidence, options }) => {
      show(await verify(evidence, options));
    })
    .catch((error: unknown) => {
      refuse(
        error instanceof CharterError
          ? error
          : new CharterError("evidence/unknown-form", "this page failed; that is a defect of ours"),
      );
    });
});
