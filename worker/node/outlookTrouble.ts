import type { NodeReport, Outlook } from "../../protocol/session/nodeReport.ts";
import { outlookText } from "../../protocol/session/nodeReportText.ts";

type Trouble = NodeReport["trouble"][number];

const CODES = {
  refused: "evidence-refused",
  "next-set": "evidence-worse-soon",
  ending: "collateral-ending",
} as const;

/** What relayers foresee, as this node's trouble: their word, named as theirs. It closes nothing: what runs is leased. */
export function outlookTrouble(outlooks: ReadonlyMap<string, Outlook>): Trouble[] {
  return [...outlooks].flatMap(([relayer, { trouble }]) =>
    trouble.map(({ reason, what, at }) => ({
      code: CODES[reason],
      note: `${outlookText({ reason, what, at })} (${relayer})`.slice(0, 500),
      isBlocking: false,
    })),
  );
}
