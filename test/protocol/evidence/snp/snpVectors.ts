import { splitPem } from "../../../../protocol/der/pem.ts";
import type { SnpEvidence } from "../../../../protocol/evidence/snp/verifySnp.ts";
import { clock, vector } from "../../../support/vectors.ts";

const pem = (path: string): Uint8Array[] => splitPem(vector(path).toString("latin1"));

/** Within the certificates of both vectors. */
export const VECTOR_AT = clock("2026-07-01T00:00:00Z");

/** go-sev-guest's Milan machine: a guest whose policy allows debugging. */
export function goSevGuestVector(): SnpEvidence {
  const [ask, ark] = pem("snp/go-sev-guest-milan/ask_ark.pem") as [Uint8Array, Uint8Array];
  const leaf = Uint8Array.from(vector("snp/go-sev-guest-milan/vcek.der"));
  return {
    report: Uint8Array.from(vector("snp/go-sev-guest-milan/report.bin")),
    certificates: { leaf, ask, ark },
  };
}

/** dstack's Milan machine, with the document that its HOST_DATA binds; its ARK is the one of every Milan. */
export function dstackSnpVector(): SnpEvidence & { readonly mrConfig: string } {
  const { report, mrConfig } = unwrap(Uint8Array.from(vector("snp/dstack-milan/sev_snp_attestation.bin")));
  const [leaf] = pem("snp/dstack-milan/sev_snp_vcek.pem") as [Uint8Array];
  const [ask] = pem("snp/dstack-milan/sev_snp_ask.pem") as [Uint8Array];
  return { report, certificates: { leaf, ask, ark: goSevGuestVector().certificates.ark }, mrConfig };
}

const SNP_VARIANT = 3;

/**
 * The beginning of dstack's SCALE form: version, variant, report, certificates, document; the log and more follow. Only
 * for this one file: Charter takes report and certificates apart.
 */
function unwrap(bytes: Uint8Array): { report: Uint8Array; mrConfig: string } {
  if (bytes[0] !== 0 || bytes[1] !== SNP_VARIANT) throw new Error("expected an SNP attestation");
  let offset = 2;
  const compact = (): number => {
    const [first, second] = [bytes[offset] as number, bytes[offset + 1] as number];
    offset += (first & 3) === 0 ? 1 : 2;
    if ((first & 3) > 1) throw new Error("expected a length below 2^14");
    return (first & 3) === 0 ? first >> 2 : (first + 256 * second) >> 2;
  };
  const take = (): Uint8Array => {
    const length = compact();
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  const report = take();
  if (compact() !== 0) throw new Error("expected no certificates inside");
  return { report, mrConfig: new TextDecoder().decode(take()) };
}
