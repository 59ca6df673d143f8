import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";

/**
 * Asks one relayer after another (or whoever else may know) until one answers as asked: a silent or a lying one stops nobody.
 * @throws the last relayer's `CharterError` when all fail, with every relayer's code in `details.tried`; a denial
 * outweighs silence, so that "nobody grants" is not mistaken for "nobody is there".
 */
export async function anyRelayer<T, One extends { readonly url: string }>(
  relayers: readonly One[],
  ask: (relayer: One) => Promise<T>,
): Promise<T> {
  const failures: { relayer: string; error: CharterError }[] = [];
  for (const relayer of relayers) {
    try {
      return await ask(relayer);
    } catch (error) {
      if (!isCharterError(error)) throw error;
      failures.push({ relayer: relayer.url, error });
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
      tried: failures.map(({ relayer, error }) => ({ relayer, code: error.code })),
    },
    { cause: worst.error },
  );
}
