import type { Forecast } from "../../protocol/evidence/forecast.ts";
import { pause } from "../pause.ts";

const DAY = 86_400;
/** How far ahead an operator is warned. */
const WARN_SECONDS = 7 * DAY;

/** Why nodes will fail: refused already, refused or worse under the set that the vendor announces, something ends. */
export type Reason = "refused" | "next-set" | "ending";
export type FailingSoon = Readonly<Record<Reason, number>>;

/**
 * Counts nodes by what will make their evidence fail within a week; a node counts once for each reason. Documents and
 * lists are renewed before they end, so an end counts only when nobody renewed it: their life is a month.
 */
export function failingSoon(forecasts: readonly Forecast[], now: number): FailingSoon {
  const counts = { refused: 0, "next-set": 0, ending: 0 };
  for (const { now: today, next, endings } of forecasts) {
    if (today.refusedBy !== null) counts.refused++;
    const isWorse = next !== null && next.status !== "UpToDate" && next.status !== today.status;
    if (isWorse) counts["next-set"]++;
    if (endings.some(({ at }) => at <= now + WARN_SECONDS)) counts.ending++;
  }
  return counts;
}

interface Options {
  /** Quotes of the nodes that are registered now. */
  readonly quotes: () => Promise<readonly string[]>;
  readonly forecast: (quote: string) => Promise<Forecast>;
  /** Unix seconds. */
  readonly now: () => number;
  readonly onFailed: (cause: unknown) => void;
}

/** TCB sets are announced weeks ahead, and quotes do not age: an hour is soon enough. */
const INTERVAL_MS = 3_600_000;
/** The first look waits until a relayer that starts has answered its workers. */
const FIRST_MS = 60_000;

/** Looks ahead for every registered node, now and then; what it last saw is a metric. */
export class NodeForecast {
  readonly #options: Options;
  #latest: FailingSoon | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  get latest(): FailingSoon | null {
    return this.#latest;
  }

  /** Looks once. A node that cannot be looked at now is told of, and not counted. */
  async look(): Promise<void> {
    const { quotes, forecast, now, onFailed } = this.#options;
    const forecasts: Forecast[] = [];
    for (const quote of await quotes()) {
      try {
        forecasts.push(await forecast(quote));
      } catch (cause) {
        onFailed(cause);
      }
    }
    this.#latest = failingSoon(forecasts, now());
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
