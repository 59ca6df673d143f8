import type { NodeReport } from "../session/nodeReport.ts";
import type { Address } from "../words/hex.ts";

/** A node that takes on nothing new, by its own signed word (protocol/session/nodeReport.ts). */
export interface ClosedNode {
  /** "full", or the code of its trouble. */
  readonly reason: string;
  /** Slots of each app that it has taken on: it may have as many, and no more. */
  readonly keeps: ReadonlyMap<Address, number>;
}

/** A word that closes a node counts for so long after it was signed: whoever opens again has not said it since. */
export const CLOSED_SECONDS = 300;

/**
 * Whether a report closes its node; null where it does not. A node that does not know yet what it has to run cannot close:
 * what it ran before would be taken from it.
 */
export function closedBy({ capacity, apps, trouble }: NodeReport): ClosedNode | null {
  if (apps === null) return null;
  const isFull = capacity.maxGuests !== null && apps.length >= capacity.maxGuests;
  const reason = isFull ? "full" : trouble.find(({ isBlocking }) => isBlocking)?.code;
  if (reason === undefined) return null;
  const keeps = new Map<Address, number>();
  for (const app of apps) keeps.set(app, (keeps.get(app) ?? 0) + 1);
  return { reason, keeps };
}
