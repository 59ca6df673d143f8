const SILENT: ReadonlySet<string> = new Set([
  "HttpRequestError",
  "TimeoutError",
  "WebSocketRequestError",
  "SocketClosedError",
  "OversizedMessageError",
]);

/** Did the node not answer at all? An answer that refuses says something about the question; silence does not. */
export function isNoAnswer(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (SILENT.has(at.name)) return true;
  }
  return false;
}
