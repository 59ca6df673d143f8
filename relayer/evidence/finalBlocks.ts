import type { PublicClient } from "viem";

import type { Bytes32 } from "../../protocol/words/hex.ts";
import { readFinalBlock } from "../chain/finality.ts";
import type { Finality } from "../chain/finality.ts";
import { readHeader } from "../chain/rpc.ts";

/** What freshness is judged by. */
export interface FinalBlocks {
  /** Number of the newest final block. @throws CharterError `chain/…` */
  finalNumber(): Promise<bigint>;
  /** Hash of the canonical block of that number, which is final already. @throws CharterError `chain/…` */
  hashOf(number: bigint): Promise<Bytes32>;
}

/**
 * Final blocks by asking the node, under the given rule of finality. Who asks while the same question is under way shares
 * its answer, which is no older than that; nothing is kept.
 */
export function finalBlocksOf(client: PublicClient, finality: Finality): FinalBlocks {
  const underWay = new Map<string, Promise<unknown>>();
  const shared = <T>(question: string, ask: () => Promise<T>): Promise<T> => {
    const asked = underWay.get(question) as Promise<T> | undefined;
    if (asked !== undefined) return asked;
    const asking = ask().finally(() => underWay.delete(question));
    underWay.set(question, asking);
    return asking;
  };
  return {
    finalNumber: () =>
      shared(
        "final",
        async () => (await readFinalBlock(client, finality, await readHeader(client, "latest"))).number,
      ),
    hashOf: (number) => shared(`hash ${number}`, async () => (await readHeader(client, number)).hash),
  };
}
