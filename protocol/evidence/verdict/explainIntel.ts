import { CHARTER, RFC5280, explain, type Explanations } from "./explain.ts";

const TDX_QUOTE = 'Intel TDX DCAP Quoting Library API §A.3, "Version 4 Quote Format"';
const PROFILE = "Intel SGX PCK Certificate and Certificate Revocation List Profile Specification";
const PCS = 'Intel PCS API v4, TCB info and enclave identity, field "signature"';

/** What is checked of quotes, and of what Intel publishes to judge them by. */
export const INTEL: Explanations = {
  "quote-format": explain(
    "Every length inside the quote comes out exactly; nothing but zeros follows it.",
    TDX_QUOTE,
  ),
  "quote-header": explain("Made by Intel's quoting enclave, with an ECDSA P-256 key.", TDX_QUOTE),
  "quote-kind": explain("The quote is a TD's where only a TD will do.", TDX_QUOTE),
  "pck-chain": explain(
    "The platform's certificate, its CA and the root: linked by name, each allowed to do what it does, all on P-256.",
    `${PROFILE}, fields "Issuer" and "Basic Constraints"; ${RFC5280} §6.1`,
  ),
  "pck-issuer": explain(
    "The platform's certificate names Intel's platform or processor CA as its issuer.",
    `${PROFILE}, field "Issuer"`,
  ),
  "pck-extensions": explain(
    "The certificate names platform, family and security versions, each once.",
    `${PROFILE}, field "SGX Extensions" (1.2.840.113741.1.13.1)`,
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
    `${TDX_QUOTE}, field "QE Report Signature"`,
  ),
  "qe-report-data": explain(
    "The quoting enclave vouches for exactly this attestation key.",
    `${TDX_QUOTE}, field "QE Report"`,
  ),
  "quote-signature": explain("Header and report are signed by that attestation key.", TDX_QUOTE),
  "qe-identity-kind": explain("The QE identity is that of this kind of TEE.", 'Intel PCS API v4, field "id"'),
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
    'Intel TDX Module ABI, TDINFO_STRUCT, field "ATTRIBUTES"',
  ),
  "td-attributes": explain(
    "No attribute opens the TD or lets it migrate.",
    'Intel TDX Module ABI, TDINFO_STRUCT, field "ATTRIBUTES"',
  ),
  "td-xfam": explain(
    "State of x87 and SSE is kept, as in every real TD.",
    'Intel TDX Module ABI, TDINFO_STRUCT, field "XFAM"',
  ),
  "td-service-td": explain(
    "No service TD is bound that could move or inspect this one.",
    'Intel TDX Module ABI, TDINFO_STRUCT, field "SERVTD_HASH"',
  ),
  "enclave-debug": explain(
    "The enclave cannot be debugged.",
    'Intel SDM Vol. 3D, SGX enclave control structure (SECS), field "ATTRIBUTES"',
  ),
  "enclave-attributes": explain(
    "The enclave is initialized, 64-bit, and holds no launch key.",
    'Intel SDM Vol. 3D, SGX enclave control structure (SECS), field "ATTRIBUTES"',
  ),
  "enclave-xfrm": explain(
    "State of x87 and SSE is kept.",
    'Intel SDM Vol. 3D, SGX enclave control structure (SECS), field "ATTRIBUTES.XFRM"',
  ),
};
