import { parseCertificate } from "../../der/certificate.ts";
import { splitPem } from "../../der/pem.ts";
import { fromHex } from "../../words/hex.ts";

/** A root that verification may end at, known by its public key (x‖y). Verdicts under a test root are `simulated`. */
export interface TrustedRoot {
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly simulated: boolean;
}

/** Intel SGX Root CA: the key of the self-signed certificate that Intel publishes with its PCS API v4. */
export const INTEL_ROOT: TrustedRoot = {
  name: "Intel SGX Root CA",
  publicKey: fromHex(
    "0x0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f5" +
      "67918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394",
  ),
  simulated: false,
};

/** A test root from its one PEM certificate. Callers decide where it may be used; it never stands for Intel's. */
export function testRootFromPem(pem: string): TrustedRoot {
  const [der] = splitPem(pem);
  return { name: "test root", publicKey: parseCertificate(der as Uint8Array).publicKey, simulated: true };
}
