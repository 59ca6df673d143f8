import { TransactionReceiptNotFoundError } from "viem";
import type { PublicClient } from "viem";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Bytes32 } from "../../protocol/words/hex.ts";
import { readFinalBlock } from "../chain/finality.ts";
import type { Finality } from "../chain/finality.ts";
import { isNoAnswer } from "../chain/noAnswer.ts";
import { asChainError, readHeader } from "../chain/rpc.ts";
import { decodeRevert } from "./decodeRevert.ts";
import type { OutboxChain, Receipt } from "./seams.ts";

/** What nodes say of bytes that they have, or whose nonce is used: the receipt tells what became of them. */
const NO_NEWS = /already known|already imported|known transaction|nonce too low|underpriced/i;

const refused = (cause: unknown) => {
  const reason = cause instanceof Error && "shortMessage" in cause ? String(cause.shortMessage) : "refused";
  return new CharterError("outbox/refused", "the node refuses the transaction", { reason }, { cause });
};

/** A refusal by the contract, by the node (as for want of funds), or silence: three errors. */
const orRefusal = <T>(what: string, call: Promise<T>): Promise<T> =>
  asChainError(
    what,
    call.catch((error: unknown) => {
      throw decodeRevert(error) ?? (isNoAnswer(error) ? error : refused(error));
    }),
  );

/** The outbox's chain over JSON-RPC. */
export function viemOutboxChain(client: PublicClient, finality: Finality): OutboxChain {
  return {
    simulate: async ({ from, to, data }) => {
      await orRefusal("simulation", client.call({ account: from, to, data, blockTag: "latest" }));
      return orRefusal("gas estimate", client.estimateGas({ account: from, to, data, blockTag: "latest" }));
    },

    fees: async () => {
      const { maxFeePerGas, maxPriorityFeePerGas } = await asChainError("fees", client.estimateFeesPerGas());
      return { maxFeePerGas, maxPriorityFeePerGas };
    },

    position: async (signer) => {
      const newest = await readHeader(client, "latest");
      const [final, nonce] = await Promise.all([
        readFinalBlock(client, finality, newest),
        asChainError("nonce", client.getTransactionCount({ address: signer, blockTag: "latest" })),
      ]);
      return { newestBlock: newest.number, finalBlock: final.number, nonce: BigInt(nonce) };
    },

    send: async (raw) => {
      const sending = client.sendRawTransaction({ serializedTransaction: raw }).catch((error: unknown) => {
        const said = error instanceof Error ? error.message : "";
        if (!NO_NEWS.test(said)) throw isNoAnswer(error) ? error : refused(error);
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
