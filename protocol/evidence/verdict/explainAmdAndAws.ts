import { CHARTER, NITRO, RFC5280, SNP_ABI, explain, type Explanations } from "./explain.ts";

const SNP_POLICY = 'AMD SEV-SNP ABI 56860 §4.3, "Guest Policy"';
const SNP_VCEK = "AMD VCEK and KDS interface 57230, tables of X.509 extensions";
const MR_CONFIG = 'dstack, dstack-types/src/mr_config.rs, "MrConfigV3"';

/** What is checked of reports, certificates and lists of AMD's. */
export const SNP: Explanations = {
  "snp-report-format": explain(
    "The report has 1,184 bytes and a version that we know; reserved bits are what the table says.",
    SNP_ABI,
  ),
  "snp-certificate-table": explain(
    "The kernel's table of certificates is whole, nothing twice or overlapping.",
    "AMD GHCB 56421, SNP Extended Guest Request, table of certificates",
  ),
  "snp-certificates": explain("Three certificates came: VCEK or VLEK, ASK or ASVK, ARK.", SNP_VCEK),
  "snp-chain": explain("VCEK or VLEK on P-384, ASK or ASVK and ARK with RSA-4096, linked by name.", SNP_VCEK),
  "snp-leaf-extensions": explain("The leaf names product, security versions and chip, each once.", SNP_VCEK),
  "snp-crl-format": explain("The given lists read as AMD's.", `${RFC5280} §5`),
  "snp-mr-config-format": explain(
    "The configuration document is dstack's, of version 3.",
    `${MR_CONFIG}, field "version"`,
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
    `${SNP_ABI}, field "CPUID_FAM_ID"`,
  ),
  "snp-signer": explain(
    "The leaf is the kind of key that the report says signed it.",
    `${SNP_ABI}, field "SIGNING_KEY"`,
  ),
  "snp-key-masked": explain("The host lets the firmware sign reports.", `${SNP_ABI}, field "MASK_CHIP_KEY"`),
  "snp-signature": explain(
    "The report is signed by the leaf's key (ECDSA P-384, SHA-384).",
    `${SNP_ABI}, field "SIGNATURE"`,
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
  "snp-debug": explain("The guest's policy forbids debugging.", SNP_POLICY),
  "snp-migration": explain("The guest's policy allows no migration agent.", SNP_POLICY),
  "snp-smt": explain("Where the caller forbids SMT, policy and platform do.", SNP_POLICY),
  "snp-platform-policy": explain(
    "The platform is as the guest's policy demands.",
    `${SNP_POLICY}; ${SNP_ABI}, field "PLATFORM_INFO"`,
  ),
  "snp-vmpl": explain(
    "The report was asked for at the privilege level that the caller expects: 0 by default.",
    `${SNP_ABI}, field "VMPL"`,
  ),
  "snp-host-data": explain("HOST_DATA is what the caller expects.", `${SNP_ABI}, field "HOST_DATA"`),
  "snp-report-data": explain(
    "The report data are what the caller expects.",
    `${SNP_ABI}, field "REPORT_DATA"`,
  ),
  "snp-mr-config": explain(
    "HOST_DATA is the hash of the document that came along.",
    `${MR_CONFIG}, "hash_document"`,
  ),
  "snp-compose-hash": explain(
    "That document names the compose hash that the caller expects.",
    `${MR_CONFIG}, field "compose_hash"`,
  ),
};

/** What is checked of attestation documents. */
export const NITRO_DOCUMENTS: Explanations = {
  "nitro-format": explain(
    "COSE_Sign1 with ES384 around the fields that AWS documents, each once, nothing else.",
    `RFC 9052 §4.2; ${NITRO} §2.2, §3.2.2`,
  ),
  "nitro-chain": explain(
    "The document's certificates are linked up to the root, all on P-384.",
    `${NITRO} §3.2.3; ${RFC5280} §6.1`,
  ),
  "nitro-chain-signatures": explain("Each certificate is signed by the next.", `${RFC5280} §6.1.3`),
  "nitro-signature": explain("The document is signed by its certificate's key.", "RFC 9052 §4.4"),
  "nitro-time": explain(
    "It was made while its certificates were valid, and not in the future.",
    `${NITRO} §2.2, field "timestamp"`,
  ),
  "nitro-age": explain("It is no older than the caller allows.", CHARTER),
  "nitro-pcrs": explain(
    "The PCRs that say which image runs are there.",
    'AWS Nitro Enclaves User Guide, "Where to get an enclave\'s measurements"',
  ),
  "nitro-debug": explain(
    "The enclave is not in debug mode: then those PCRs are zero.",
    'AWS Nitro Enclaves User Guide, nitro-cli run-enclave, option "--debug-mode"',
  ),
};
