/** What one check means, for people, and where the rule stands. */
export interface Explanation {
  readonly says: string;
  readonly source: string;
}

const TDX_QUOTE = "Intel TDX DCAP Quoting Library API §A.3";
const QVL = 'Intel PCS API v4, TCB info and enclave identity, field "tcbLevels"';
const PROFILE = "Intel SGX PCK Certificate and CRL Profile Specification §1.3";
const PCS = 'Intel PCS API v4, TCB info and enclave identity, field "signature"';
const RFC5280 = "RFC 5280";
const DSTACK = 'dstack, quote report, field "event_log"';
const CCEL = "UEFI §38.2.2, and TCG PC Client Platform Firmware Profile §10.4";
const CHARTER = 'Charter, docs/evidence.md, "How to read a verdict"';
const ADMITTED = 'Charter, docs/evidence.md, "What relayer and signers admit"';
const SNP_ABI = "AMD SEV-SNP ABI 56860, table ATTESTATION_REPORT";
const SNP_VCEK = "AMD VCEK and KDS interface 57230, tables of X.509 extensions";
const NITRO = 'AWS Nitro Enclaves, "Verifying the root of trust"';
const SPDM = "DMTF DSP0274 1.1 §10.11, GET_MEASUREMENTS and MEASUREMENTS";
const NVIDIA = 'NVIDIA attestation SDK, "GPU Claims"';
const EAT = "draft-ietf-rats-eat §4.2.18";
const OCSP = "RFC 6960 §4.2";
const RIM = 'NVIDIA attestation SDK, manifest, fields "Meta" and "Resource" of its SWID tag';

const explain = (says: string, source: string): Explanation => ({ says, source });

