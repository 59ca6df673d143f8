import { readOnly, Tag } from "../../protocol/der/DerReader.ts";
import { splitPem } from "../../protocol/der/pem.ts";
import { CharterError } from "../../protocol/errors/CharterError.ts";
import type { AmdChip, AmdIssuerFamily } from "./amdFamily.ts";
import { VendorHttp, type VendorAnswer, type VendorHttpOptions } from "./vendorHttp.ts";

/** CAs above a kind of key, and what their root has revoked. All DER. */
export interface AmdIssuers {
  /** ASK above VCEKs, ASVK above VLEKs. */
  readonly ask: Uint8Array;
  readonly ark: Uint8Array;
  readonly crl: Uint8Array;
}

interface Options extends VendorHttpOptions {
  /** Base URL of AMD's service, or of a cache or simulator that speaks like it. */
  readonly url: string;
}

/**
 * Client of AMD's key distribution service (VCEK Certificate and KDS Interface 57230, chapter 4). It moves bytes and
 * judges none of them. Every failure is a `CharterError` `collateral/…`.
 */
export class KdsClient {
  readonly #url: string;
  readonly #http: VendorHttp;

  constructor({ url, ...http }: Options) {
    this.#url = url.replace(/\/+$/, "");
    this.#http = new VendorHttp(http);
  }

  /** DER of the certificate for this chip's key under this firmware. VLEKs are not published: providers hand them out. */
  async vcek({ product, hwid, tcb }: AmdChip): Promise<Uint8Array> {
    const levels = {
      blSPL: tcb.bootloader,
      teeSPL: tcb.tee,
      snpSPL: tcb.snp,
      ucodeSPL: tcb.microcode,
      ...(product === "Turin" ? { fmcSPL: tcb.fmc } : {}),
    };
    const query = Object.entries(levels).map(([name, level]) => `${name}=${level}`);
    return derOf(await this.#http.get(`${this.#url}/vcek/v1/${product}/${hwid}?${query.join("&")}`));
  }

  async issuers({ signer, product }: AmdIssuerFamily): Promise<AmdIssuers> {
    const base = `${this.#url}/${signer.toLowerCase()}/v1/${product}`;
    const [chain, crl] = await Promise.all([
      this.#http.get(`${base}/cert_chain`),
      this.#http.get(`${base}/crl`),
    ]);
    return { ...pemOf(chain), crl: derOf(crl) };
  }
}

/** One DER structure and nothing behind it. */
function derOf({ bytes, url }: VendorAnswer): Uint8Array {
  try {
    readOnly(bytes, Tag.Sequence);
    return bytes;
  } catch (cause) {
    throw malformed("one DER structure", url, cause);
  }
}

/** PEM of ASK or ASVK, then the ARK. */
function pemOf({ bytes, url }: VendorAnswer): Pick<AmdIssuers, "ask" | "ark"> {
  let certificates: readonly Uint8Array[];
  try {
    certificates = splitPem(Buffer.from(bytes).toString("latin1"));
  } catch (cause) {
    throw malformed("PEM certificates", url, cause);
  }
  const [ask, ark, ...more] = certificates;
  if (!ask || !ark || more.length > 0) throw malformed("two certificates", url);
  return { ask, ark };
}

const malformed = (expected: string, url: string, cause?: unknown): CharterError =>
  new CharterError(
    "collateral/malformed",
    "AMD's service must answer in its documented form",
    { url, expected },
    { cause },
  );
