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

/** Final blocks by asking the node, under the given rule of finality. */
export function finalBlocksOf(client: PublicClient, finality: Finality): FinalBlocks {
  return {
    finalNumber: async () =>
      (await readFinalBlock(client, finality, await readHeader(client, "latest"))).number,
    hashOf: async (number) => (await readHeader(client, number)).hash,
  };
}
