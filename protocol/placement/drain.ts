import { nodeRegistryDomain } from "../session/domains.ts";
import type { Address } from "../words/hex.ts";

/** An operator's word that nothing more is to be placed on a node, or that it may be again. */
export interface Drain {
  readonly node: number;
  readonly draining: boolean;
  /** Unix seconds: a later word replaces an earlier one, and a relayer takes none that is not of now. */
  readonly at: number;
}

const drainTypes = {
  NodeDrain: [
    { name: "node", type: "uint32" },
    { name: "draining", type: "bool" },
    { name: "at", type: "uint64" },
  ],
} as const;

interface DrainTypedData {
  readonly domain: ReturnType<typeof nodeRegistryDomain>;
  readonly types: typeof drainTypes;
  readonly primaryType: "NodeDrain";
  readonly message: { readonly node: number; readonly draining: boolean; readonly at: bigint };
}

/** What the operator's account signs (EIP-712), in the domain of the NodeRegistry. */
export const drainTypedData = (
  chainId: number,
  nodeRegistry: Address,
  { node, draining, at }: Drain,
): DrainTypedData => ({
  domain: nodeRegistryDomain(chainId, nodeRegistry),
  types: drainTypes,
  primaryType: "NodeDrain",
  message: { node, draining, at: BigInt(at) },
});

/**
 * Says a word at this second, and where it is superseded once more at the next: a word is of one second, and of two of the
 * same second none is the later one.
 * @param say says it as of `at`, unix seconds.
 */
export async function sayAgainWhereSuperseded<T>(
  say: (at: number) => Promise<T>,
  isSuperseded: (outcome: T) => boolean,
): Promise<T> {
  const second = (): number => Math.floor(Date.now() / 1_000);
  const at = second();
  const outcome = await say(at);
  if (!isSuperseded(outcome)) return outcome;
  while (second() <= at) {
    const restMs = 1_000 * (at + 1) - Date.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(1, restMs)));
  }
  return say(second());
}
