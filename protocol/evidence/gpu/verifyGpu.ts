import type { Crypto } from "../../crypto/crypto.ts";
import { parseCertificate, type Certificate } from "../../der/certificate.ts";
import { commonName } from "../../der/name.ts";
import { MAX_CHAIN, splitPem } from "../../der/pem.ts";
import { equalBytes } from "../../words/bytes.ts";
import { fromHex, toHex, type Bytes32 } from "../../words/hex.ts";
import { ChainSignatures, intersect, isWithin, requireLinked, rootOf, windowOf } from "../chain/chain.ts";
import type { TrustedRoot } from "../chain/roots.ts";
import { Checklist, EvidenceError, type Check } from "../EvidenceError.ts";
import { readFirmwareId } from "./firmwareId.ts";
import { requireGolden, type Rims } from "./golden.ts";
import { MAX_CHAIN_CHARACTERS, type GpuEvidence } from "./gpuEvidence.ts";
import { NVIDIA_DEVICE_ROOT } from "./nvidiaRoots.ts";
import { parseOpaqueData, type GpuFacts, type GpuMode } from "./opaqueData.ts";
import { requireUnrevoked, type OcspAnswers } from "./revocation.ts";
import { parseSpdmReport, type SpdmMeasurement, type SpdmReport } from "./spdm.ts";

export interface VerifyGpuOptions {
  /** Unix seconds to judge at. */
  readonly at: number;
  readonly crypto: Crypto;
  /** The nonce that the report must answer: `reportData[0:32]` where a guest vouches. */
  readonly nonce: Bytes32;
  /** Default: NVIDIA's device root only. */
  readonly roots?: readonly TrustedRoot[];
  /** Which confidential modes will do. Default: those that reports name, and reports too old to name one. */
  readonly modes?: readonly GpuMode[];
  /** Verified manifests of this driver and VBIOS. Without them measurements are reported, not judged. */
  readonly rims?: Rims;
  /** Without them the result's `revocation` is "unchecked". */
  readonly ocsp?: OcspAnswers;
}

/** A GPU report that passed every check. */
export interface GpuVerification {
  readonly kind: "gpu";
  /** A GPU is no platform: it never stands for a node. */
  readonly platformId: null;
  /** SHA-256 of the key that was put into this GPU when it was made. */
  readonly deviceId: Bytes32;
  /** The nonce that the report answers. */
  readonly nonce: Bytes32;
  readonly arch: "HOPPER" | "BLACKWELL";
  /** Name of the identity certificate, e.g. "GH100 A01 GSP BROM". */
  readonly hwModel: string;
  /** Serial of the attestation key's certificate, decimal: `ueid` in NVIDIA's claims. */
  readonly ueid: string;
  readonly facts: GpuFacts;
  readonly measurements: readonly SpdmMeasurement[];
  /** Whether manifests judged the measurements. Only "golden" rules out debug firmware and devtools mode. */
  readonly measured: "golden" | "unchecked";
  readonly revocation: "good" | "unchecked";
  /** `validFrom ≤ t < validUntil`: intersection of certificates, manifests and OCSP answers that were used. */
  readonly validFrom: number;
  readonly validUntil: number;
  readonly root: string;
  readonly simulated: boolean;
  readonly evidence: GpuEvidence;
  readonly checks: readonly Check[];
}

const ARCHES: Readonly<Record<string, "HOPPER" | "BLACKWELL">> = { GH: "HOPPER", GB: "BLACKWELL" };
const ALL_MODES: readonly GpuMode[] = ["spt", "mpt", "ppcie", "unstated"];
/** Leaf, device identity, CAs, root. */
const LEAST_CERTIFICATES = 4;

/**
 * Verifies one GPU's SPDM report and certificates (DMTF DSP0274 1.1; NVIDIA attestation SDK). Pure; every signature is
 * computed before the first judgement.
 *
 * Not checked, and said so in the result: measurements where no manifests are given (`measured`: a report alone does
 * not tell devtools mode or debug firmware from production, only NVIDIA's golden values do), and revocation where no
 * OCSP answers are given (`revocation`). Never checked: that the GPU is the one on this machine's bus. Nothing but the
 * guest's own word binds a GPU to a CPU's quote (`gpuClaim.ts`).
 * @throws EvidenceError `evidence/<check>` with the checks so far.
 */
