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
  const worst = failures.find(({ error }) => error.code.endsWith("/denied")) ?? failures.at(-1);
  if (worst === undefined)
    throw new CharterError("config/invalid", "at least one relayer must be configured");
  throw new CharterError(
    worst.error.code,
    worst.error.message,
    {
      ...worst.error.details,
      tried: failures.map(({ url, error }) => ({ [what]: url, code: error.code })),
    },
    { cause: worst.error },
  );
}
