import { z } from "zod";

import { KeyPurpose, type SignedKeyBinding } from "../keys/keyBinding.ts";
import { SECRET_NAME } from "../keys/secretName.ts";
import { fromHex, toHex, type Hex } from "../words/hex.ts";
import { addressSchema, bytes32Schema, leaseRequestSchema, signatureSchema } from "./messages.ts";

/** Longest envelope, as text. */
export const MAX_ENVELOPE_CHARACTERS = 140_000;
/** All envelopes of one app: what a guest is answered stays below a megabyte. */
export const MAX_SECRETS_CHARACTERS = 786_432;
export const MAX_SECRETS = 128;

const uint = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const nameSchema = z.string().regex(SECRET_NAME, "expected a variable's name");

/**
 * `POST /bindings`: an instance tells the app's public key under its own signature (protocol/keys/keyBinding.ts). → 201.
 * `GET /apps/:app/bindings` → those that have not ended. Readers verify each, and ask the ledger whether it is live.
 */
export const keyBindingSchema = z
  .strictObject({
    chainId: uint,
    ledger: addressSchema,
    app: addressSchema,
    instance: addressSchema,
    purpose: z.literal([KeyPurpose.Tls, KeyPurpose.Hpke, KeyPurpose.Session]),
    publicKey: z.string().regex(/^0x(?:[0-9a-f]{2}){1,512}$/, "expected lower-case hex of 1 to 512 bytes"),
    notAfter: uint,
    signature: signatureSchema,
  })
  .transform(({ publicKey, ...rest }): SignedKeyBinding => ({
    ...rest,
    publicKey: fromHex(publicKey as Hex),
  }));

/** A binding as JSON. */
export const keyBindingMessage = ({
  publicKey,
  ...rest
}: SignedKeyBinding): Omit<SignedKeyBinding, "publicKey"> & { readonly publicKey: Hex } => ({
  ...rest,
  publicKey: toHex(publicKey),
});

export const keyBindingsSchema = z.strictObject({ bindings: z.array(keyBindingSchema).max(256) });

/** A change and what it is of: `envelope` is the exact text whose SHA-256 is `digest`, or null where it takes away. */
export const storedSecretSchema = z.strictObject({
  name: nameSchema,
  counter: uint,
  digest: bytes32Schema,
  envelope: z.string().max(MAX_ENVELOPE_CHARACTERS).nullable(),
  signature: signatureSchema,
});
export type StoredSecret = z.infer<typeof storedSecretSchema>;

/** `POST /secrets` → 201; 403 `secret/signer-not-named`, 409 `secret/counter-stale`. */
export const secretChangeSchema = storedSecretSchema.extend({ app: addressSchema });
export type SecretChangeMessage = z.infer<typeof secretChangeSchema>;

/** `GET /apps/:app/secrets` → what is set; never a value. */
export const secretListSchema = z.strictObject({
  secrets: z
    .array(
      z.strictObject({
        name: nameSchema,
        counter: uint,
        digest: bytes32Schema,
        setAt: uint,
        removed: z.boolean(),
      }),
    )
    .max(MAX_SECRETS),
});
export type SecretList = z.infer<typeof secretListSchema>;

/**
 * `POST /secrets/deliveries` → the app's secrets, where a lease would be granted for the same request; `signature` is the
 * lease signer's, over protocol/session/secretDelivery.ts.
 */
export const deliveryRequestSchema = leaseRequestSchema;
export const deliverySchema = z.strictObject({
  secrets: z.array(storedSecretSchema).max(MAX_SECRETS),
  signature: signatureSchema,
});
export type Delivery = z.infer<typeof deliverySchema>;
