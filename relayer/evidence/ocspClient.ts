import { randomBytes } from "node:crypto";

import { nodeCrypto } from "../../protocol/crypto/node.ts";
import type { Certificate } from "../../protocol/der/certificate.ts";
import { ocspRequest } from "../../protocol/evidence/gpu/ocsp/ocspRequest.ts";
import { VendorHttp, type VendorHttpOptions } from "./vendorHttp.ts";

interface Options extends VendorHttpOptions {
  /** URL of NVIDIA's service, or of a simulator that speaks like it. */
  readonly url: string;
}

/** A response, and the nonce that it must have. */
export interface OcspExchange {
  /** DER, not parsed. */
  readonly response: Uint8Array;
  readonly nonce: Uint8Array;
}

const NONCE_BYTES = 32;

/**
 * Client of an OCSP service over HTTP (RFC 6960 appendix A). It asks for one certificate at a time, as NVIDIA's tools do,
 * with a new nonce. It moves bytes and judges none of them. Every failure is a `CharterError` `collateral/…`.
 */
export class OcspClient {
  readonly #url: string;
  readonly #http: VendorHttp;

  constructor({ url, ...http }: Options) {
    this.#url = url;
    this.#http = new VendorHttp(http);
  }

  /** @param serial of a certificate that this issuer issued, 0x hex. */
  async ask(issuer: Certificate, serial: string): Promise<OcspExchange> {
    const nonce = randomBytes(NONCE_BYTES);
    const request = await ocspRequest(issuer, [serial], nonce, nodeCrypto);
    const { bytes } = await this.#http.get(this.#url, {
      method: "POST",
      headers: { "Content-Type": "application/ocsp-request", Accept: "application/ocsp-response" },
      body: Buffer.from(request),
    });
    return { response: bytes, nonce };
  }
}
