import type { TcbHarness } from "../../../../../types/typechain/index.ts";
import { openChain, type Connection } from "../../../support/charter.ts";

/** A chain for the suite that calls this, and on it the contract that exposes the libraries. */
export function useTcbHarness(): { readonly harness: TcbHarness; readonly connection: Connection } {
  const used = {} as { harness: TcbHarness; connection: Connection };
  before(async () => {
    used.connection = await openChain();
    used.harness = (await used.connection.ethers.deployContract("TcbHarness")) as unknown as TcbHarness;
  });
  after(() => used.connection.close());
  return used;
}

export const utf8 = (text: string): Buffer => Buffer.from(text, "utf8");

/** A call's own figure, as text for the report of a test. */
export const kilo = (gas: bigint): string => `${(Number(gas) / 1000).toFixed(1)}k`;

/** Runs over items in groups, one call each. */
export async function inGroups<T, R>(
  items: readonly T[],
  size: number,
  ask: (group: T[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const answers: R[] = [];
  for (let i = 0; i < items.length; i += size) answers.push(...(await ask(items.slice(i, i + size))));
  return answers;
}
