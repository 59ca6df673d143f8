import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import type { PrivateKeyAccount } from "viem/accounts";

import { bindingCertificate } from "../../../protocol/keys/bindingCertificate.ts";
import { KeyPurpose, signKeyBinding } from "../../../protocol/keys/keyBinding.ts";
import type { Address } from "../../../protocol/words/hex.ts";

/** A key that never leaves the guest, and the certificate in which the instance key speaks for it. */
export interface TlsIdentity {
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
  /** Unix seconds. */
  readonly notAfter: number;
}

export interface TlsIdentityOptions {
  readonly chainId: number;
  readonly ledger: Address;
  readonly app: Address;
  readonly account: PrivateKeyAccount;
  /** Unix seconds. */
  readonly now: number;
  readonly lifetimeSeconds: number;
}

/** Clocks differ by minutes. */
const BACKDATED_SECONDS = 300;

/** Makes a fresh key and its certificate. */
export async function tlsIdentity(options: TlsIdentityOptions): Promise<TlsIdentity> {
  const { chainId, ledger, app, account, now, lifetimeSeconds } = options;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = Uint8Array.from(publicKey.export({ type: "spki", format: "der" }));
  const instance = account.address.toLowerCase() as Address;
  const notAfter = now + lifetimeSeconds;
  const binding = await signKeyBinding(
    { signTypedData: (data) => account.signTypedData(data) },
    { chainId, ledger, app, instance, purpose: KeyPurpose.Tls, publicKey: spki, notAfter },
  );
  const serial = randomBytes(16);
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40; // Positive, and of this length.
  const der = bindingCertificate(
    {
      name: instance,
      serial,
      notBefore: now - BACKDATED_SECONDS,
      notAfter,
      publicKey: spki,
      bindings: [binding],
    },
    (tbs) => sign("sha256", tbs, privateKey),
  );
  const base64 = Buffer.from(der)
    .toString("base64")
    .replace(/(.{64})(?=.)/g, "$1\n");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    certificate: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    notAfter,
  };
}
