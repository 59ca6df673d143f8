import { CharterError } from "../../protocol/errors/CharterError.ts";

/** SQLSTATE classes of a server that is away or out of room: connection (08), resources (53), its operator (57). */
const AWAY = /^(?:08|53|57)[0-9A-Z]{3}$/;
const CUT_OFF = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);
/** What node-postgres says without a code. */
const STALLED =
  /timeout exceeded when trying to connect|connection terminated|query read timeout|connection timeout|has encountered a connection error|cannot use a pool after calling end/i;

/** Never the URL in an error: it carries the password. */
export const unreachable = (cause: unknown): CharterError =>
  new CharterError("store/unreachable", "the database does not answer", {}, { cause });

/** A database that is away, or answers too late, by its code; anything else is a defect and stays what it is. */
export function asStoreError(cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const { code } = cause as NodeJS.ErrnoException;
  const isAway =
    typeof code === "string" ? AWAY.test(code) || CUT_OFF.has(code) : STALLED.test(cause.message);
  return isAway ? unreachable(cause) : cause;
}
