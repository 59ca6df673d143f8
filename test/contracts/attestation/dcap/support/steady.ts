import { parseCertificate } from "../../../../../protocol/der/certificate.ts";
import { parseCrl } from "../../../../../protocol/der/crl.ts";
import { splitPem } from "../../../../../protocol/der/pem.ts";
import { issueCrl } from "../../../../../worker/tee/simulator/certificate.ts";
import { signRaw } from "../../../../../worker/tee/simulator/keys.ts";
import { createTestPki, type TestPki } from "../../../../../worker/tee/simulator/pki.ts";

/**
 * Signatures are random, and a zero byte of call data costs less: where gas is compared exactly, only those count that
 * have none, and (in DER, whose numbers may be shorter) begin with a high bit.
 */
const isSteady = (signature: Uint8Array, inDer: boolean): boolean =>
  signature.every((byte, i) => byte > (inDer && i % 32 === 0 ? 0x7f : 0));

function until<T>(make: () => T, good: (made: T) => boolean): T {
  for (;;) {
    const made = make();
    if (good(made)) return made;
  }
}

/** r ‖ s over a text, without zeros. */
export const steadySignature = (key: Parameters<typeof signRaw>[0], text: string): Buffer =>
  until(
    () => signRaw(key, Buffer.from(text, "utf8")),
    (made) => isSteady(made, false),
  );

/** A CRL whose signature is as long as any. */
export const steadyCrl = (request: Parameters<typeof issueCrl>[0]): Buffer =>
  until(
    () => issueCrl(request),
    (made) => isSteady(parseCrl(made).signature, true),
  );

/** A vendor whose CA certificates' signatures are as long as any. */
export const steadyPki = (options: Parameters<typeof createTestPki>[0]): TestPki =>
  until(
    () => createTestPki(options),
    ({ file }) =>
      [file.platformCa, file.signing].every((pem) =>
        isSteady(parseCertificate(splitPem(pem)[0] as Uint8Array).signature, true),
      ),
  );
