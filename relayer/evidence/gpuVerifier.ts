import { createHash } from "node:crypto";

import { nodeCrypto } from "../../protocol/crypto/node.ts";
import { parseCertificate, type Certificate } from "../../protocol/der/certificate.ts";
import { splitPem } from "../../protocol/der/pem.ts";
import { isCharterError } from "../../protocol/errors/CharterError.ts";
import type { Ending } from "../../protocol/evidence/forecast.ts";
import type { GpuEvidence } from "../../protocol/evidence/gpu/gpuEvidence.ts";
import { ocspAnswers } from "../../protocol/evidence/gpu/ocsp/ocspAnswers.ts";
import type { OcspVerification } from "../../protocol/evidence/gpu/ocsp/verifyOcsp.ts";
import type { OcspAnswers } from "../../protocol/evidence/gpu/revocation.ts";
import { rimIds } from "../../protocol/evidence/gpu/rim/rimIds.ts";
import { verifyRim, type RimVerification } from "../../protocol/evidence/gpu/rim/verifyRim.ts";
import {
  verifyGpu,
  type GpuVerification,
  type VerifyGpuOptions,
} from "../../protocol/evidence/gpu/verifyGpu.ts";
import type { TrustedRoot } from "../../protocol/evidence/index.ts";
import type { GpuCollateralStore } from "../store/gpuCollateralStore.ts";
import { CollateralSource } from "./CollateralSource.ts";
import {
  genuineOcsp,
  genuineRim,
  type CertificateFamily,
  type HeldRim,
  type RimFamily,
} from "./genuineGpu.ts";
import { OcspClient } from "./ocspClient.ts";
import { RimClient } from "./rimClient.ts";

export interface GpuVerifierOptions {
  readonly rimUrl: string;
  readonly ocspUrl: string;
  /** Above GPUs. */
  readonly roots: readonly TrustedRoot[];
  /** Above the signers of manifests. */
  readonly rimRoots: readonly TrustedRoot[];
  /** Keeps what NVIDIA published for the times when it does not answer. */
  readonly store: Pick<GpuCollateralStore, "rim" | "keepRim" | "ocsp" | "keepOcsp">;
  /** Unix seconds. */
  readonly now: () => number;
  readonly onRefreshFailed: (cause: unknown) => void;
}

export interface GpuVerifier {
  /**
   * Verifies a GPU's report with the manifests of its driver and VBIOS, and with OCSP answers for its certificates and
   * theirs. Nothing is asked of NVIDIA for a report that is not a GPU's under a trusted root, over this nonce.
   * @throws EvidenceError, CharterError `collateral/…`.
   */
  readonly verify: (
    evidence: GpuEvidence,
    options: Pick<VerifyGpuOptions, "nonce" | "modes">,
  ) => Promise<GpuVerification>;
  /**
   * When the certificates and manifests of a report end. Answers about revocation are not among them: each is asked for
   * anew within its day. @throws EvidenceError, CharterError `collateral/…`.
   */
  readonly endings: (evidence: GpuEvidence) => Promise<Ending[]>;
  /** First second in which manifests and answers are not valid any more, by family. */
  readonly held: () => ReadonlyMap<string, number>;
}

