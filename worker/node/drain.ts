import type { PrivateKeyAccount } from "viem/accounts";

import { drainTypedData, sayAgainWhereSuperseded } from "../../protocol/placement/drain.ts";
import type { DrainMessage } from "../../protocol/session/messages.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { anyRelayer } from "../session/anyRelayer.ts";
import { chainOf, type PinnedChain } from "../session/pinnedChain.ts";
import type { RelayerClient } from "../session/RelayerClient.ts";
import { reported } from "../guest/state.ts";

export interface DrainOptions {
  readonly relayers: readonly RelayerClient[];
  readonly pinned: PinnedChain & { readonly nodeRegistry: Address };
  readonly operator: PrivateKeyAccount;
  /** The key that this node is registered by. */
  readonly key: Address;
  readonly draining: boolean;
}

/** What came of one word to every relayer. */
export interface Drained {
  readonly node: number;
  readonly draining: boolean;
  /** Relayers that took it. */
  readonly told: readonly string[];
  /** Those that did not, and why: each places by the words that it has. */
  readonly refused: readonly { readonly relayer: string; readonly code: string; readonly message: string }[];
}

/**
 * Signs, as the operator, that nothing more is to be placed on this node, or that it may be again, and tells every relayer.
 * @throws CharterError where no relayer knows the node (`node/unknown`, `chain/mismatch`, `relayer/…`).
 */
export async function drainNode(options: DrainOptions, signal?: AbortSignal): Promise<Drained> {
  const { relayers, pinned, operator, key, draining } = options;
  const { number: node } = await anyRelayer(relayers, async (relayer) => {
    await chainOf(relayer, pinned, signal);
    return relayer.node(key, signal);
  });
  const tell = async (at: number): Promise<Drained> => {
    const drain = { node, draining, at };
    const signature = await operator.signTypedData(
      drainTypedData(pinned.chainId, pinned.nodeRegistry, drain),
    );
    const message: DrainMessage = { ...drain, signature };
    const told: string[] = [];
    const refused: { relayer: string; code: string; message: string }[] = [];
    for (const relayer of relayers) {
      try {
        await relayer.drain(message, signal);
        told.push(relayer.url);
      } catch (error) {
        const { code, message: why } = reported(error);
        refused.push({ relayer: relayer.url, code, message: why });
      }
    }
    return { node, draining, told, refused };
  };
  return sayAgainWhereSuperseded(tell, ({ refused }) =>
    refused.some(({ code }) => code === "drain/superseded"),
  );
}
