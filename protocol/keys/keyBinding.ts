import { recoverTypedDataAddress } from "viem";

import { CharterError } from "../errors/CharterError.ts";
import { fromHex, toHex, type Address, type Hex } from "../words/hex.ts";

/** What a bound key is for: the code is the ENUMERATED of the extension and the `purpose` of the signed message. */
export const KeyPurpose = { Tls: 0, Hpke: 1, Session: 2 } as const;
export type KeyPurpose = (typeof KeyPurpose)[keyof typeof KeyPurpose];

/**
 * The instance key speaks for another key (DESIGN section 7). `publicKey`: SubjectPublicKeyInfo in DER for `Tls`, the
 * serialized public key of the KEM (RFC 9180 §4) for `Hpke`, the uncompressed point for `Session`.
 */
export interface KeyBinding {
  readonly chainId: number;
  readonly ledger: Address;
  readonly app: Address;
  readonly instance: Address;
  readonly purpose: KeyPurpose;
  readonly publicKey: Uint8Array;
  /** Unix seconds: the last one in which it counts. */
  readonly notAfter: number;
}

/** A binding and the instance key's signature of it. */
export interface SignedKeyBinding extends KeyBinding {
  readonly signature: Hex;
}

/** Chain and ledger stand in the domain: EIP-712 binds both. */
export const keyBindingTypes = {
  KeyBinding: [
    { name: "app", type: "address" },
    { name: "instance", type: "address" },
    { name: "purpose", type: "uint8" },
    { name: "publicKey", type: "bytes" },
    { name: "notAfter", type: "uint40" },
  ],
} as const;

/** The signed message, as viem's `signTypedData` and `recoverTypedDataAddress` take it. */
export interface KeyBindingTypedData {
  readonly domain: {
    readonly name: string;
    readonly version: string;
    readonly chainId: number;
    readonly verifyingContract: Address;
  };
  readonly types: typeof keyBindingTypes;
  readonly primaryType: "KeyBinding";
  readonly message: {
    readonly app: Address;
    readonly instance: Address;
    readonly purpose: KeyPurpose;
    readonly publicKey: Hex;
    readonly notAfter: number;
  };
}

/** What the instance key signs. */
export function keyBindingTypedData(binding: KeyBinding): KeyBindingTypedData {
  const { chainId, ledger, app, instance, purpose, publicKey, notAfter } = binding;
  return {
    domain: { name: "Charter KeyBinding", version: "1", chainId, verifyingContract: ledger },
    types: keyBindingTypes,
    primaryType: "KeyBinding",
    message: { app, instance, purpose, publicKey: toHex(publicKey), notAfter },
  };
}

/** Has the instance key sign a binding. */
export async function signKeyBinding(
  account: { readonly signTypedData: (data: KeyBindingTypedData) => Promise<Hex> },
  binding: KeyBinding,
): Promise<SignedKeyBinding> {
  return { ...binding, signature: await account.signTypedData(keyBindingTypedData(binding)) };
}

/** What a reader holds a binding to. */
export interface BindingExpectation {
  readonly chainId: number;
  readonly ledger: Address;
  readonly app: Address;
  readonly purpose: KeyPurpose;
  /** Unix seconds. */
  readonly now: number;
  /** The key that was actually met, where it was. */
  readonly publicKey?: Uint8Array;
}

/**
 * Checks that a binding speaks of this chain, ledger, app and purpose, has not ended, is of the key that was met, and is
 * signed by the instance that it names. Whether that instance is live is the ledger's to say.
 * @throws CharterError `keys/binding-mismatch` (naming the field), `keys/binding-ended`, `keys/binding-signature-invalid`.
 */
export async function verifyKeyBinding(
  binding: SignedKeyBinding,
  expected: BindingExpectation,
): Promise<SignedKeyBinding> {
  for (const name of ["chainId", "ledger", "app", "purpose"] as const) {
    if (binding[name] !== expected[name]) throw mismatch(name, expected[name], binding[name]);
  }
  if (expected.publicKey !== undefined && toHex(expected.publicKey) !== toHex(binding.publicKey)) {
    throw mismatch("publicKey", toHex(expected.publicKey), toHex(binding.publicKey));
  }
  if (binding.notAfter < expected.now) {
    throw new CharterError("keys/binding-ended", "the binding of this key has ended", {
      notAfter: binding.notAfter,
      now: expected.now,
    });
  }
  const signer = await recoverSigner(binding);
  if (signer !== binding.instance) {
    throw new CharterError("keys/binding-signature-invalid", "the instance did not sign this binding", {
      expected: binding.instance,
      actual: signer,
    });
  }
  return binding;
}

const mismatch = (name: string, expected: unknown, actual: unknown): CharterError =>
  new CharterError("keys/binding-mismatch", `the binding is for another ${name}`, { name, expected, actual });

/** Null where the signature is none. */
async function recoverSigner(binding: SignedKeyBinding): Promise<Address | null> {
  if (fromHex(binding.signature).length !== 65) return null;
  try {
    const data = keyBindingTypedData(binding);
    const signer = await recoverTypedDataAddress({ ...data, signature: binding.signature });
    return signer.toLowerCase() as Address;
  } catch {
    return null;
  }
}
