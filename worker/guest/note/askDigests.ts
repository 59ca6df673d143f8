import { CharterError, isCharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address, Bytes32, ComposeHash } from "../../../protocol/words/hex.ts";
import { chainOf, type PinnedChain } from "../../session/pinnedChain.ts";
import type { RelayerClient } from "../../session/RelayerClient.ts";
import type { Tried } from "./NoteStanding.ts";

/** The release that this guest runs, and the chain that it is of. */
export interface ThisRelease extends PinnedChain {
  readonly app: Address;
  readonly release: number;
  readonly composeHash: ComposeHash;
}

export interface Digests {
  /** What relayers say, that of most of them first: digest, and who names it. */
  readonly words: readonly (readonly [digest: Bytes32, toldBy: readonly string[]])[];
  readonly tried: readonly Tried[];
}

const TIMEOUT_MS = 5_000;
export const NO_NOTE = `0x${"00".repeat(32)}` as Bytes32;

/**
 * Asks every relayer at once by which digest the release's note goes. A relayer's word is a hint: one that lies can name a
 * note of its own, so that of most counts first, and among equals the one that lets something be read.
 */
export async function askDigests(
  relayers: readonly RelayerClient[],
  { app, release, composeHash, chainId, genesisHash, ledger }: ThisRelease,
  signal: AbortSignal,
): Promise<Digests> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const words = new Map<Bytes32, string[]>();
  const tried: Tried[] = [];
  const answers = await Promise.allSettled(relayers.map((relayer) => ask(relayer)));
  for (const [i, answer] of answers.entries()) {
    const source = relayers[i]?.url ?? "";
    if (answer.status === "fulfilled") words.set(answer.value, [...(words.get(answer.value) ?? []), source]);
    else if (isCharterError(answer.reason)) tried.push({ source, code: answer.reason.code });
    else throw answer.reason;
  }
  const isNone = ([digest]: readonly [Bytes32, unknown]): number => (digest === NO_NOTE ? 1 : 0);
  return {
    words: [...words].sort((a, b) => b[1].length - a[1].length || isNone(a) - isNone(b)),
    tried,
  };

  async function ask(relayer: RelayerClient): Promise<Bytes32> {
    await chainOf(relayer, { chainId, genesisHash, ledger }, until);
    const told = await relayer.release(app, release, until);
    if (told.number === release && told.composeHash === composeHash) return told.noteDigest;
    throw new CharterError("release/mismatch", "the relayer tells of another release than this one", {
      expected: { number: release, composeHash },
      actual: { number: told.number, composeHash: told.composeHash },
    });
  }
}
