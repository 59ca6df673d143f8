import { collateralOf, pcsUrls } from "../../protocol/evidence/dcap/pcsAnswers.ts";
import type { PlatformFamily } from "./platformFamily.ts";
import { VendorHttp, type VendorHttpOptions } from "./vendorHttp.ts";

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
  async collateral(family: PlatformFamily, early = false): Promise<RawCollateral> {
    const urls = pcsUrls(this.#url, family, early);
    const [rootCrl, pckCrl, tcbInfo, qeIdentity] = await Promise.all([
      this.#http.get(urls.rootCrl),
      this.#http.get(urls.pckCrl),
      this.#http.get(urls.tcbInfo),
      this.#http.get(urls.qeIdentity),
    ]);
    return collateralOf({ rootCrl, pckCrl, tcbInfo, qeIdentity });
  }
}
