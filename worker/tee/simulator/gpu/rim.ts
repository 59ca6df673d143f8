import { createHash, type KeyObject } from "node:crypto";

import { signRaw } from "../keys.ts";
import type { GpuPki } from "./gpuPki.ts";
import { GOLDEN_INDICES, goldenValue, GPU_DRIVER, GPU_VBIOS } from "./gpuReport.ts";

export interface RimOptions {
  readonly kind: "driver" | "vbios";
  readonly version?: string;
  /** Values by index (from 0); default: what the simulated GPU measures. */
  readonly measurements?: ReadonlyMap<number, readonly Uint8Array[]>;
  /** Signs in the signer's place. */
  readonly key?: KeyObject;
  /** DER, signer first. */
  readonly chain?: readonly Uint8Array[];
}

const SWID = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
const DSIG = "http://www.w3.org/2000/09/xmldsig#";
const C14N = "http://www.w3.org/2006/12/xml-c14n11";
const VALUES = "http://www.w3.org/2001/04/xmlenc#sha384";
/** Namespaces of the root, as Canonical XML orders them. */
const NAMESPACES = `xmlns="${SWID}" xmlns:ns0="${SWID}" xmlns:ns2="${VALUES}"`;

/**
 * A manifest as NVIDIA signs them: SWID tag, enveloped XML signature. It is written in canonical form, so that the test
 * of the verifier's canonicalization does not rest on the same library.
 */
export function makeRim(pki: GpuPki, options: RimOptions): string {
  const { kind, key = pki.rimSigner, chain = pki.rimChain } = options;
  const version = options.version ?? (kind === "driver" ? GPU_DRIVER : GPU_VBIOS);
  const measurements = options.measurements ?? goldenOf(kind);
  const resources = [...measurements].map(([index, values]) => resource(index, true, values)).join("\n");
  const head =
    `<SoftwareIdentity ${NAMESPACES} corpus="false" name="Charter simulated GPU" tagId="${kind}" version="1.0">\n` +
    `<ns0:Meta colloquialVersion="${version}" edition="GPU" product="GH100"></ns0:Meta>\n` +
    `<ns0:Payload>\n${resources}\n${resource(200, false, [Buffer.alloc(48)])}\n</ns0:Payload>\n`;
  const tail = "\n</SoftwareIdentity>";
  const digest = createHash("sha384")
    .update(head + tail)
    .digest("base64");
  const signedInfo = (namespaces: string): string =>
    `<ds:SignedInfo${namespaces}>` +
    `<ds:CanonicalizationMethod Algorithm="${C14N}"></ds:CanonicalizationMethod>` +
    `<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"></ds:SignatureMethod>` +
    `<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="${DSIG}enveloped-signature"></ds:Transform>` +
    `<ds:Transform Algorithm="${C14N}"></ds:Transform></ds:Transforms>` +
    `<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#sha384"></ds:DigestMethod>` +
    `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>`;
  // Inclusive canonicalization writes every namespace in scope, sorted by prefix, on the element that is signed.
  const inScope = ` xmlns="${SWID}" xmlns:ds="${DSIG}" xmlns:ns0="${SWID}" xmlns:ns2="${VALUES}"`;
  const signature = signRaw(key, Buffer.from(signedInfo(inScope))).toString("base64");
  const certificates = chain
    .map((one) => `<ds:X509Certificate>${Buffer.from(one).toString("base64")}</ds:X509Certificate>`)
    .join("");
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n${head}<ds:Signature xmlns:ds="${DSIG}">${signedInfo("")}` +
    `<ds:SignatureValue>${signature}</ds:SignatureValue>` +
    `<ds:KeyInfo><ds:X509Data>${certificates}</ds:X509Data></ds:KeyInfo></ds:Signature>${tail}`
  );
}

/** Even indices are the driver's, odd ones the VBIOS's. */
export const goldenOf = (kind: RimOptions["kind"]): Map<number, Uint8Array[]> =>
  new Map(
    GOLDEN_INDICES.filter((index) => index % 2 === (kind === "driver" ? 0 : 1)).map((index) => [
      index,
      [Buffer.alloc(48, 0xee), goldenValue(index)],
    ]),
  );

/** Attributes in canonical order: those without namespace by name, then the hashes. */
function resource(index: number, isActive: boolean, values: readonly Uint8Array[]): string {
  const hashes = values.map((value, i) => ` ns2:Hash${i}="${Buffer.from(value).toString("hex")}"`).join("");
  return (
    `<ns0:Resource active="${isActive ? "True" : "False"}" alternatives="${values.length}" index="${index}"` +
    ` name="Measurement_${index}" size="48" type="Measurement"${hashes}></ns0:Resource>`
  );
}