/** Verifies GPU reports against what NVIDIA's RIM and OCSP services publish. */
export function gpuVerifier(options: GpuVerifierOptions): GpuVerifier {
  const { roots, rimRoots, store, now, onRefreshFailed } = options;
  const rimClient = new RimClient({ url: options.rimUrl, now });
  const ocspClient = new OcspClient({ url: options.ocspUrl, now });

  const rims = new CollateralSource<RimFamily, HeldRim>({
    key: rimKey,
    load: async (family) => {
      const held = await genuineRim(await rimClient.rim(family.id), family, rimRoots, now());
      await store.keepRim(family.id, held.xml, now());
      return held;
    },
    kept: async (family) => {
      const xml = await store.rim(family.id);
      return xml === null ? null : unlessRefused(genuineRim(xml, family, rimRoots, now()));
    },
    validUntil: ({ verified }) => verified.validUntil,
    now,
    onRefreshFailed,
  });

  const responses = new CollateralSource<CertificateFamily, OcspVerification>({
    key: certificateKey,
    load: async (family) => {
      const { response, nonce } = await ocspClient.ask(family.issuer, family.serial);
      const held = await genuineOcsp(response, family, now(), nonce);
      const thisUpdate = Math.min(...held.answers.map((one) => one.thisUpdate));
      await store.keepOcsp(certificateKey(family), response, thisUpdate, now());
      return held;
    },
    kept: async (family) => {
      const response = await store.ocsp(certificateKey(family));
      return response === null ? null : unlessRefused(genuineOcsp(response, family, now()));
    },
    validUntil: ({ validUntil }) => validUntil,
    now,
    onRefreshFailed,
  });

  /** Answers for every certificate of a verified chain from this one on, the root's own excepted. */
  const ask = async (chain: readonly Certificate[], from: number): Promise<OcspAnswers> => {
    const families = chain
      .slice(from, -1)
      .map(({ serial }, i) => ({ serial, issuer: chain[from + i + 1] as Certificate }));
    return ocspAnswers(await whole(families.map((family) => responses.get(family))));
  };
  const rimOf = async (family: RimFamily): Promise<RimVerification> => {
    const { xml, verified } = await rims.get(family);
    const ocsp = await ask(verified.chain, 0);
    return verifyRim(xml, { at: now(), crypto: nodeCrypto, roots: rimRoots, ocsp });
  };

  return {
    verify: async (evidence, asked) => {
      const judge = (more: Pick<VerifyGpuOptions, "rims" | "ocsp">): Promise<GpuVerification> =>
        verifyGpu(evidence, { at: now(), crypto: nodeCrypto, roots, ...asked, ...more });
      const alone = await judge({});
      const { driver: driverId, vbios: vbiosId } = rimIds(alone);
      const { driverVersion, vbiosVersion } = alone.facts;
      const [driver, vbios, ocsp] = await whole([
        rimOf({ id: driverId, version: driverVersion }),
        rimOf({ id: vbiosId, version: vbiosVersion }),
        // NVIDIA's service does not know the leaf, which the GPU issued itself.
        ask(splitPem(evidence.certificates).map(parseCertificate), 1),
      ]);
      return judge({ rims: { driver, vbios }, ocsp });
    },
    endings: async (evidence) => {
      const { nonce } = evidence;
      const alone = await verifyGpu(evidence, { at: now(), crypto: nodeCrypto, roots, nonce });
      const ids = rimIds(alone);
      const { driverVersion, vbiosVersion } = alone.facts;
      const [driver, vbios] = await whole([
        rims.get({ id: ids.driver, version: driverVersion }),
        rims.get({ id: ids.vbios, version: vbiosVersion }),
      ]);
      return [
        { what: "GPU certificates", at: alone.validUntil },
        { what: "GPU driver manifest", at: driver.verified.validUntil },
        { what: "GPU VBIOS manifest", at: vbios.verified.validUntil },
      ];
    },
    held: () => new Map([...rims.held(), ...responses.held()]),
  };
}

/** Waits for all of them, also where one fails: no fetch outlives the call that it is for. */
async function whole<T extends readonly Promise<unknown>[]>(
  promises: readonly [...T],
): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

const rimKey = ({ id }: RimFamily): string => `gpu:rim:${id}`;

/** By the issuer's key too: a name and a serial are anybody's to give. */
const certificateKey = ({ issuer, serial }: CertificateFamily): string => {
  const hash = createHash("sha256").update(issuer.subject).update(issuer.publicKey).digest("hex");
  return `gpu:ocsp:${hash}:${serial}`;
};

/** What was kept and does not hold any more is as if it had not been kept. */
async function unlessRefused<T>(held: Promise<T>): Promise<T | null> {
  try {
    return await held;
  } catch (error) {
    if (isCharterError(error)) return null;
    throw error;
  }
}
