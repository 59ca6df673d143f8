import { createClient, custom, http, keccak256, parseTransaction, recoverTransactionAddress } from "viem";
import type { Hex, TransactionSerializedEIP1559 } from "viem";

import { CharterError, isCharterError } from "../../../protocol/errors/CharterError.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { TransactionSigner, UnsignedTransaction } from "../seams.ts";

interface Options {
  /** JSON-RPC endpoint with `eth_signTransaction`, as Web3Signer has. */
  readonly url: string;
  readonly address: Address;
  readonly timeoutMs?: number;
}

const quantity = (value: bigint | number): Hex => `0x${value.toString(16)}`;

/**
 * A key that another process holds: Web3Signer over a vault or an HSM. What it returns is not believed: it must be this
 * very transaction, signed by this very account.
 * @throws CharterError `outbox/signer-unreachable`, `outbox/signer-lies`.
 */
export function remoteSigner({ url, address, timeoutMs = 10_000 }: Options): TransactionSigner {
  const { request } = http(url, { timeout: timeoutMs, retryCount: 0 })({});
  const client = createClient({ transport: custom({ request }, { retryCount: 0 }) });
  return {
    address,
    signTransaction: async (transaction) => {
      const { chainId, nonce, to, data, value, gas, maxFeePerGas, maxPriorityFeePerGas } = transaction;
      const asked = {
        from: address,
        to,
        data,
        chainId: quantity(chainId),
        nonce: quantity(nonce),
        value: quantity(value),
        gas: quantity(gas),
        maxFeePerGas: quantity(maxFeePerGas),
        maxPriorityFeePerGas: quantity(maxPriorityFeePerGas),
      };
      const answer = await client
        .request<{ Method: "eth_signTransaction"; Parameters: [typeof asked]; ReturnType: unknown }>({
          method: "eth_signTransaction",
          params: [asked],
        })
        .catch((cause: unknown) => {
          const reason = cause instanceof Error ? cause.name : "unknown";
          throw new CharterError("outbox/signer-unreachable", "the remote signer did not sign", { reason });
        });
      await requireSame(answer, transaction, address);
      return answer as Hex;
    },
  };
}

async function requireSame(answer: unknown, wanted: UnsignedTransaction, address: Address): Promise<void> {
  try {
    if (typeof answer !== "string" || !/^0x02(?:[0-9a-f]{2})+$/i.test(answer))
      throw lie("an EIP-1559 transaction");
    const raw = answer as TransactionSerializedEIP1559;
    const signed = parseTransaction(raw);
    const { chainId, nonce, to, data, value, gas, maxFeePerGas, maxPriorityFeePerGas } = signed;
    const isSame =
      chainId === wanted.chainId &&
      (nonce ?? 0) === wanted.nonce &&
      to?.toLowerCase() === wanted.to.toLowerCase() &&
      (data ?? "0x").toLowerCase() === wanted.data.toLowerCase() &&
      (value ?? 0n) === wanted.value &&
      gas === wanted.gas &&
      maxFeePerGas === wanted.maxFeePerGas &&
      (maxPriorityFeePerGas ?? 0n) === wanted.maxPriorityFeePerGas &&
      (signed.accessList ?? []).length === 0;
    if (!isSame) throw lie("the transaction that was asked for", { hash: keccak256(raw) });
    const signer = await recoverTransactionAddress({ serializedTransaction: raw });
    if (signer.toLowerCase() !== address) throw lie("its own account's signature", { actual: signer });
  } catch (error) {
    throw isCharterError(error) ? error : lie("a signed transaction");
  }
}

const lie = (expected: string, detail: Record<string, unknown> = {}): CharterError =>
  new CharterError("outbox/signer-lies", `expected the remote signer to give ${expected}`, detail);
