import { recoverTypedDataAddress } from "viem";
import { z } from "zod";

import type { Address, Bytes32, Hex } from "../words/hex.ts";
import { sessionAcceptTypes, sessionDomain, sessionOpenTypes } from "./domains.ts";
import { addressSchema, bytes32Schema, signatureSchema } from "./messages.ts";

/**
 * `GET /sessions` (WebSocket). Three text frames open a session:
 *
 * 1. relayer: `challenge`, who it says it is, and its challenge;
 * 2. guest: `open`, its own challenge, and the instance key's signature over both;
 * 3. relayer: `accepted`, its lease signer's signature over both; or `refused`, and the socket closes.
 *
 * Each challenge is a fresh X25519 public key, so what is signed is also what the channel's keys come from
 * (protocol/session/channel.ts): whoever stands between can neither take part nor replay an earlier session.
 */
export const challengeSchema = z.strictObject({
  type: z.literal("challenge"),
  relayer: addressSchema,
  challenge: bytes32Schema,
});
export type ChallengeMessage = z.infer<typeof challengeSchema>;

export const openSchema = z.strictObject({
  type: z.literal("open"),
  app: addressSchema,
  key: addressSchema,
  challenge: bytes32Schema,
  signature: signatureSchema,
});
export type OpenMessage = z.infer<typeof openSchema>;

/** A refusal as it travels; before a session stands nobody vouches for it. */
export const refusalSchema = z.strictObject({
  code: z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+$/),
  message: z.string().max(2_000),
  details: z.record(z.string(), z.unknown()).default({}),
  docs: z.string().max(200).optional(),
});

export const acceptedSessionSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("accepted"), signature: signatureSchema }),
  z.strictObject({ type: z.literal("refused"), error: refusalSchema }),
]);

/** What both sides sign. */
export interface Handshake {
  readonly app: Address;
  /** The instance key. */
  readonly key: Address;
  /** The relayer's lease signer. */
  readonly relayer: Address;
  readonly relayerChallenge: Bytes32;
  readonly guestChallenge: Bytes32;
}

export interface SessionPlace {
  readonly chainId: number;
  readonly ledger: Address;
}

/** What the instance key signs. */
export const openTypedData = ({ chainId, ledger }: SessionPlace, message: Handshake) =>
  ({
    domain: sessionDomain(chainId, ledger),
    types: sessionOpenTypes,
    primaryType: "SessionOpen",
    message,
  }) as const;

/** What the lease signer signs. */
export const acceptTypedData = ({ chainId, ledger }: SessionPlace, message: Handshake) =>
  ({
    domain: sessionDomain(chainId, ledger),
    types: sessionAcceptTypes,
    primaryType: "SessionAccept",
    message,
  }) as const;

/** Whether the lease signer accepted this session. Anything that is no signature is nobody's. */
export async function isAcceptedBy(place: SessionPlace, shaken: Handshake, signature: Hex): Promise<boolean> {
  try {
    const signer = await recoverTypedDataAddress({ ...acceptTypedData(place, shaken), signature });
    return signer.toLowerCase() === shaken.relayer;
  } catch {
    return false;
  }
}
