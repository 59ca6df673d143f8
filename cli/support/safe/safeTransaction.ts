import { hashTypedData } from "viem";
import { z } from "zod";

import { addressSchema } from "../../../protocol/session/messages.ts";
import { toHex, type Address, type Bytes32, type Hex } from "../../../protocol/words/hex.ts";
import type { RawCall } from "../governance/calls.ts";

export const NOBODY = toHex(new Uint8Array(20)) as Address;

const hexSchema = z
  .string()
  .regex(/^0x(?:[0-9a-f]{2})*$/, "expected lower-case hex of whole bytes")
  .transform((text) => text as Hex);

/**
 * A Safe's transaction as we make and sign it: one plain call, paid for by whoever sends it. A delegate call could
 * rewrite the Safe, a refund could empty it, and `safeTxGas` lets a failed call use up the nonce: none is signed here.
 */
export const safeTransactionSchema = z.strictObject({
  to: addressSchema,
  value: z.literal("0"),
  data: hexSchema,
  operation: z.literal(0),
  safeTxGas: z.literal("0"),
  baseGas: z.literal("0"),
  gasPrice: z.literal("0"),
  gasToken: z.literal(NOBODY),
  refundReceiver: z.literal(NOBODY),
  nonce: z.number().int().nonnegative(),
});
export type SafeTransaction = z.infer<typeof safeTransactionSchema>;

/** The only call that a Safe makes of what we have to say to a contract. */
export const safeTransaction = ({ to, data }: RawCall, nonce: number): SafeTransaction => ({
  to,
  value: "0",
  data,
  operation: 0,
  safeTxGas: "0",
  baseGas: "0",
  gasPrice: "0",
  gasToken: NOBODY,
  refundReceiver: NOBODY,
  nonce,
});

/** What owners sign (Safe.sol `getTransactionHash`, from version 1.3.0 on): EIP-712 by chain and Safe. */
export const safeTxHash = (chainId: number, safe: Address, transaction: SafeTransaction): Bytes32 =>
  hashTypedData({
    domain: { chainId, verifyingContract: safe },
    types: {
      SafeTx: [
        { name: "to", type: "address" },
        { name: "value", type: "uint256" },
        { name: "data", type: "bytes" },
        { name: "operation", type: "uint8" },
        { name: "safeTxGas", type: "uint256" },
        { name: "baseGas", type: "uint256" },
        { name: "gasPrice", type: "uint256" },
        { name: "gasToken", type: "address" },
        { name: "refundReceiver", type: "address" },
        { name: "nonce", type: "uint256" },
      ],
    },
    primaryType: "SafeTx",
    message: {
      ...transaction,
      value: 0n,
      safeTxGas: 0n,
      baseGas: 0n,
      gasPrice: 0n,
      nonce: BigInt(transaction.nonce),
    },
  }) as Bytes32;
