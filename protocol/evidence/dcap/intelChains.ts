import type { Certificate } from "../../der/certificate.ts";
import { commonName } from "../../der/name.ts";
import { CharterError } from "../../errors/CharterError.ts";
import { fromHex } from "../../words/hex.ts";
import { requireLinked } from "../chain/chain.ts";

/** Common names of Intel's certificates (SGX PCK Certificate and CRL Profile Specification §1.3). */
const PCK = ["Intel SGX PCK Certificate"];
const PCK_CA = ["Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA"];
const SIGNER = ["Intel SGX TCB Signing"];

/** PCK certificate, its CA, root: linked, and each by its own name. @throws CharterError. */
export function requirePckChain(
  chain: readonly Certificate[],
): asserts chain is readonly [Certificate, Certificate, Certificate] {
  requireLinked(chain, 3);
  requireP256(chain);
  requireName(chain[0], PCK);
  requireName(chain[1], PCK_CA);
}

/** Signer of TCB info or QE identity, root. A PCK certificate stands under the same root and signs neither. */
export function requireSignerChain(chain: readonly Certificate[]): void {
  requireLinked(chain, 2);
  requireP256(chain);
  requireName(chain[0], SIGNER);
}

/** The profile has one curve and one hash for all of Intel's certificates (§1.3). */
function requireP256(chain: readonly Certificate[]): void {
  chain.forEach(({ keyType, scheme }, i) => {
    if (keyType !== "P-256" || scheme !== "p256-sha256") {
      throw new CharterError("chain/malformed", `certificate ${i}: expected ECDSA on P-256 with SHA-256`, {
        i,
        keyType,
        scheme,
      });
    }
  });
}

function requireName(certificate: Certificate | undefined, expected: readonly string[]): void {
  const actual = certificate ? commonName(fromHex(certificate.subject)) : null;
  if (actual === null || !expected.includes(actual)) {
    throw new CharterError("chain/malformed", `expected a certificate of ${expected.join(" or ")}`, {
      expected,
      actual,
    });
  }
}
