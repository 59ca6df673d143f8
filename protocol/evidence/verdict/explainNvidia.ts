import { RFC5280, RIM, explain, type Explanations } from "./explain.ts";

const SPDM = "DMTF DSP0274 1.1 §10.11, GET_MEASUREMENTS and MEASUREMENTS";
const NVIDIA = 'NVIDIA attestation SDK, "GPU Claims"';
const OCSP = "RFC 6960 §4.2";

/** What is checked of GPUs' own reports. */
export const GPU_REPORTS: Explanations = {
  "gpu-report-format": explain("Request and response are SPDM 1.1, every length exact.", SPDM),
  "gpu-opaque-format": explain(
    "NVIDIA's part of the report reads field by field.",
    "NVIDIA attestation SDK, table of opaque data fields",
  ),
  "gpu-chain": explain("The GPU's certificates are linked up to the device root.", `${RFC5280} §6.1`),
  "gpu-firmware-extension": explain(
    "The leaf names the firmware that holds its key.",
    "TCG DICE Attestation Architecture §6.1.1, DiceTcbInfo",
  ),
  "gpu-chain-signatures": explain("Each certificate is signed by the next.", `${RFC5280} §6.1.3`),
  "gpu-signature": explain("Request and response are signed by the GPU's key.", SPDM),
  "gpu-nonce": explain("The report answers the nonce that was asked.", SPDM),
  "gpu-model": explain(
    "The identity certificate is that of a GPU model that we know.",
    'NVIDIA attestation SDK, field "hwmodel"',
  ),
  "gpu-arch": explain(
    "The stated architecture is the certificate's.",
    'NVIDIA attestation SDK, field "x-nvidia-gpu-arch-check"',
  ),
  "gpu-firmware-id": explain(
    "The report's firmware is the one that its certificate was issued for.",
    'NVIDIA attestation SDK, field "x-nvidia-gpu-attestation-report-cert-chain-fwid-match"',
  ),
  "gpu-stated-versions": explain(
    "Versions that were said beside the report are those in it.",
    'NVIDIA attestation SDK, field "x-nvidia-gpu-driver-version"',
  ),
  "gpu-mode": explain(
    "The GPU is in a confidential mode that the caller accepts.",
    'NVIDIA attestation SDK, opaque data, field "OPAQUE_FIELD_ID_FEATURE_FLAG"',
  ),
  "gpu-ocsp-validity": explain("The given revocation answers are current.", "RFC 6960 §4.2.2.1"),
  "gpu-revoked": explain("No certificate is revoked or on hold, by the given answers.", "RFC 6960 §2.2"),
  "gpu-rim-id": explain(
    "The report names its board, so that its manifest can be asked for.",
    'NVIDIA RIM service, "RIM ID Naming Convention"',
  ),
  "gpu-driver-rim": explain("The driver's manifest is that of this driver.", RIM),
  "gpu-vbios-rim": explain("The VBIOS's manifest is that of this VBIOS.", RIM),
  "gpu-rim-conflict": explain("The manifests do not speak of the same measurement.", RIM),
  "gpu-rim-empty": explain("The manifests name at least one measurement.", RIM),
  "gpu-measurements": explain("Each measurement that a manifest names has one of its values.", RIM),
  "gpu-distinct": explain("No GPU stands twice.", 'Charter, docs/evidence.md, "What evidence cannot prove"'),
  "gpu-binding-nonce": explain(
    "Each GPU was asked with the first half of the quote's report data.",
    'Charter, docs/evidence.md, "What evidence cannot prove"',
  ),
  "gpu-binding-digest": explain(
    "The second half of the quote's report data is this evidence's digest.",
    'Charter, docs/evidence.md, "What evidence cannot prove"',
  ),
};

