import { getTypesForEIP712Domain, hashDomain, hashTypedData } from "viem";
import type { TypedData, TypedDataDefinition, TypedDataDomain } from "viem";

import { concatBytes } from "../../protocol/words/bytes.ts";
import { fromHex } from "../../protocol/words/hex.ts";
import type { Bytes32 } from "../../protocol/words/hex.ts";
import { keccak256 } from "../keccak.ts";
import { flatStruct } from "./flatStruct.ts";

/** A relayer signs and reads under a handful of domains, which its configuration fixes. */
const MAX_DOMAINS = 64;
const separators = new Map<string, Uint8Array>();
const PREFIX = Uint8Array.of(0x19, 0x01);

/**
 * The EIP-712 digest, as viem's `hashTypedData` gives it, a tenth as dear: domain separators and type hashes are kept, and
 * structs of simple fields are written in one go. @throws viem's errors for a message that does not fit its types.
 */
export function typedDataDigest<
  const Types extends TypedData | Record<string, unknown>,
  Primary extends keyof Types | "EIP712Domain",
>(definition: TypedDataDefinition<Types, Primary>): Bytes32 {
  const { domain, types, primaryType, message } = definition as unknown as Definition;
  const struct = types["EIP712Domain"] === undefined ? flatStruct(types, primaryType, message) : null;
  if (struct === null) return hashTypedData(definition) as Bytes32;
  return keccak256(concatBytes(PREFIX, separatorOf(domain), fromHex(keccak256(struct))));
}

interface Definition {
  readonly domain?: TypedDataDomain;
  readonly types: Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>;
  readonly primaryType: string;
  readonly message: Readonly<Record<string, unknown>>;
}

function separatorOf(domain: TypedDataDomain = {}): Uint8Array {
  const { name, version, chainId, verifyingContract, salt } = domain;
  const parts = [name, version, chainId, verifyingContract, salt];
  const key = JSON.stringify(parts.map((part) => `${typeof part}:${part}`));
  const known = separators.get(key);
  if (known !== undefined) return known;
  const types = { EIP712Domain: getTypesForEIP712Domain({ domain }) };
  const separator = fromHex(hashDomain<Record<string, unknown>>({ domain, types }));
  if (separators.size >= MAX_DOMAINS) separators.clear();
  separators.set(key, separator);
  return separator;
}
