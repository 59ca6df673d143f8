import { TransactionReceiptNotFoundError } from "viem";
import type { PublicClient } from "viem";

import { CharterError, isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Bytes32 } from "../../protocol/words/hex.ts";
import { readFinalBlock } from "../chain/finality.ts";
import type { Finality } from "../chain/finality.ts";
import { isNoAnswer } from "../chain/noAnswer.ts";
import { asChainError, readHeader } from "../chain/rpc.ts";
import { decodeRevert } from "./decodeRevert.ts";
import { classifySendRefusal } from "./nodeTexts.ts";
import type { OutboxChain, Receipt } from "./seams.ts";

const refused = (cause: unknown) => {
  const reason = cause instanceof Error && "shortMessage" in cause ? String(cause.shortMessage) : "refused";
  return new CharterError("outbox/refused", "the node refuses the transaction", { reason }, { cause });
};

/** It will not take these bytes, whatever happens. */
const unacceptable = (cause: unknown) => {
  const reason = cause instanceof Error && "shortMessage" in cause ? String(cause.shortMessage) : "refused";
  return new CharterError(
    "outbox/unacceptable",
    "the node will never take the transaction",
    { reason },
    { cause },
  );
};

const poor = (cause: unknown) =>
  new CharterError("outbox/insufficient-funds", "the signer's account cannot pay", {}, { cause });

/** Everything that the node said, wherever viem has put it. */
function textOf(error: unknown): string {
  const texts: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    texts.push(at.message, "details" in at ? String(at.details) : "");
  }
  return texts.join("\n");
}

/** What the node refuses, as our error; null where it only says what the receipt or the next block will tell. */
function refusalOf(error: unknown): CharterError | null {
  const kind = classifySendRefusal(textOf(error));
  if (kind === "funds") return poor(error);
  if (kind === "never") return unacceptable(error);
  return kind === "other" ? refused(error) : null;
}

/** The endpoints' own error: that they disagree is no word of any of them. */
function isOurs(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (isCharterError(at)) return true;
  return false;
}

/** A refusal by the contract, by the node (as for want of funds), or silence: three errors. */
const orRefusal = <T>(what: string, call: Promise<T>): Promise<T> =>
  asChainError(
    what,
    call.catch((error: unknown) => {
      if (isNoAnswer(error) || isOurs(error)) throw error;
      throw decodeRevert(error) ?? refusalOf(error) ?? refused(error);
    }),
  );

/** The outbox's chain over JSON-RPC. */
export function viemOutboxChain(client: PublicClient, finality: Finality): OutboxChain {
  return {
    simulate: async ({ from, to, data }) => {
      // Only a revert of this call is for good, so it is asked at one block, where endpoints can agree.
      const { number: blockNumber } = await readHeader(client, "latest");
      await orRefusal("simulation", client.call({ account: from, to, data, blockNumber }));
      try {
        return await orRefusal("gas estimate", client.estimateGas({ account: from, to, data, blockNumber }));
      } catch (error) {
        if (!isCharterError(error) || error.code !== "outbox/reverted") throw error;
        throw refused(error);
      }
    },

    fees: async () => {
      const { maxFeePerGas, maxPriorityFeePerGas } = await asChainError("fees", client.estimateFeesPerGas());
      return { maxFeePerGas, maxPriorityFeePerGas };
    },

    position: async (signer) => {
      const newest = await readHeader(client, "latest");
      const [final, nonce] = await Promise.all([
        readFinalBlock(client, finality, newest),
        asChainError("nonce", client.getTransactionCount({ address: signer, blockNumber: newest.number })),
      ]);
      return { newestBlock: newest.number, finalBlock: final.number, nonce: BigInt(nonce) };
    },

    balance: (signer) => asChainError("balance", client.getBalance({ address: signer, blockTag: "latest" })),

    send: async (raw) => {
      const sending = client.sendRawTransaction({ serializedTransaction: raw }).catch((error: unknown) => {
        if (isNoAnswer(error) || isOurs(error)) throw error;
        const refusal = refusalOf(error);
        if (refusal !== null) throw refusal;
      });
      await asChainError("sending", sending);
    },

    receipt: async (hash): Promise<Receipt | null> => {
      try {
        const receipt = await client.getTransactionReceipt({ hash });
        return {
          blockNumber: receipt.blockNumber,
          blockHash: receipt.blockHash.toLowerCase() as Bytes32,
          success: receipt.status === "success",
        };
      } catch (error) {
        if (error instanceof TransactionReceiptNotFoundError) return null;
        return asChainError("receipt", Promise.reject(error as Error));
      }
    },
  };
}