/** What is checked of tokens. */
export const NRAS_TOKENS: Explanations = {
  "nonce-missing": explain("The nonce that the token was asked for with was given.", "RFC 9711 §4.1"),
  "gpu-eat-format": explain(
    "The token is a detached EAT: one overall token, one for each GPU.",
    'RFC 9711, "Detached EAT Bundles"',
  ),
  "gpu-eat-signature": explain("Each token is signed with ES384 by a key of the given set.", "RFC 7515 §5.2"),
  "gpu-eat-issuer": explain("The issuer is the one that the key set speaks for.", "RFC 7519 §4.1.1"),
  "gpu-eat-claims": explain("The registered claims are there and of their types.", "RFC 7519 §4.1"),
  "gpu-eat-times": explain("No token ends before it begins.", "RFC 7519 §4.1.4"),
  "gpu-eat-digests": explain(
    "Each GPU's token is the one whose digest the overall token carries.",
    'RFC 9711 §4.2.18, "Detached Submodule Digest"',
  ),
  "gpu-claims-format": explain(
    "The claims are of a version that we know.",
    'NVIDIA attestation SDK, field "x-nvidia-gpu-claims-version"',
  ),
  "gpu-overall-result": explain(
    "The service found everything in order.",
    'NVIDIA attestation SDK, field "x-nvidia-overall-att-result"',
  ),
  "gpu-claims-measurements": explain(
    "The service found the golden measurements.",
    'NVIDIA attestation SDK, field "measres"',
  ),
  "gpu-claims-secure-boot": explain("Secure boot is on.", 'NVIDIA attestation SDK, field "secboot"'),
  "gpu-claims-debug": explain("Debug is disabled.", 'NVIDIA attestation SDK, field "dbgstat"'),
  "gpu-claims-mismatch": explain(
    "No measurement is listed as a mismatch.",
    'NVIDIA attestation SDK, field "x-nvidia-mismatch-measurement-records"',
  ),
  "gpu-claims-conditions": explain(
    "Nonce, signature, architecture, manifests: each was checked and held.",
    NVIDIA,
  ),
  "gpu-claims-chains": explain(
    "All certificate chains are valid and not revoked.",
    'NVIDIA attestation SDK, field "x-nvidia-cert-status"',
  ),
};

/** What is checked of answers about revocation. */
export const OCSP_RESPONSES: Explanations = {
  "ocsp-format": explain("The response is one basic response in strict DER, and says when it ends.", OCSP),
  "ocsp-issuer": explain(
    "A response that came as a file is about certificates that a CA of the given chains issued.",
    "RFC 6960 §4.1.1",
  ),
  "ocsp-status": explain("The service answers, and does not refuse to.", "RFC 6960 §4.2.1"),
  "ocsp-certificates": explain("Certificates that came along can be read.", `${RFC5280} §6.1`),
  "ocsp-responder": explain(
    "The issuer, or one certificate that came along, is the named responder's.",
    OCSP,
  ),
  "ocsp-responder-issued": explain(
    "A responder was certified by the very issuer in question.",
    "RFC 6960 §4.2.2.2",
  ),
  "ocsp-responder-use": explain("A responder's key is for signing OCSP responses.", "RFC 6960 §4.2.2.2"),
  "ocsp-signature": explain("The response is signed by the responder, on P-384.", OCSP),
  "ocsp-certificate": explain(
    "Each certificate that was asked for is answered for, and no other.",
    "RFC 6960 §3.2",
  ),
  "ocsp-validity": explain(
    "Answers and responder's certificate hold at the time of judgement.",
    "RFC 6960 §4.2.2.1",
  ),
  "ocsp-nonce": explain("The response has the nonce of the request.", "RFC 9654 §2"),
};

/** What is checked of manifests. */
export const MANIFESTS: Explanations = {
  "rim-format": explain("The manifest is a SWID tag.", 'ISO/IEC 19770-2, element "SoftwareIdentity"'),
  "rim-signature-format": explain(
    "One enveloped ECDSA signature covers the whole tag.",
    "XML Signature 1.1 §4",
  ),
  "rim-chain": explain("The signer's certificates are linked up to the RIM root.", `${RFC5280} §6.1`),
  "rim-content": explain("Version and measurements read from the canonical text that was hashed.", RIM),
  "rim-chain-signatures": explain("Each certificate is signed by the next.", `${RFC5280} §6.1.3`),
  "rim-signature": explain("The manifest is signed by its signer's key.", "XML Signature 1.1 §3.2.2"),
  "rim-digest": explain("The signed digest is that of the canonical text.", "XML Signature 1.1 §3.2.1"),
};
