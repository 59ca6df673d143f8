import { CharterError } from "../../protocol/errors/CharterError.ts";
import { INTEL_PCS_URL } from "../environment.ts";
import type { PlatformFamily } from "./platformFamily.ts";
import { VendorHttp, type VendorAnswer, type VendorHttpOptions } from "./vendorHttp.ts";

/** Collateral for one platform family, in the JSON shape that `parseCollateral` reads (CRLs in hex, chains in PEM). */
export interface RawCollateral {
  readonly pck_crl_issuer_chain: string;
  readonly root_ca_crl: string;
  readonly pck_crl: string;
  readonly tcb_info_issuer_chain: string;
  readonly tcb_info: string;
  readonly tcb_info_signature: string;
  readonly qe_identity_issuer_chain: string;
  readonly qe_identity: string;
  readonly qe_identity_signature: string;
}

interface Options extends VendorHttpOptions {
  /** Base URL of Intel's service, or of one that speaks PCCS (the simulator does). */
  readonly url: string;
}

/** Intel serves the root CRL apart from its PCS; a PCCS serves it under its own URL. */
const INTEL_ROOT_CRL = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
const MAX_CHAIN_CHARACTERS = 16_384;

/**
 * Client of Intel's Provisioning Certification Service, API version 4
 * (https://api.portal.trustedservices.intel.com/content/documentation.html). It moves bytes and judges none of them:
 * the verifier does. Every failure is a `CharterError` `collateral/…`, so that no answer is never an empty answer.
 */
export class PcsClient {
  readonly #url: string;
  readonly #http: VendorHttp;

  constructor({ url, ...http }: Options) {
    this.#url = url.replace(/\/+$/, "");
    this.#http = new VendorHttp(http);
  }

  /**
   * Everything that a quote of this TEE, FMSPC (12 hex digits) and CA is judged by; `early`: by the TCB set that Intel
   * has announced and not yet made the standard one.
   */
  async collateral({ tee, fmspc, ca }: PlatformFamily, early = false): Promise<RawCollateral> {
    const [rootCrl, pckCrl, tcbInfo, qeIdentity] = await Promise.all([
      this.#rootCrl(),
      this.#http.get(`${this.#url}/sgx/certification/v4/pckcrl?ca=${ca}&encoding=der`),
      this.#http.get(
        `${this.#url}/${tee}/certification/v4/tcb?fmspc=${fmspc.toUpperCase()}${early ? "&update=early" : ""}`,
      ),
      this.#http.get(`${this.#url}/${tee}/certification/v4/qe/identity${early ? "?update=early" : ""}`),
    ]);
    const [tcbInfoText, tcbInfoSignature] = signedBody("tcbInfo", tcbInfo);
    const [qeIdentityText, qeIdentitySignature] = signedBody("enclaveIdentity", qeIdentity);
    return {
      root_ca_crl: rootCrl,
      pck_crl: derHex(pckCrl),
      pck_crl_issuer_chain: chain(pckCrl, "SGX-PCK-CRL-Issuer-Chain"),
      tcb_info: tcbInfoText,
      tcb_info_signature: tcbInfoSignature,
      tcb_info_issuer_chain: chain(tcbInfo, "TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"),
      qe_identity: qeIdentityText,
      qe_identity_signature: qeIdentitySignature,
      qe_identity_issuer_chain: chain(qeIdentity, "SGX-Enclave-Identity-Issuer-Chain"),
    };
  }

  async #rootCrl(): Promise<string> {
    const ownHost = this.#url !== INTEL_PCS_URL;
    return derHex(
      await this.#http.get(ownHost ? `${this.#url}/sgx/certification/v4/rootcacrl` : INTEL_ROOT_CRL),
    );
  }
}

/** DER as hex without 0x. A PCCS may answer the root CRL as hex text already; DER begins with SEQUENCE (0x30). */
function derHex({ bytes, url }: VendorAnswer): string {
  if (bytes[0] === 0x30 && (bytes[1] ?? 0) >= 0x80) return Buffer.from(bytes).toString("hex");
  const text = Buffer.from(bytes).toString("latin1").trim();
  if (/^30[0-9a-fA-F]+$/.test(text) && text.length % 2 === 0) return text.toLowerCase();
  throw new CharterError("collateral/malformed", "a CRL must be DER", { url });
}

/** The issuer chain of a header: PEM, percent-encoded. Some PCCS still have version 3's name for it. */
function chain({ headers, url }: VendorAnswer, name: string, oldName = name): string {
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
function signedBody(name: "tcbInfo" | "enclaveIdentity", { bytes, url }: VendorAnswer): [string, string] {
  const text = Buffer.from(bytes).toString("utf8").trim();
  const match = new RegExp(`^\\{"${name}":(\\{.*\\}),"signature":"([0-9a-fA-F]{128})"\\}$`, "s").exec(text);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new CharterError("collateral/malformed", `the answer must be {"${name}":…,"signature":…}`, { url });
  }
  return [match[1], match[2].toLowerCase()];
}
