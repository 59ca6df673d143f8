import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";

/**
 * Asks one relayer after another (or whoever else may know) until one answers as asked: a silent or a lying one stops nobody.
 * @param what those asked are, as `details.tried` names them.
 * @throws the last one's `CharterError` when all fail, with everyone's code in `details.tried`; a denial outweighs silence, so
 * that "nobody grants" is not mistaken for "nobody is there".
 */
export async function anyRelayer<T, One extends { readonly url: string }>(
  relayers: readonly One[],
  ask: (relayer: One) => Promise<T>,
  what: "relayer" | "source" = "relayer",
): Promise<T> {
  const failures: { url: string; error: CharterError }[] = [];
  for (const relayer of relayers) {
    try {
      return await ask(relayer);
    } catch (error) {
      if (!isCharterError(error)) throw error;
      failures.push({ url: relayer.url, error });
    }
  }
  throw worstOf(failures, what);
}

/** What everyone of those asked failed with, as one error: see `anyRelayer`. */
export function worstOf(
  failures: readonly { readonly url: string; readonly error: CharterError }[],
  what: "relayer" | "source" = "relayer",
): CharterError {
  const worst = failures.find(({ error }) => error.code.endsWith("/denied")) ?? failures.at(-1);
  if (worst === undefined)
    return new CharterError("config/invalid", "at least one relayer must be configured");
  return new CharterError(
    worst.error.code,
    worst.error.message,
    {
      ...worst.error.details,
      tried: failures.map(({ url, error }) => ({ [what]: url, code: error.code })),
    },
    { cause: worst.error },
  );
}
