import { concat, getTypesForEIP712Domain, hashDomain, hashStruct, hashTypedData, keccak256 } from "viem";
import type { TypedData, TypedDataDefinition, TypedDataDomain } from "viem";

import type { Hex } from "../../protocol/words/hex.ts";

/** A relayer signs and reads under a handful of domains, which its configuration fixes. */
const MAX_DOMAINS = 64;
const separators = new Map<string, Hex>();

/**
 * The EIP-712 digest, as viem's `hashTypedData` gives it, with domain separators kept: they are most of the work.
 * @throws viem's errors for a message that does not fit its types.
 */
export function typedDataDigest<
  const Types extends TypedData | Record<string, unknown>,
  Primary extends keyof Types | "EIP712Domain",
>(definition: TypedDataDefinition<Types, Primary>): Hex {
  const { domain, types, primaryType, message } = definition as unknown as Definition;
  if (primaryType === "EIP712Domain" || types["EIP712Domain"] !== undefined) return hashTypedData(definition);
  return keccak256(
    concat(["0x1901", separatorOf(domain), hashStruct({ data: message, primaryType, types })]),
  );
}

interface Definition {
  readonly domain?: TypedDataDomain;
  readonly types: Record<string, { name: string; type: string }[]>;
  readonly primaryType: string;
  readonly message: Record<string, unknown>;
}

function separatorOf(domain: TypedDataDomain = {}): Hex {
  const { name, version, chainId, verifyingContract, salt } = domain;
  const parts = [name, version, chainId, verifyingContract, salt];
  const key = JSON.stringify(parts.map((part) => `${typeof part}:${part}`));
  const known = separators.get(key);
  if (known !== undefined) return known;
  const types = { EIP712Domain: getTypesForEIP712Domain({ domain }) };
  const separator = hashDomain<Record<string, unknown>>({ domain, types });
  if (separators.size >= MAX_DOMAINS) separators.clear();
  separators.set(key, separator);
  return separator;
}
