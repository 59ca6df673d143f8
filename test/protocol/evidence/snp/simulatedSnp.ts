import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import { testRootFromPem, type TrustedRoot } from "../../../../protocol/evidence/chain/roots.ts";
import type { SnpProduct } from "../../../../protocol/evidence/snp/amdRoots.ts";
import {
  verifySnp,
  type SnpEvidence,
  type SnpVerification,
  type VerifySnpOptions,
} from "../../../../protocol/evidence/snp/verifySnp.ts";
import { issueCrl } from "../../../../worker/tee/simulator/certificate.ts";
import {
  createAmdPki,
  makeAmdKeys,
  type AmdKeys,
  type AmdPki,
} from "../../../../worker/tee/simulator/snp/amdPki.ts";
import { SimulatedSnp, type SnpDefects } from "../../../../worker/tee/simulator/snp/SimulatedSnp.ts";
import type { SnpPlatformOptions } from "../../../../worker/tee/simulator/snp/snpPlatform.ts";

/** When simulated evidence is judged. */
export const AT = 1_800_000_000;
export const REPORT_DATA = new Uint8Array(64).fill(0x5a);

let made: AmdKeys | undefined;
/** Two RSA keys for a whole test process: making them takes seconds. */
export const amdKeys = (): AmdKeys => (made ??= makeAmdKeys());

const pkis = new Map<string, AmdPki>();
function pkiWith(name: string, make: () => AmdPki): AmdPki {
  const pki = pkis.get(name) ?? make();
  pkis.set(name, pki);
  return pki;
}

const SECRET = new Uint8Array(32).fill(9);
const notBefore = AT - 1000;

/** One vendor; each of its products has the same keys under other names. */
export const pkiOf = (product: SnpProduct): AmdPki =>
  pkiWith(product, () => createAmdPki({ notBefore, product, keys: amdKeys(), secret: SECRET }));

/** Another vendor, who uses the same names: its root key is not the first one's. */
export const otherPki = (): AmdPki =>
  pkiWith("other", () => {
    const { ark, ask } = amdKeys();
    return createAmdPki({ notBefore, keys: { ark: ask, ask: ark }, secret: SECRET });
  });

export const rootOf = (pki: AmdPki): TrustedRoot => testRootFromPem(pki.root);

export const guest = (options: Partial<SnpPlatformOptions> = {}, pki = pkiOf("Milan")): SimulatedSnp =>
  new SimulatedSnp(pki, { name: "one", ...options });

export const attest = (defects: SnpDefects = {}, options: Partial<SnpPlatformOptions> = {}): SnpEvidence =>
  guest(options).attest(REPORT_DATA, defects);

export const verify = (
  evidence: SnpEvidence,
  options: Partial<VerifySnpOptions> = {},
): Promise<SnpVerification> =>
  verifySnp(evidence, { at: AT, crypto: nodeCrypto, roots: [rootOf(pkiOf("Milan"))], ...options });

/** A CRL of the simulated vendor; default: valid for a day around `AT`, and empty. */
export const crlOf = (options: Partial<Omit<Parameters<typeof issueCrl>[0], "number">> = {}): Uint8Array =>
  Uint8Array.from(
    issueCrl({
      issuer: pkiOf("Milan").ark,
      number: 1,
      thisUpdate: AT - 100,
      nextUpdate: AT + 86_400,
      revokedSerials: [],
      ...options,
    }),
  );
