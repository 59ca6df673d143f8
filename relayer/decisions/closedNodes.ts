import { closedBy, CLOSED_SECONDS, type ClosedNode } from "../../protocol/placement/closedNode.ts";
import type { PlacementReport } from "../../protocol/session/messages.ts";
import type { NodeState } from "../../protocol/state/types.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { ClosingReport } from "../store/nodeStore.ts";
import { readReport } from "./NodeReports.ts";

/** A node's closing word, parsed once. */
export interface Closing {
  readonly report: ClosingReport;
  readonly says: ClosedNode;
}

/** Closing words that read as such. */
export const readClosings = (reports: readonly ClosingReport[]): Closing[] =>
  reports.flatMap((report) => {
    const parsed = readReport(report.report);
    const says = parsed === null ? null : closedBy(parsed);
    return says === null ? [] : [{ report, says }];
  });

/** Nodes by number whose closing words count for longer than until `time` (unix seconds). */
export function closedAfter(
  nodes: ReadonlyMap<number, NodeState>,
  closings: readonly Closing[],
  time: number,
): Map<number, Closing> {
  const byKey = new Map<Address, Closing>(closings.map((one) => [one.report.key, one]));
  const closed = new Map<number, Closing>();
  for (const { number, key, retired } of nodes.values()) {
    const one = retired ? undefined : byKey.get(key);
    if (one !== undefined && one.report.at + CLOSED_SECONDS > time) closed.set(number, one);
  }
  return closed;
}

/** As placement takes it. */
export const asInput = (closed: ReadonlyMap<number, Closing>): Map<number, ClosedNode> =>
  new Map([...closed].map(([number, { says }]) => [number, says]));

/** As whoever recomputes it is told. */
export const asMessage = (closed: ReadonlyMap<number, Closing>): PlacementReport["closed"] =>
  [...closed]
    .sort(([a], [b]) => a - b)
    .map(
      ([
        node,
        {
          report: { report, at, signature, since },
          says: { reason },
        },
      ]) => ({
        ...{ node, reason, since },
        report: { report, at, signature },
      }),
    );
