import { simulatedDocuments } from "./tcbVectors.ts";

/** What Intel's documents say of the first eight components of a level, and of the others nothing. */
const EXPLAINED = { category: "OS/VMM", type: "TDX Late Microcode Update" };

type Level = { tcb: { sgxtcbcomponents: object[]; tdxtcbcomponents: object[]; pcesvn: number } };

/**
 * TCB info of the simulated family with this many levels: each with its components explained and its own list of
 * advisories, which grow to 32. `form`: of the components; "short" leaves the explanations out.
 */
export function largeTcbInfo(levels: number, form: "explained" | "short" = "explained"): string {
  const document = JSON.parse(simulatedDocuments("tdx").tcbInfo) as {
    issueDate: string;
    nextUpdate: string;
    tcbLevels: Level[];
  };
  const [level] = document.tcbLevels as [Level];
  const explained = (components: object[]): object[] =>
    form === "short" ? components : components.map((one, i) => (i < 8 ? { ...one, ...EXPLAINED } : one));
  document.tcbLevels = Array.from({ length: levels }, (_, i) => ({
    ...level,
    tcb: {
      sgxtcbcomponents: explained(level.tcb.sgxtcbcomponents),
      pcesvn: levels + 8 - i,
      tdxtcbcomponents: explained(level.tcb.tdxtcbcomponents),
    },
    advisoryIDs: Array.from(
      { length: 1 + (i % 32) },
      (_, k) => `INTEL-SA-${String(1_100 - 7 * k).padStart(5, "0")}`,
    ),
  }));
  return JSON.stringify(document);
}

/** The same with the dates of a publication at `at` (unix seconds), which lasts 30 days. */
export function datedAt(text: string, at: number): string {
  const iso = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
  return text
    .replace(/"issueDate":"[^"]+"/, `"issueDate":"${iso(at)}"`)
    .replace(/"nextUpdate":"[^"]+"/, `"nextUpdate":"${iso(at + 30 * 86_400)}"`);
}
