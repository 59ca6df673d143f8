// The rest of the library signs and reads keys with Node's own cryptography: a browser has no use for it.
import { C14nCanonicalization } from "xml-crypto/lib/c14n-canonicalization.js";

import type { Crypto } from "../../../crypto/crypto.ts";
import { parseCertificate, type Certificate } from "../../../der/certificate.ts";
import { MAX_CHAIN } from "../../../der/pem.ts";
import { equalBytes } from "../../../words/bytes.ts";
import { fromHex, toHex } from "../../../words/hex.ts";
import { ChainSignatures, intersect, isWithin, requireLinked, rootOf, windowOf } from "../../chain/chain.ts";
import type { TrustedRoot } from "../../chain/roots.ts";
import { Checklist, EvidenceError, type Check } from "../../EvidenceError.ts";
import type { Rim } from "../golden.ts";
import { NVIDIA_RIM_ROOT } from "../nvidiaRoots.ts";
import { requireUnrevoked, type OcspAnswers } from "../revocation.ts";
import { attribute, child, children, malformed, parseXml, textOf } from "./parseXml.ts";

export interface VerifyRimOptions {
  /** Unix seconds to judge at. */
  readonly at: number;
  readonly crypto: Crypto;
  /** Default: NVIDIA's RIM root only. */
  readonly roots?: readonly TrustedRoot[];
  /** Of the signer and the CAs below the root. Without them the result's `revocation` is "unchecked". */
  readonly ocsp?: OcspAnswers;
}

export interface RimVerification extends Rim {
  readonly revocation: "good" | "unchecked";
  /** Signer first, root last. */
  readonly chain: readonly Certificate[];
  readonly checks: readonly Check[];
}

