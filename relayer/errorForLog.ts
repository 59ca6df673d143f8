import pino from "pino";

/** Of what services are reached by; what follows the host, or stands before it, is often a key or a password. */
const URLS =
  /\b((?:https?|wss?|postgres(?:ql)?):\/\/)(?:[^\s/?#"'`]*@)?([^\s/?#"'`<>()\\]+)[^\s"'`<>()\\]*/gi;
/** Errors nest a few times; what lies deeper says no more. */
const MAX_DEPTH = 6;

/** An error as pino writes it, except that of every URL in it only scheme and host remain: libraries repeat them whole. */
export function errorForLog(error: unknown): unknown {
  return withoutSecrets(error instanceof Error ? pino.stdSerializers.err(error) : error, 0);
}

function withoutSecrets(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.replace(URLS, "$1$2");
  if (typeof value !== "object" || value === null) return typeof value === "function" ? undefined : value;
  if (depth >= MAX_DEPTH) return "…";
  if (Array.isArray(value)) return value.map((one) => withoutSecrets(one, depth + 1));
  const entries = Object.entries(value instanceof Error ? pino.stdSerializers.err(value) : value);
  return Object.fromEntries(entries.map(([name, one]) => [name, withoutSecrets(one, depth + 1)]));
}
