import type { PublicClient } from "viem";

import type { Bytes32 } from "../../protocol/words/hex.ts";
import { readFinalBlock } from "../chain/finality.ts";
import type { Finality } from "../chain/finality.ts";
import { readHeader } from "../chain/rpc.ts";

/** What freshness is judged by. */
export interface FinalBlocks {
  /**
   * Number of the newest final block; asked anew where an answer that is kept is below `atLeast`.
   * @throws CharterError `chain/…`
   */
  finalNumber(atLeast?: bigint): Promise<bigint>;
  /** Hash of the canonical block of that number, which is final already. @throws CharterError `chain/…` */
  hashOf(number: bigint): Promise<Bytes32>;
}

interface Answer<T> {
  readonly value: T;
  /** Milliseconds of a clock that only goes forward. */
  readonly askedAt: number;
}

/**
 * An answer serves those who ask within this time after it was asked for: a hundredth of a block on most chains. What it
 * says cannot turn worse meanwhile: a final block's number only grows, and its hash stays.
 */
const KEPT_MS = 250;
/** Blocks whose hashes are kept: evidence of one moment binds a few. */
const MAX_HASHES = 256;

/**
 * Final blocks by asking the node, under the given rule of finality. Who asks while the same question is under way shares
 * its answer; so do those who come right after it, or a burst of evidence would ask the node for each piece of it.
 */
export function finalBlocksOf(
  client: PublicClient,
  finality: Finality,
  now: () => number = () => performance.now(),
): FinalBlocks {
  const underWay = new Map<string, Promise<unknown>>();
  const shared = <T>(question: string, ask: () => Promise<T>): Promise<T> => {
    const asked = underWay.get(question) as Promise<T> | undefined;
    if (asked !== undefined) return asked;
    const asking = ask().finally(() => underWay.delete(question));
    underWay.set(question, asking);
    return asking;
  };
  const isKept = ({ askedAt }: Answer<unknown>): boolean => now() - askedAt < KEPT_MS;
  let newest: Answer<bigint> | undefined;
  const hashes = new Map<bigint, Answer<Bytes32>>();

  const askFinal = async (): Promise<bigint> => {
    const askedAt = now();
    const { number } = await readFinalBlock(client, finality, await readHeader(client, "latest"));
    newest = { value: number, askedAt };
    return number;
  };
  const askHash = async (number: bigint): Promise<Bytes32> => {
    const askedAt = now();
    const { hash } = await readHeader(client, number);
    for (const [known, answer] of hashes) if (!isKept(answer)) hashes.delete(known);
    if (hashes.size < MAX_HASHES) hashes.set(number, { value: hash, askedAt });
    return hash;
  };
  return {
    finalNumber: async (atLeast = 0n) =>
      newest !== undefined && isKept(newest) && newest.value >= atLeast
        ? newest.value
        : shared("final", askFinal),
    hashOf: async (number) => {
      const known = hashes.get(number);
      return known !== undefined && isKept(known)
        ? known.value
        : shared(`hash ${number}`, () => askHash(number));
    },
  };
}
