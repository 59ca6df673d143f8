import { CharterError } from "../../protocol/errors/CharterError.ts";
import { endpointsSchema } from "../../protocol/session/endpoints.ts";
import type { Address } from "../../protocol/words/hex.ts";
import type { Endpoint } from "./Gateway.ts";

export interface RelayerRoutesOptions {
  /** Any replica of any relayer that serves the apps; the first that answers is believed, as clients check for themselves. */
  readonly relayerUrls: readonly string[];
  /** An answer is used for so long. */
  readonly maxAgeMs: number;
  readonly timeoutMs?: number;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

const TIMEOUT_MS = 3_000;
const MAX_ANSWER_BYTES = 262_144;
/** Names are whatever clients ask for: the oldest answer goes first. */
const MAX_APPS = 4_096;

/**
 * Asks relayers where the instances of an app answer (`GET /apps/:app/endpoints`), once per app and `maxAgeMs`, however
 * many ask at the same time. What no relayer answers is no route.
 */
export function relayerRoutes(options: RelayerRoutesOptions): (app: Address) => Promise<readonly Endpoint[]> {
  const { relayerUrls, maxAgeMs, timeoutMs = TIMEOUT_MS, now = () => performance.now() } = options;
  const known = new Map<Address, { readonly until: number; readonly answer: Promise<readonly Endpoint[]> }>();
  return (app) => {
    const found = known.get(app);
    if (found !== undefined && found.until > now()) return found.answer;
    const answer = ask(relayerUrls, app, timeoutMs);
    known.delete(app);
    known.set(app, { until: now() + maxAgeMs, answer });
    answer.catch(() => known.delete(app));
    if (known.size > MAX_APPS) known.delete(known.keys().next().value as Address);
    return answer;
  };
}

async function ask(urls: readonly string[], app: Address, timeoutMs: number): Promise<readonly Endpoint[]> {
  for (const url of urls) {
    const answer = await askOne(url, app, timeoutMs);
    if (answer !== null) return answer;
  }
  throw new CharterError("gateway/no-relayer", "no relayer says where the app's instances are", { app });
}

/** Null where this relayer does not answer as it should. */
async function askOne(url: string, app: Address, timeoutMs: number): Promise<readonly Endpoint[] | null> {
  try {
    const response = await fetch(new URL(`/apps/${app}/endpoints`, url), {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: "error",
    });
    if (response.status === 404) return [];
    if (!response.ok || response.body === null) return null;
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_ANSWER_BYTES) return null;
    }
    const parsed = endpointsSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.endpoints.map(({ host, port }) => ({ host, port })) : null;
  } catch {
    return null;
  }
}