const SWID = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
const DSIG = "http://www.w3.org/2000/09/xmldsig#";
/** Namespace of the hash attributes, not an algorithm here. */
const SHA384_VALUES = "http://www.w3.org/2001/04/xmlenc#sha384";
const ECDSA_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";
const SHA384 = ["http://www.w3.org/2001/04/xmldsig-more#sha384", SHA384_VALUES];
const ENVELOPED = `${DSIG}enveloped-signature`;
/** Canonical XML 1.0 and 1.1, without comments: one and the same where no `xml:` attribute stands. */
const C14N = ["http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "http://www.w3.org/2006/12/xml-c14n11"];
const MAX_MEASUREMENTS = 256;
const MAX_ALTERNATIVES = 64;

/**
 * Verifies a reference integrity manifest of NVIDIA's: a SWID tag (ISO/IEC 19770-2, TCG RIM) with an enveloped XML
 * signature (XMLDSIG, ECDSA P-384 with SHA-384) over all of it, by a chain up to the RIM root. Everything is read from
 * the canonical text that was hashed, parsed anew: what the parser or the canonicalizer made of the input cannot matter.
 *
 * Not checked: the SWID schema beyond what is read, and whether a newer manifest of the same version exists; revocation of
 * the signer only by OCSP answers that are given. Needs an XML library, which browsers load for this alone.
 * @throws EvidenceError `evidence/<check>`.
 */
export async function verifyRim(xml: string, options: VerifyRimOptions): Promise<RimVerification> {
  const { at, crypto, roots = [NVIDIA_RIM_ROOT], ocsp } = options;
  const list = new Checklist();
  const root = list.attempt("rim-format", "a SWID tag", () => readTag(xml));
  const signed = list.attempt(
    "rim-signature-format",
    "one enveloped ECDSA signature over the whole tag",
    () => readSignature(root),
  );
  const chain = list.attempt("rim-chain", "the signer's certificates up to the root", () =>
    readChain(signed.certificates),
  );
  const rim = list.attempt("rim-content", "version and measurements", () => readContent(signed.document));

  const [links, signature, digest] = await Promise.all([
    new ChainSignatures(crypto).hold(chain),
    crypto.verify(
      "p384-sha384",
      (chain[0] as Certificate).publicKey,
      encode(signed.signedInfo),
      signed.signature,
    ),
    crypto.digest("SHA-384", encode(signed.document)),
  ]);
  const trusted = rootOf(chain, roots);
  list.require(trusted !== undefined, "root-pinned", "a chain that ends at a trusted root", {
    rootKey: toHex(chain.at(-1)?.publicKey ?? new Uint8Array()),
  });
  list.require(links, "rim-chain-signatures", "every certificate to be signed by the next");
  list.require(signature, "rim-signature", "a manifest signed by the signer");
  list.require(equalBytes(digest, signed.digest), "rim-digest", "the document that was signed", {
    expected: toHex(signed.digest),
    actual: toHex(digest),
  });
  const certified = windowOf(chain);
  list.require(isWithin(certified, at), "validity", "certificates valid at that time", { at, ...certified });
  const window = ocsp ? intersect([certified, requireUnrevoked(list, chain, ocsp, at, "served")]) : certified;
  const { name, simulated } = trusted as TrustedRoot;
  return {
    ...rim,
    revocation: ocsp ? "good" : "unchecked",
    chain,
    validFrom: window.from,
    validUntil: window.until,
    root: name,
    simulated,
    checks: list.checks,
  };
}

function readTag(xml: string): Element {
  const root = parseXml(xml);
  if (root.localName !== "SoftwareIdentity" || root.namespaceURI !== SWID)
    throw malformed("expected a SWID tag");
  return root;
}

interface Signed {
  /** Canonical SignedInfo: what the signature is over. */
  readonly signedInfo: string;
  /** Canonical document without its signature: what the digest is over. */
  readonly document: string;
  readonly signature: Uint8Array;
  readonly digest: Uint8Array;
  readonly certificates: readonly Uint8Array[];
}

/** Takes the one Signature out of the tree, and reads it. Algorithms other than these are refused by name. */
function readSignature(root: Element): Signed {
  const signature = child(root, DSIG, "Signature");
  if (root.getElementsByTagNameNS(DSIG, "Signature").length !== 1) throw malformed("expected one signature");
  const signedInfo = canonical(child(signature, DSIG, "SignedInfo"));
  const info = parseXml(signedInfo);
  requireAlgorithm(child(info, DSIG, "CanonicalizationMethod"), C14N);
  requireAlgorithm(child(info, DSIG, "SignatureMethod"), [ECDSA_SHA384]);
  const reference = child(info, DSIG, "Reference");
  // The empty URI is the whole document (XMLDSIG §4.4.3.2): nothing is left out but the signature itself.
  if (!reference.hasAttribute("URI") || reference.getAttribute("URI") !== "")
    throw malformed('expected URI=""');
  const transforms = children(child(reference, DSIG, "Transforms"), DSIG, "Transform", 1, 2);
  requireAlgorithm(transforms[0] as Element, [ENVELOPED]);
  for (const transform of transforms.slice(1)) requireAlgorithm(transform, C14N);
  requireAlgorithm(child(reference, DSIG, "DigestMethod"), SHA384);
  const data = child(child(signature, DSIG, "KeyInfo"), DSIG, "X509Data");
  root.removeChild(signature);
  return {
    signedInfo,
    document: canonical(root),
    signature: base64(textOf(child(signature, DSIG, "SignatureValue")), 96),
    digest: base64(textOf(child(reference, DSIG, "DigestValue")), 48),
    certificates: children(data, DSIG, "X509Certificate", 2, MAX_CHAIN).map((one) => base64(textOf(one))),
  };
}

function requireAlgorithm(element: Element, allowed: readonly string[]): void {
  const actual = attribute(element, "Algorithm");
  if (!allowed.includes(actual))
    throw malformed(`expected ${element.localName} ${allowed.join(" or ")}`, actual);
}

/** Canonical XML of an element, in the namespaces of its ancestors (Canonical XML 1.0 §2.4). */
function canonical(element: Element): string {
  const ancestorNamespaces: { prefix: string; namespaceURI: string }[] = [];
  for (let node = element.parentNode; node?.nodeType === 1; node = node.parentNode) {
    for (const { name, value } of Array.from((node as Element).attributes)) {
      if (name !== "xmlns" && !name.startsWith("xmlns:")) continue;
      const prefix = name === "xmlns" ? "" : name.slice("xmlns:".length);
      if (ancestorNamespaces.every((known) => known.prefix !== prefix)) {
        ancestorNamespaces.push({ prefix, namespaceURI: value });
      }
    }
  }
  return String(new C14nCanonicalization().process(element, { ancestorNamespaces }));
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Signer first, root last, all on P-384. */
function readChain(certificates: readonly Uint8Array[]): Certificate[] {
  const chain = certificates.map(parseCertificate);
  requireLinked(chain, 2, MAX_CHAIN);
  if (chain.some((one) => one.keyType !== "P-384" || one.scheme !== "p384-sha384")) {
    throw new EvidenceError("rim-chain", "expected keys and signatures on P-384");
  }
  return chain;
}

/** Meta's colloquialVersion, and Payload's active measurements. */
function readContent(text: string): Pick<Rim, "version" | "measurements"> {
  const root = readTag(text);
  const version = attribute(child(root, SWID, "Meta"), "colloquialVersion");
  if (!/^[0-9A-Za-z._-]{1,32}$/.test(version)) throw malformed("expected a plain version", version);
  const resources = children(child(root, SWID, "Payload"), SWID, "Resource", 1, MAX_MEASUREMENTS);
  const measurements = new Map<number, readonly Uint8Array[]>();
  const seen = new Set<number>();
  for (const resource of resources) {
    const type = attribute(resource, "type");
    if (type !== "Measurement") throw malformed("expected measurements only", type);
    const index = decimal(resource, "index", 255);
    if (seen.has(index)) throw malformed("expected each index once", index);
    seen.add(index);
    const active = attribute(resource, "active");
    if (active !== "True" && active !== "False") throw malformed("expected active as True or False", active);
    const values = readValues(resource);
    if (active === "True") measurements.set(index, values);
  }
  return { version: version.toUpperCase(), measurements };
}

/** Hash0, Hash1, …: as many as `alternatives` says, each of `size` bytes. */
function readValues(resource: Element): Uint8Array[] {
  const size = decimal(resource, "size", 64);
  const alternatives = decimal(resource, "alternatives", MAX_ALTERNATIVES);
  if (alternatives === 0 || size === 0) throw malformed("expected at least one value");
  return Array.from({ length: alternatives }, (_, i) => {
    const hex = attribute(resource, `Hash${i}`, SHA384_VALUES);
    if (!new RegExp(`^[0-9a-fA-F]{${2 * size}}$`).test(hex))
      throw malformed(`expected ${size} bytes of hex`, hex);
    return fromHex(`0x${hex}`);
  });
}

function decimal(element: Element, name: string, most: number): number {
  const text = attribute(element, name);
  const value = Number(text);
  if (!/^(?:0|[1-9][0-9]{0,3})$/.test(text) || value > most)
    throw malformed(`expected ${name} up to ${most}`, text);
  return value;
}

/** Canonical base64 of an exact length, where one is given. */
function base64(text: string, length?: number): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw malformed("expected base64");
  }
  if (btoa(binary) !== text || binary === "") throw malformed("expected canonical base64");
  if (length !== undefined && binary.length !== length)
    throw malformed(`expected ${length} bytes`, binary.length);
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
