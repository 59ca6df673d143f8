import type { TcbHarness } from "../../../../../types/typechain/index.ts";
import { openChain, type Connection } from "../../../support/charter.ts";

/** A chain with nothing but the contract that exposes the libraries. */
export async function openTcbHarness(): Promise<{ connection: Connection; harness: TcbHarness }> {
  const connection = await openChain();
  const harness = (await connection.ethers.deployContract("TcbHarness")) as unknown as TcbHarness;
  return { connection, harness };
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
