import { CharterError } from "../../errors/CharterError.ts";
import { toHex } from "../../words/hex.ts";
import type { CollateralMessage } from "./collateral.ts";
import type { PlatformFamily } from "./platformFamily.ts";

/** Intel's own service; a PCCS of one's own speaks the same. */
export const INTEL_PCS_URL = "https://api.trustedservices.intel.com";
/** Intel serves the root CRL apart from its PCS; a PCCS serves it under its own URL. */
const INTEL_ROOT_CRL = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
const MAX_CHAIN_CHARACTERS = 16_384;

/** What the service answered to one of the questions. */
export interface PcsAnswer {
  readonly url: string;
  readonly headers: { get(name: string): string | null };
  readonly bytes: Uint8Array;
}

type Question = "rootCrl" | "pckCrl" | "tcbInfo" | "qeIdentity";

/**
 * The questions of Intel's Provisioning Certification Service, API version 4
 * (https://api.portal.trustedservices.intel.com/content/documentation.html), for all that a quote of this family is judged by.
 * @param base URL of the service, without a slash at its end. @param early the TCB set that Intel has announced and not yet
 * made the standard one.
 */
export function pcsUrls(
  base: string,
  { tee, fmspc, ca }: PlatformFamily,
  early = false,
): Record<Question, string> {
  return {
    rootCrl: base === INTEL_PCS_URL ? INTEL_ROOT_CRL : `${base}/sgx/certification/v4/rootcacrl`,
    pckCrl: `${base}/sgx/certification/v4/pckcrl?ca=${ca}&encoding=der`,
    tcbInfo: `${base}/${tee}/certification/v4/tcb?fmspc=${fmspc.toUpperCase()}${early ? "&update=early" : ""}`,
    qeIdentity: `${base}/${tee}/certification/v4/qe/identity${early ? "?update=early" : ""}`,
  };
}

/** The answers in the JSON shape that `parseCollateral` reads. Bytes are moved, not judged. @throws `collateral/malformed`. */
export function collateralOf({
  rootCrl,
  pckCrl,
  tcbInfo,
  qeIdentity,
}: Record<Question, PcsAnswer>): Omit<CollateralMessage, "pck_certificate_chain"> {
  const tcb = signedDocument("tcbInfo", tcbInfo);
  const identity = signedDocument("enclaveIdentity", qeIdentity);
  return {
    root_ca_crl: derHex(rootCrl),
    pck_crl: derHex(pckCrl),
    pck_crl_issuer_chain: chain(pckCrl, "SGX-PCK-CRL-Issuer-Chain"),
    tcb_info: tcb.text,
    tcb_info_signature: tcb.signature,
    tcb_info_issuer_chain: chain(tcbInfo, "TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"),
    qe_identity: identity.text,
    qe_identity_signature: identity.signature,
    qe_identity_issuer_chain: chain(qeIdentity, "SGX-Enclave-Identity-Issuer-Chain"),
  };
}

/** DER as hex without 0x. A PCCS may answer the root CRL as hex text already; DER begins with SEQUENCE (0x30). */
function derHex({ bytes, url }: PcsAnswer): string {
  if (bytes[0] === 0x30 && (bytes[1] ?? 0) >= 0x80) return toHex(bytes).slice(2);
  const text = new TextDecoder("latin1").decode(bytes).trim();
  if (/^30[0-9a-fA-F]+$/.test(text) && text.length % 2 === 0) return text.toLowerCase();
  throw new CharterError("collateral/malformed", "a CRL must be DER", { url });
}

/** The issuer chain of a header: PEM, percent-encoded. Some PCCS still have version 3's name for it. */
function chain({ headers, url }: PcsAnswer, name: string, oldName = name): string {
  const value = headers.get(name) ?? headers.get(oldName) ?? "";
  if (value === "" || value.length > MAX_CHAIN_CHARACTERS) {
    throw new CharterError("collateral/malformed", `the header ${name} must hold an issuer chain`, { url });
  }
  try {
    return decodeURIComponent(value);
  } catch (cause) {
    throw new CharterError(
      "collateral/malformed",
      `the header ${name} must be percent-encoded`,
      { url },
      { cause },
    );
  }
}

/**
 * `{"<name>":{…},"signature":"<hex>"}` → the exact text that was signed, and its signature. The text is cut out, never
 * printed anew: the signature is over the vendor's own bytes.
 */
export function signedDocument(
  name: "tcbInfo" | "enclaveIdentity",
  { bytes, url }: Pick<PcsAnswer, "bytes" | "url">,
): { readonly text: string; readonly signature: string } {
  const body = new TextDecoder().decode(bytes).trim();
  const match = new RegExp(`^\\{"${name}":(\\{.*\\}),"signature":"([0-9a-fA-F]{128})"\\}$`, "s").exec(body);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new CharterError("collateral/malformed", `the answer must be {"${name}":…,"signature":…}`, { url });
  }
  return { text: match[1], signature: match[2].toLowerCase() };
}
