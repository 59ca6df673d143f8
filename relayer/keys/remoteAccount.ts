import { createClient, custom, getTypesForEIP712Domain, http, serializeTypedData } from "viem";
import type { Hex, TypedDataDefinition } from "viem";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { Address } from "../../protocol/words/hex.ts";
import { recoverTypedData } from "./recoverTypedData.ts";
import type { SigningAccount } from "./signingAccount.ts";

interface Options {
  /** JSON-RPC endpoint with `eth_signTypedData_v4`. */
  readonly url: string;
  readonly address: Address;
  readonly timeoutMs?: number;
}

/**
 * A key that another process holds. What it returns is not believed: it must be this very account's signature over this
 * very typed data. @throws CharterError `keys/signer-unreachable`, `keys/signer-lies`.
 */
export function remoteAccount({ url, address, timeoutMs = 10_000 }: Options): SigningAccount {
  const { request } = http(url, { timeout: timeoutMs, retryCount: 0 })({});
  const client = createClient({ transport: custom({ request }, { retryCount: 0 }) });
  const sign = async (definition: TypedDataDefinition): Promise<Hex> => {
    // As JSON the domain's own type must be there, or its fields are left out.
    const { domain = {}, types } = definition;
    const whole = { ...definition, types: { EIP712Domain: getTypesForEIP712Domain({ domain }), ...types } };
    const answer = await client
      .request<{ Method: "eth_signTypedData_v4"; Parameters: [Hex, string]; ReturnType: unknown }>({
        method: "eth_signTypedData_v4",
        params: [address, serializeTypedData(whole as TypedDataDefinition)],
      })
      .catch((cause: unknown) => {
        const reason = cause instanceof Error ? cause.name : "unknown";
        throw new CharterError("keys/signer-unreachable", "the remote signer did not sign", { reason });
      });
    const signer = typeof answer === "string" ? recoverTypedData(definition, answer as Hex) : null;
    if (signer === address) return (answer as string).toLowerCase() as Hex;
    throw new CharterError("keys/signer-lies", "the remote signer gave no signature of its account", {
      expected: address,
      actual: signer,
    });
  };
  return { address, signTypedData: (definition) => sign(definition as TypedDataDefinition) };
}
