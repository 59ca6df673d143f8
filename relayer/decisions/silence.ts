import type { Heard } from "../store/nodeStore.ts";

export interface SilenceRule {
  /** Quiet for longer than this is silent; and who was silent must be heard for as long before anything returns. */
  readonly silentSeconds: number;
  /** Unix seconds since when this process listens: what it could not hear before says nothing. */
  readonly listeningSince: number;
}

/**
 * Numbers of the nodes whose agents are silent at `now` (unix seconds). A node that comes and goes does not take its slots
 * along each time: it counts as silent until it was heard without a gap for as long as its silence would have taken.
 */
export function silentNodes(
  nodes: Iterable<number>,
  heard: readonly Heard[],
  now: number,
  { silentSeconds, listeningSince }: SilenceRule,
): Set<number> {
  const byNode = new Map(heard.map((one) => [one.node, one]));
  const silent = new Set<number>();
  for (const node of nodes) {
    const known = byNode.get(node);
    const isQuiet = now - Math.max(known?.lastAt ?? 0, listeningSince) > silentSeconds;
    // Steady from the first word on, or since before we listened: there was no silence that we know of.
    const wasSilent = (known?.steadySince ?? 0) > listeningSince + silentSeconds;
    const isNewlySteady = wasSilent && now - (known?.steadySince ?? 0) <= silentSeconds;
    if (isQuiet || isNewlySteady) silent.add(node);
  }
  return silent;
}
