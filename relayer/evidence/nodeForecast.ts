import type { Forecast } from "../../protocol/evidence/forecast.ts";
import type { EvidenceMessage } from "../../protocol/session/messages.ts";
import type { Outlook } from "../../protocol/session/nodeReport.ts";
import { pause } from "../pause.ts";

const DAY = 86_400;
/** How far ahead an operator is warned. */
const WARN_SECONDS = 7 * DAY;

/** Why nodes will fail: refused already, refused or worse under the set that the vendor announces, something ends. */
export type Reason = "refused" | "next-set" | "ending";
/** Numbers of the nodes, ascending, by reason. */
export type FailingSoon = Readonly<Record<Reason, readonly number[]>>;

/** What is to come for one node. */
export interface NodeOutlook {
  readonly node: number;
  readonly forecast: Forecast;
}

/** As many things as an answer to a node names. */
const MAX_TROUBLE = 64;

/**
 * What makes a platform's evidence fail, or be judged worse, within a week. Documents and lists are renewed before they
 * end, so an end counts only when nobody renewed it: their life is a month.
 */
export function troubleOf({ now: today, next, endings }: Forecast, now: number): Outlook["trouble"] {
  const isWorse = next !== null && next.status !== "UpToDate" && next.status !== today.status;
  return [
    ...(today.refusedBy === null ? [] : [{ reason: "refused" as const, what: today.refusedBy, at: null }]),
    ...(isWorse
      ? [{ reason: "next-set" as const, what: next.status ?? `refused by ${next.refusedBy}`, at: null }]
      : []),
    ...endings
      .filter(({ at }) => at <= now + WARN_SECONDS)
      .map(({ at, what }) => ({ reason: "ending" as const, what, at: Math.max(0, at) })),
  ];
}

/** Which nodes' evidence will fail within a week, and by what; a node may stand under several reasons, and under each once. */
export function failingSoon(outlooks: readonly NodeOutlook[], now: number): FailingSoon {
  const found: Record<Reason, Set<number>> = { refused: new Set(), "next-set": new Set(), ending: new Set() };
  for (const { node, forecast } of outlooks) {
    for (const { reason } of troubleOf(forecast, now)) found[reason].add(node);
  }
  const sorted = (nodes: Set<number>): number[] => [...nodes].sort((a, b) => a - b);
  return {
    refused: sorted(found.refused),
    "next-set": sorted(found["next-set"]),
    ending: sorted(found.ending),
  };
}

interface Options {
  /** Evidence of the nodes that are registered now: their own, and that of guests on them whose GPUs it names. */
  readonly evidence: () => Promise<readonly { readonly node: number; readonly evidence: EvidenceMessage }[]>;
  readonly forecast: (evidence: EvidenceMessage) => Promise<Forecast>;
  /** Unix seconds. */
  readonly now: () => number;
  readonly onFailed: (cause: unknown) => void;
}

/** TCB sets are announced weeks ahead, and quotes do not age: an hour is soon enough. */
const INTERVAL_MS = 3_600_000;
/** The first look waits until a relayer that starts has answered its workers. */
const FIRST_MS = 60_000;

/** Looks ahead for every registered node, now and then; what it last saw is a metric, and told to the nodes. */
export class NodeForecast {
  readonly #options: Options;
  #latest: FailingSoon | null = null;
  #outlooks: ReadonlyMap<number, Outlook> = new Map();

  constructor(options: Options) {
    this.#options = options;
  }

  get latest(): FailingSoon | null {
    return this.#latest;
  }

  /** What is foreseen for one node; null where it was not looked at. */
  outlookOf(node: number): Outlook | null {
    return this.#outlooks.get(node) ?? null;
  }

  /** Looks once. A node that cannot be looked at now is told of, and not counted. */
  async look(): Promise<void> {
    const { evidence: given, forecast, now, onFailed } = this.#options;
    const outlooks: NodeOutlook[] = [];
    for (const { node, evidence } of await given()) {
      try {
        outlooks.push({ node, forecast: await forecast(evidence) });
      } catch (cause) {
        onFailed(cause);
      }
    }
    const lookedAt = now();
    this.#latest = failingSoon(outlooks, lookedAt);
    const told = new Map<number, Outlook>();
    for (const { node, forecast: seen } of outlooks) {
      const trouble = [...(told.get(node)?.trouble ?? []), ...troubleOf(seen, lookedAt)];
      told.set(node, { lookedAt, trouble: trouble.slice(0, MAX_TROUBLE) });
    }
    this.#outlooks = told;
  }

  /** Looks again and again until the signal; a failure is told of and waits for the next time. */
  async run(signal: AbortSignal): Promise<void> {
    await pause(FIRST_MS, signal);
    while (!signal.aborted) {
      await this.look().catch(this.#options.onFailed);
      await pause(INTERVAL_MS, signal);
    }
  }
}