export async function verifyGpu(evidence: GpuEvidence, options: VerifyGpuOptions): Promise<GpuVerification> {
  const { at, crypto, nonce, roots = [NVIDIA_DEVICE_ROOT], modes = ALL_MODES, rims, ocsp } = options;
  const list = new Checklist();

  const report = list.attempt("gpu-report-format", "an SPDM 1.1 report", () =>
    parseSpdmReport(evidence.report),
  );
  const facts = list.attempt("gpu-opaque-format", "NVIDIA's opaque data", () =>
    parseOpaqueData(report.opaqueData),
  );
  const chain = list.attempt("gpu-chain", "the GPU's certificates up to the root", () =>
    parseChain(evidence.certificates),
  );
  const [leaf, identity] = chain;
  const firmwareId = list.attempt("gpu-firmware-extension", "the firmware's id in the leaf", () =>
    readFirmwareId(leaf, identity),
  );

  const [links, signature, device] = await Promise.all([
    new ChainSignatures(crypto).hold(chain),
    crypto.verify("p384-sha384", leaf.publicKey, report.signed, report.signature),
    crypto.digest("SHA-256", identity.publicKey),
  ]);
  const root = rootOf(chain, roots);
  list.require(root !== undefined, "root-pinned", "a chain that ends at a trusted root", {
    rootKey: toHex(chain.at(-1)?.publicKey ?? new Uint8Array()),
  });
  list.require(links, "gpu-chain-signatures", "every certificate to be signed by the next");
  list.require(signature, "gpu-signature", "a report signed by the leaf");

  const chainWindow = windowOf(chain);
  const windows = [chainWindow, ...(rims ? [rims.driver, rims.vbios].map(windowOfRim) : [])];
  list.require(
    windows.every((window) => isWithin(window, at)),
    "validity",
    "every certificate and manifest to be valid at that time",
    { at, windows },
  );
  requireNonce(list, report, evidence, nonce);
  const { hwModel, arch } = requireModel(list, identity, evidence);
  list.require(
    equalBytes(facts.firmwareId, firmwareId),
    "gpu-firmware-id",
    "the firmware of the leaf's key",
    {
      expected: toHex(firmwareId),
      actual: toHex(facts.firmwareId),
    },
  );
  requireStated(list, evidence, facts);
  list.require(modes.includes(facts.mode), "gpu-mode", "an accepted confidential mode", {
    expected: modes,
    actual: facts.mode,
  });
  if (ocsp) windows.push(requireUnrevoked(list, chain, ocsp, at, "unserved"));
  if (rims) requireGolden(list, report.measurements, facts, rims);

  const window = intersect(windows);
  const { name, simulated } = root as TrustedRoot;
  return {
    kind: "gpu",
    platformId: null,
    deviceId: toHex(device) as Bytes32,
    nonce,
    arch,
    hwModel,
    ueid: BigInt(leaf.serial).toString(),
    facts,
    measurements: report.measurements,
    measured: rims ? "golden" : "unchecked",
    revocation: ocsp ? "good" : "unchecked",
    validFrom: window.from,
    validUntil: window.until,
    root: name,
    simulated: simulated || (rims !== undefined && (rims.driver.simulated || rims.vbios.simulated)),
    evidence,
    checks: list.checks,
  };
}

const windowOfRim = ({ validFrom, validUntil }: Rims["driver"]) => ({ from: validFrom, until: validUntil });

type GpuChain = readonly [leaf: Certificate, identity: Certificate, ...Certificate[]];

/** Leaf first, root last, every key and every signature on P-384: NVIDIA has no other. */
function parseChain(pem: string): GpuChain {
  if (pem.length > MAX_CHAIN_CHARACTERS) {
    throw new EvidenceError("gpu-chain", `expected at most ${MAX_CHAIN_CHARACTERS} characters`, {
      actual: pem.length,
    });
  }
  const certificates = splitPem(pem).map(parseCertificate);
  requireLinked(certificates, LEAST_CERTIFICATES, MAX_CHAIN);
  const other = certificates.findIndex((one) => one.keyType !== "P-384" || one.scheme !== "p384-sha384");
  if (other >= 0) {
    throw new EvidenceError("gpu-chain", "expected keys and signatures on P-384", {
      i: other,
      actual: certificates[other]?.keyType,
    });
  }
  return certificates as [Certificate, Certificate, ...Certificate[]];
}

/** The request's nonce is the caller's, and what the evidence says of it is true. */
function requireNonce(list: Checklist, report: SpdmReport, evidence: GpuEvidence, nonce: Bytes32): void {
  const actual = toHex(report.nonce);
  list.require(actual === nonce && evidence.nonce === nonce, "gpu-nonce", "a report asked with this nonce", {
    expected: nonce,
    actual,
    stated: evidence.nonce,
  });
}

/** Model and architecture by the identity certificate's name, e.g. "GH100 A01 GSP BROM". */
function requireModel(
  list: Checklist,
  identity: Certificate,
  evidence: GpuEvidence,
): Pick<GpuVerification, "hwModel" | "arch"> {
  const hwModel = list.attempt("gpu-model", "a model in the identity certificate's name", () =>
    commonName(fromHex(identity.subject)),
  );
  const arch = hwModel === null ? undefined : ARCHES[hwModel.slice(0, 2)];
  list.require(arch !== undefined && arch === evidence.arch, "gpu-arch", "the stated architecture", {
    expected: evidence.arch,
    actual: arch ?? hwModel,
  });
  return { hwModel: hwModel as string, arch: arch as "HOPPER" | "BLACKWELL" };
}

/** What collectors write beside a report is not signed: it must say the same, or nothing. */
function requireStated(list: Checklist, stated: GpuEvidence, facts: GpuFacts): void {
  const { driverVersion = facts.driverVersion, vbiosVersion = facts.vbiosVersion } = stated;
  list.require(
    driverVersion === facts.driverVersion && vbiosVersion.toUpperCase() === facts.vbiosVersion,
    "gpu-stated-versions",
    "the versions that the report has",
    { expected: [facts.driverVersion, facts.vbiosVersion], actual: [driverVersion, vbiosVersion] },
  );
}
