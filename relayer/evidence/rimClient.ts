import { createHash } from "node:crypto";

import { z } from "zod";

import { CharterError } from "../../protocol/errors/CharterError.ts";
import { parseStrictJson } from "../../protocol/words/strictJson.ts";
import { VendorHttp, type VendorHttpOptions } from "./vendorHttp.ts";

interface Options extends VendorHttpOptions {
  /** Base URL of NVIDIA's service, or of a cache or simulator that speaks like it. */
  readonly url: string;
}

/** Ids have this form; nothing else goes into a URL. */
const ID = /^[0-9A-Za-z._-]{1,128}$/;
const answerSchema = z.object({
  id: z.string(),
  /** Base64 of the manifest. */
  rim: z.base64().min(1),
  sha256: z.string().regex(/^[0-9a-fA-F]{64}$/),
  /** "TCG" is SWID, the form of GPUs' manifests; services before version 2.5 do not say. */
  rim_format: z.literal("TCG").optional(),
  last_updated: z.string().optional(),
  request_id: z.string().optional(),
});

/**
 * Client of NVIDIA's RIM service, version 1 (https://docs.nvidia.com/attestation, "RIM Service"). It moves bytes, and holds
 * them to the id and the digest that come with them; whether they are NVIDIA's the signature says. Every failure is a
 * `CharterError` `collateral/…`; an id that there is not is `collateral/refused` with 404 in `actual`.
 */
export class RimClient {
  readonly #url: string;
  readonly #http: VendorHttp;

  constructor({ url, ...http }: Options) {
    this.#url = url.replace(/\/+$/, "");
    this.#http = new VendorHttp(http);
  }

  /** The manifest's XML. */
  async rim(id: string): Promise<string> {
    if (!ID.test(id)) {
      throw new CharterError(
        "collateral/malformed",
        "expected a manifest's id of letters, digits, . _ and -",
        {
          actual: id.slice(0, 128),
        },
      );
    }
    const { bytes, url } = await this.#http.get(`${this.#url}/v1/rim/${id}`);
    const answer = parseAnswer(bytes, url);
    const rim = Buffer.from(answer.rim, "base64");
    const sha256 = createHash("sha256").update(rim).digest("hex");
    if (answer.id !== id) {
      throw new CharterError(
        "collateral/not-genuine",
        "the service must answer the manifest that was asked for",
        {
          url,
          actual: answer.id.slice(0, 128),
        },
      );
    }
    if (sha256 !== answer.sha256.toLowerCase()) {
      throw new CharterError(
        "collateral/digest-mismatch",
        "the manifest must have the digest that came with it",
        {
          url,
          expected: answer.sha256,
          actual: sha256,
        },
      );
    }
    return utf8(rim, url);
  }
}

function parseAnswer(bytes: Uint8Array, url: string): z.infer<typeof answerSchema> {
  try {
    return answerSchema.parse(parseStrictJson(utf8(bytes, url), "manifest"));
  } catch (cause) {
    throw malformed(url, cause);
  }
}

function utf8(bytes: Uint8Array, url: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw malformed(url, cause);
  }
}

const malformed = (url: string, cause: unknown): CharterError =>
  new CharterError(
    "collateral/malformed",
    "NVIDIA's RIM service must answer in its documented form",
    { url },
    { cause },
  );
