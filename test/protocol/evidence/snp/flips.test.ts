import { hash } from "node:crypto";

import { expect } from "chai";

import type { Crypto } from "../../../../protocol/crypto/crypto.ts";
import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import type { SnpCertificates } from "../../../../protocol/evidence/snp/amdChain.ts";
import { AMD_ROOTS } from "../../../../protocol/evidence/snp/amdRoots.ts";
import { verifySnp, type SnpEvidence } from "../../../../protocol/evidence/snp/verifySnp.ts";
import type { TrustedRoot } from "../../../../protocol/evidence/chain/roots.ts";
import { hasVectors } from "../../../support/vectors.ts";
import { failedCheck } from "../simulated.ts";
import { AT, attest, crlOf, pkiOf, rootOf } from "./simulatedSnp.ts";
import { dstackSnpVector, VECTOR_AT } from "./snpVectors.ts";

/** Answers of the crypto seam are functions of its arguments, and a flip changes the arguments of few. */
function remembering(crypto: Crypto): Crypto {
  const answers = new Map<string, Promise<boolean>>();
  return {
    verify(scheme, publicKey, message, signature) {
      const key = hash("sha256", Buffer.concat([publicKey, Buffer.from(scheme), signature, message]));
      const answer = answers.get(key) ?? crypto.verify(scheme, publicKey, message, signature);
      answers.set(key, answer);
      return answer;
    },
    digest: (algorithm, bytes) => crypto.digest(algorithm, bytes),
  };
}

interface Case {
  readonly evidence: SnpEvidence;
  readonly at: number;
  readonly roots: readonly TrustedRoot[];
  readonly crl: Uint8Array | null;
}

/**
 * No byte of a report, a certificate or a CRL lies outside of what is signed or is the signature: what surrounds r and s
 * must be zero, and DER has one form.
 */
const UNSIGNED_RANGES: readonly (readonly [from: number, to: number])[] = [];

const REPORT_CHECKS = ["snp-report-format", "snp-product", "snp-signer", "snp-key-masked", "snp-signature"];
const CERTIFICATE_CHECKS = ["snp-chain", "snp-leaf-extensions", "root-pinned", "snp-chain-signatures"];
const CRL_CHECKS = ["snp-crl-format", "snp-crl-signature", "validity"];

const simulatedCase = (): Case => ({
  evidence: attest(),
  at: AT,
  roots: [rootOf(pkiOf("Milan"))],
  crl: crlOf(),
});

const realCase = (): Case => ({ evidence: dstackSnpVector(), at: VECTOR_AT, roots: AMD_ROOTS, crl: null });

function* flips(bytes: Uint8Array): Generator<readonly [offset: number, flipped: Uint8Array]> {
  for (let offset = 0; offset < bytes.length; offset++) {
    if (UNSIGNED_RANGES.some(([from, to]) => from <= offset && offset < to)) continue;
    const flipped = Uint8Array.from(bytes);
    flipped[offset] = (flipped[offset] as number) ^ (1 << (offset % 8));
    yield [offset, flipped];
  }
}

function suite(name: string, load: () => Case, isReal: boolean): void {
  (isReal && !hasVectors ? describe.skip : describe)(`a flipped byte of ${name}`, function () {
    this.timeout(300_000);
    const crypto = remembering(nodeCrypto);
    let c: Case;
    before(() => {
      c = load();
    });
    const refusedBy = (changes: Partial<SnpEvidence>, crl = c.crl): Promise<string> =>
      failedCheck(
        verifySnp(
          { ...c.evidence, ...changes },
          { at: c.at, crypto, roots: c.roots, ...(crl && { crls: [crl] }) },
        ),
      );

    it("changes what would pass", async () => {
      expect(await refusedBy({})).to.equal("none");
    });

    it(`in any place of the report fails ${REPORT_CHECKS.join(" or ")}`, async () => {
      for (const [offset, report] of flips(c.evidence.report)) {
        expect(REPORT_CHECKS, `byte ${offset}`).to.include(await refusedBy({ report }));
      }
    });

    for (const which of ["leaf", "ask", "ark"] as const satisfies readonly (keyof SnpCertificates)[]) {
      it(`in any place of the ${which} fails ${CERTIFICATE_CHECKS.join(" or ")}`, async () => {
        for (const [offset, flipped] of flips(c.evidence.certificates[which])) {
          const certificates = { ...c.evidence.certificates, [which]: flipped };
          expect(CERTIFICATE_CHECKS, `byte ${offset}`).to.include(await refusedBy({ certificates }));
        }
      });
    }

    // AMD's CRLs are not among the vectors; a configuration document came with the real machine only.
    if (!isReal) {
      it(`in any place of a CRL fails ${CRL_CHECKS.join(" or ")}`, async () => {
        for (const [offset, flipped] of flips(c.crl ?? expect.fail("the simulated case has a CRL"))) {
          expect(CRL_CHECKS, `byte ${offset}`).to.include(await refusedBy({}, flipped));
        }
      });
    } else {
      it("in any place of the configuration document fails", async () => {
        const document = c.evidence.mrConfig ?? expect.fail("the real case has a document");
        for (const [offset, flipped] of flips(new TextEncoder().encode(document))) {
          const changed = { mrConfig: new TextDecoder().decode(flipped) };
          expect(["snp-mr-config", "snp-mr-config-format"], `byte ${offset}`).to.include(
            await refusedBy(changed),
          );
        }
      });
    }
  });
}

suite("simulated SEV-SNP evidence", simulatedCase, false);
suite("real SEV-SNP evidence", realCase, true);