/** Checks in the order of the groups in docs/evidence.md; within a group in the order in which they run. */
export const EXPLANATION_GROUPS: Readonly<Record<string, Readonly<Record<string, Explanation>>>> = {
  "Every kind": {
    "unknown-form": explain("The file looks like evidence of a kind that Charter reads.", CHARTER),
    "collateral-missing": explain("What the vendor publishes to judge this evidence by was given.", CHARTER),
    "root-pinned": explain(
      "The chain ends at a root whose public key is a constant of the verifier, or at the test root that the caller named.",
      CHARTER,
    ),
    validity: explain(
      "Every certificate, list and document is valid at the time of judgement; the verdict is good for their intersection.",
      `${RFC5280} §4.1.2.5, §5.1.2.5`,
    ),
    "expected-report-data": explain("What is bound in the evidence is what the caller expects.", CHARTER),
    "expected-fact": explain("A fact has the value that the caller expects.", CHARTER),
  },
  "Intel quotes (TDX and SGX)": {
    "quote-format": explain(
      "Every length inside the quote comes out exactly; nothing but zeros follows it.",
      TDX_QUOTE,
    ),
    "quote-header": explain("Made by Intel's quoting enclave, with an ECDSA P-256 key.", TDX_QUOTE),
    "quote-kind": explain("The quote is a TD's where only a TD will do.", TDX_QUOTE),
    "pck-chain": explain(
      "The platform's certificate, its CA and the root: linked by name, each allowed to do what it does, all on P-256.",
      `${PROFILE}; ${RFC5280} §6.1`,
    ),
    "pck-issuer": explain(
      "The platform's certificate names Intel's platform or processor CA as its issuer.",
      PROFILE,
    ),
    "pck-extensions": explain(
      "The certificate names platform, family and security versions, each once.",
      PROFILE,
    ),
    "pck-signatures": explain(
      "Each certificate of that chain is signed by the next; none is left out.",
      `${RFC5280} §6.1.3`,
    ),
    "collateral-chains": explain(
      "TCB info and QE identity were signed by Intel's TCB signer, not by any other certificate.",
      'Intel PCS API v4, field "TCB-Info-Issuer-Chain"',
    ),
    "collateral-root": explain("Quote and collateral end at one root.", CHARTER),
    "collateral-signatures": explain(
      "The collateral's own chains are signed, link by link.",
      `${RFC5280} §6.1.3`,
    ),
    "root-crl-signature": explain("The root's revocation list is signed by the root.", `${RFC5280} §6.3.3`),
    "root-crl-issuer": explain("It is the root's list, and the root may sign lists.", `${RFC5280} §6.3.3`),
    "pck-crl-signature": explain("The CA's revocation list is signed by the CA.", `${RFC5280} §6.3.3`),
    "pck-crl-issuer": explain(
      "It is the list of the CA that issued this platform's certificate.",
      `${RFC5280} §6.3.3`,
    ),
    "pck-revoked": explain("The platform's certificate is not on its CA's list.", `${RFC5280} §6.3.3`),
    "ca-revoked": explain("Neither CA nor TCB signer is on the root's list.", `${RFC5280} §6.3.3`),
    "tcb-info-signature": explain("TCB info is signed, byte for byte as it was served.", PCS),
    "qe-identity-signature": explain("QE identity is signed, byte for byte as it was served.", PCS),
    "evaluation-data-number": explain(
      "The collateral is no older set than the caller has seen before.",
      'Intel PCS API v4, field "tcbEvaluationDataNumber"',
    ),
    "qe-report-signature": explain(
      "The quoting enclave's report is signed by the platform's certificate.",
      TDX_QUOTE,
    ),
    "qe-report-data": explain("The quoting enclave vouches for exactly this attestation key.", TDX_QUOTE),
    "quote-signature": explain("Header and report are signed by that attestation key.", TDX_QUOTE),
    "qe-identity-kind": explain(
      "The QE identity is that of this kind of TEE.",
      'Intel PCS API v4, field "id"',
    ),
    "qe-identity": explain(
      "The quoting enclave is Intel's: signer, product, attributes under their masks.",
      'Intel PCS API v4, field "attributesMask"',
    ),
    "qe-tcb": explain(
      "Intel lists a level for this version of the quoting enclave.",
      'Intel PCS API v4, field "tcbLevels"',
    ),
    "tcb-info-kind": explain("The TCB info is that of this kind of TEE.", 'Intel PCS API v4, field "id"'),
    "tcb-info-platform": explain(
      "The TCB info is that of this platform's family (FMSPC) and PCE.",
      'Intel PCS API v4, field "fmspc"',
    ),
    "tdx-module": explain(
      "The TDX module has Intel's signer and attributes, by the identity of its version.",
      'Intel PCS API v4, field "tdxModuleIdentities"',
    ),
    "tdx-module-tcb": explain(
      "Intel lists a level for this version of the module.",
      'Intel PCS API v4, field "tdxModuleIdentities"',
    ),
    "platform-tcb": explain(
      "Intel lists a level that this platform reaches; TDX components count from the third where the module has a version.",
      'Intel PCS API v4, field "tdxtcbcomponents"',
    ),
    "td-debug": explain(
      "The TD cannot be debugged: its host cannot read it.",
      'Intel TDX Module ABI, field "TD_ATTRIBUTES"',
    ),
    "td-attributes": explain(
      "No attribute opens the TD or lets it migrate.",
      'Intel TDX Module ABI, field "TD_ATTRIBUTES"',
    ),
    "td-xfam": explain(
      "State of x87 and SSE is kept, as in every real TD.",
      'Intel TDX Module ABI, field "XFAM"',
    ),
    "td-service-td": explain(
      "No service TD is bound that could move or inspect this one.",
      'Intel TDX Module ABI, field "SERVTD"',
    ),
    "enclave-debug": explain("The enclave cannot be debugged.", "Intel SDM Vol. 3D §35.7.1"),
    "enclave-attributes": explain(
      "The enclave is initialized, 64-bit, and holds no launch key.",
      "Intel SDM Vol. 3D §35.7.1",
    ),
    "enclave-xfrm": explain("State of x87 and SSE is kept.", "Intel SDM Vol. 3D §35.7.2"),
  },
  "Guests that keep an event log": {
    "kind-unsupported": explain("The guest's evidence is of a kind whose log we know how to replay.", DSTACK),
    "event-log-format": explain("The log is a list of events, within 1 MiB and 10,000 entries.", DSTACK),
    "vm-config-format": explain(
      "The VM configuration names an OS image.",
      'dstack, quote report, field "os_image_hash"',
    ),
    "rtmr-replay": explain(
      "Replaying the log gives the quote's registers. Digests that can be recomputed are; what the log says of them is not read.",
      'dstack, quote report, field "digest"',
    ),
    "event-log-facts": explain(
      "App, compose hash, instance and key provider stand once each, before `system-ready`; nothing later is believed.",
      'dstack, quote report, field "event"',
    ),
    "mr-config-id": explain(
      "Where the host set MRCONFIGID, it is that of what the guest measured: its compose hash (V1); that, the app and the key provider (V2); or the document that came along, which may not contradict them (V3).",
      'dstack, quote report, field "mr_config"',
    ),
    "os-image-hash": explain(
      "Where the guest measured its OS image, it is the one that the configuration names.",
      'dstack, quote report, field "os_image_hash"',
    ),
  },
  "What relayer and signers admit": {
    "event-log-unexpected": explain("Evidence of a kind that keeps no event log came without one.", ADMITTED),
    "vm-config-unexpected": explain("An enclave's evidence came without a VM configuration.", ADMITTED),
    "snp-chip-masked": explain("The report names its chip: a node is one machine.", SNP_ABI),
    "snp-app-unnamed": explain("The document that HOST_DATA binds names its app.", ADMITTED),
    "nitro-platform": explain(
      "The evidence names its machine. AWS's documents name none, so that nothing is admitted on one.",
      NITRO,
    ),
  },
  "Boot logs (CCEL)": {
    "ccel-format": explain(
      "The given boot log reads as firmware leaves it: SHA-384 only, nothing but filler behind it, within 1 MiB, 10,000 events and 64 KiB in each.",
      CCEL,
    ),
    "ccel-digests": explain("Where an event measures its own data, the data give its digest.", CCEL),
    "ccel-replay": explain(
      "Replaying the boot log gives the quote's RTMR0, RTMR1 and RTMR2, and RTMR3 where the log extends it; a register that differs is named.",
      CCEL,
    ),
  },
  "AMD SEV-SNP reports": {
    "snp-report-format": explain(
      "The report has 1,184 bytes and a version that we know; reserved bits are what the table says.",
      SNP_ABI,
    ),
    "snp-certificate-table": explain(
      "The kernel's table of certificates is whole, nothing twice or overlapping.",
      "AMD GHCB 56421, SNP Extended Guest Request, table of certificates",
    ),
    "snp-certificates": explain("Three certificates came: VCEK or VLEK, ASK or ASVK, ARK.", SNP_VCEK),
    "snp-chain": explain(
      "VCEK or VLEK on P-384, ASK or ASVK and ARK with RSA-4096, linked by name.",
      SNP_VCEK,
    ),
    "snp-leaf-extensions": explain(
      "The leaf names product, security versions and chip, each once.",
      SNP_VCEK,
    ),
    "snp-crl-format": explain("The given lists read as AMD's.", `${RFC5280} §5`),
    "snp-mr-config-format": explain(
      "The configuration document is dstack's, of version 3.",
      'dstack, configuration document of version 3, field "version"',
    ),
    "snp-chain-signatures": explain(
      "Each certificate is signed by the next with RSA-PSS; the ARK by itself.",
      `${RFC5280} §6.1.3`,
    ),
    "snp-crl-signature": explain("Each given list is signed by the ARK.", `${RFC5280} §6.3.3`),
    "snp-crl-issuer": explain("Each given list is the ARK's.", `${RFC5280} §6.3.3`),
    "snp-revoked": explain(
      "Neither leaf nor ASK is on a given list. VCEKs never are: their serial is 0.",
      `${RFC5280} §6.3.3`,
    ),
    "snp-names": explain("The CAs' names read.", SNP_VCEK),
    "snp-issuer": explain("The CAs are those of the leaf's product and kind of key.", SNP_VCEK),
    "snp-product": explain(
      "The processor's CPUID is of the product that the certificates are for.",
      'AMD SEV-SNP ABI 56860, table ATTESTATION_REPORT, field "CPUID_FAM_ID"',
    ),
    "snp-signer": explain(
      "The leaf is the kind of key that the report says signed it.",
      'AMD SEV-SNP ABI 56860, table ATTESTATION_REPORT, field "SIGNING_KEY"',
    ),
    "snp-key-masked": explain("The host lets the firmware sign reports.", `${SNP_ABI} §3.6`),
    "snp-signature": explain(
      "The report is signed by the leaf's key (ECDSA P-384, SHA-384).",
      'AMD SEV-SNP ABI 56860, table ATTESTATION_REPORT, field "SIGNATURE"',
    ),
    "snp-tcb-format": explain(
      "Every security version has zeros where it must.",
      "AMD SEV-SNP ABI 56860, table TCB_VERSION",
    ),
    "snp-tcb": explain(
      "The reported security version is the one that the leaf's key was derived from.",
      SNP_VCEK,
    ),
    "snp-chip-id": explain("The report names the chip that the VCEK belongs to.", SNP_VCEK),
    "snp-debug": explain("The guest's policy forbids debugging.", `${SNP_ABI} §4.3`),
    "snp-migration": explain("The guest's policy allows no migration agent.", `${SNP_ABI} §4.3`),
    "snp-smt": explain("Where the caller forbids SMT, policy and platform do.", `${SNP_ABI} §4.3`),
    "snp-platform-policy": explain("The platform is as the guest's policy demands.", `${SNP_ABI} §4.3`),
    "snp-vmpl": explain(
      "The report was asked for at the privilege level that the caller expects: 0 by default.",
      'AMD SEV-SNP ABI 56860, table ATTESTATION_REPORT, field "VMPL"',
    ),
    "snp-host-data": explain(
      "HOST_DATA is what the caller expects.",
      'AMD SEV-SNP ABI 56860, table ATTESTATION_REPORT, field "HOST_DATA"',
    ),
    "snp-report-data": explain(
      "The report data are what the caller expects.",
      'AMD SEV-SNP ABI 56860, table ATTESTATION_REPORT, field "REPORT_DATA"',
    ),
    "snp-mr-config": explain(
      "HOST_DATA is the hash of the document that came along.",
      'dstack, configuration document of version 3, field "compose_hash"',
    ),
    "snp-compose-hash": explain(
      "That document names the compose hash that the caller expects.",
      'dstack, configuration document of version 3, field "compose_hash"',
    ),
  },
  "AWS Nitro documents": {
    "nitro-format": explain(
      "COSE_Sign1 with ES384 around the fields that AWS documents, each once, nothing else.",
      `RFC 9052 §4.2; ${NITRO}`,
    ),
    "nitro-chain": explain(
      "The document's certificates are linked up to the root, all on P-384.",
      `${NITRO}; ${RFC5280} §6.1`,
    ),
    "nitro-chain-signatures": explain("Each certificate is signed by the next.", `${RFC5280} §6.1.3`),
    "nitro-signature": explain("The document is signed by its certificate's key.", "RFC 9052 §4.4"),
    "nitro-time": explain("It was made while its certificates were valid, and not in the future.", NITRO),
    "nitro-age": explain("It is no older than the caller allows.", CHARTER),
    "nitro-pcrs": explain("The PCRs that say which image runs are there.", NITRO),
    "nitro-debug": explain("The enclave is not in debug mode: then those PCRs are zero.", NITRO),
  },
  "NVIDIA GPU reports": {
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
      'NVIDIA attestation SDK, field "feature flag"',
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
    "gpu-distinct": explain(
      "No GPU stands twice.",
      'Charter, docs/evidence.md, "What evidence cannot prove"',
    ),
    "gpu-binding-nonce": explain(
      "Each GPU was asked with the first half of the quote's report data.",
      'Charter, docs/evidence.md, "What evidence cannot prove"',
    ),
    "gpu-binding-digest": explain(
      "The second half of the quote's report data is this evidence's digest.",
      'Charter, docs/evidence.md, "What evidence cannot prove"',
    ),
  },
  "Tokens of NVIDIA's service": {
    "nonce-missing": explain("The nonce that the token was asked for with was given.", EAT),
    "gpu-eat-format": explain("The token is a detached EAT: one overall token, one for each GPU.", EAT),
    "gpu-eat-signature": explain(
      "Each token is signed with ES384 by a key of the given set.",
      "RFC 7515 §5.2",
    ),
    "gpu-eat-issuer": explain("The issuer is the one that the key set speaks for.", "RFC 7519 §4.1.1"),
    "gpu-eat-claims": explain("The registered claims are there and of their types.", "RFC 7519 §4.1"),
    "gpu-eat-times": explain("No token ends before it begins.", "RFC 7519 §4.1.4"),
    "gpu-eat-digests": explain("Each GPU's token is the one whose digest the overall token carries.", EAT),
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
  },
  "NVIDIA's OCSP responses": {
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
  },
  "NVIDIA's manifests": {
    "rim-format": explain("The manifest is a SWID tag.", 'ISO/IEC 19770-2, element "SoftwareIdentity"'),
    "rim-signature-format": explain(
      "One enveloped ECDSA signature covers the whole tag.",
      "XML Signature 1.1 §4",
    ),
    "rim-chain": explain("The signer's certificates are linked up to the RIM root.", `${RFC5280} §6.1`),
    "rim-content": explain("Version and measurements read from the canonical text that was hashed.", RIM),
    "rim-chain-signatures": explain("Each certificate is signed by the next.", `${RFC5280} §6.1.3`),
    "rim-signature": explain("The manifest is signed by its signer's key.", "XML Signature 1.1 §4.4"),
    "rim-digest": explain("The signed digest is that of the canonical text.", "XML Signature 1.1 §4.4.3"),
  },
};

/** The same by the check's name. */
export const EXPLANATIONS: Readonly<Record<string, Explanation | undefined>> = Object.assign(
  Object.create(null) as Record<string, Explanation>,
  ...Object.values(EXPLANATION_GROUPS),
) as Readonly<Record<string, Explanation | undefined>>;
