import type { Address } from "../../protocol/words/hex.ts";
import type { Projection } from "../chain/projection.ts";

/** Keys of nodes that are registered, in the final block or in the newest. */
export function liveNodeKeys({ final, newest }: Projection): ReadonlySet<Address> {
  const keys = new Set<Address>();
  for (const { state } of [final, newest])
    for (const { key, retired } of state.nodes.values()) if (!retired) keys.add(key);
  return keys;
}
