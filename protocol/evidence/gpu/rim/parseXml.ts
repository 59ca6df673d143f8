import { DOMParser } from "@xmldom/xmldom";

import { CharterError } from "../../../errors/CharterError.ts";

/** Characters of one manifest; 64 measurements with alternatives take some 40,000. */
const MAX_XML = 131_072;
const ELEMENT = 1;
const TEXT = 3;
const XML = "http://www.w3.org/XML/1998/namespace";

/**
 * Parses XML that has elements, attributes and text and nothing else: no document type (so no entities), no processing
 * instructions, comments or CDATA, and no `xml:` attributes, in which Canonical XML 1.0 and 1.1 differ.
 * @throws CharterError `rim/malformed`.
 */
export function parseXml(text: string): Element {
  if (text.length > MAX_XML) throw malformed(`expected at most ${MAX_XML} characters`);
  const refuse = (message: string): never => {
    throw malformed(message);
  };
  const errorHandler = { warning: refuse, error: refuse, fatalError: refuse };
  try {
    const document = new DOMParser({ errorHandler }).parseFromString(text, "text/xml");
    requirePlain(document);
    return document.documentElement;
  } catch (error) {
    if (error instanceof CharterError) throw error;
    throw new CharterError("rim/malformed", "expected well-formed XML", {}, { cause: error });
  }
}

/** Walks without recursion: depth is the writer's choice. */
function requirePlain(document: Document): void {
  const open: Node[] = Array.from(document.childNodes).filter((node) => !isDeclaration(node));
  if (open.length !== 1 || open[0]?.nodeType !== ELEMENT)
    throw malformed("expected one element and nothing beside it");
  let depth = 0;
  for (
    let level = open;
    level.length > 0;
    level = level.flatMap((node) => Array.from(node.childNodes ?? []))
  ) {
    if (++depth > 16) throw malformed("expected at most 16 levels");
    for (const node of level) {
      if (node.nodeType !== ELEMENT && node.nodeType !== TEXT) throw malformed("expected elements and text");
      if (node.nodeType !== ELEMENT) continue;
      const attributes = Array.from((node as Element).attributes);
      if (attributes.some((one) => one.namespaceURI === XML)) throw malformed("expected no xml: attributes");
    }
  }
}

/** `<?xml …?>`, and white space after it, which xmldom keeps. */
const isDeclaration = (node: Node): boolean =>
  (node.nodeType === 7 && node.nodeName === "xml") ||
  (node.nodeType === TEXT && node.nodeValue?.trim() === "");

/** Child elements of this name; `least` and `most` count them. @throws CharterError `rim/malformed`. */
export function children(
  parent: Element,
  namespace: string,
  name: string,
  least: number,
  most: number,
): Element[] {
  const found = Array.from(parent.childNodes).filter(
    (node): node is Element =>
      node.nodeType === ELEMENT &&
      (node as Element).localName === name &&
      (node as Element).namespaceURI === namespace,
  );
  if (found.length < least || found.length > most) {
    throw malformed(`expected ${least === most ? least : `${least} to ${most}`} of <${name}>`, found.length);
  }
  return found;
}

export const child = (parent: Element, namespace: string, name: string): Element =>
  children(parent, namespace, name, 1, 1)[0] as Element;

export function attribute(element: Element, name: string, namespace: string | null = null): string {
  const value = namespace === null ? element.getAttribute(name) : element.getAttributeNS(namespace, name);
  if (value === null || value === "") throw malformed(`expected ${name} on <${element.nodeName}>`);
  return value;
}

/** Text of an element without children, white space removed. */
export function textOf(element: Element): string {
  if (Array.from(element.childNodes).some((node) => node.nodeType !== TEXT)) {
    throw malformed(`expected only text in <${element.nodeName}>`);
  }
  return (element.textContent ?? "").replaceAll(/\s+/g, "");
}

export const malformed = (message: string, actual?: unknown): CharterError =>
  new CharterError("rim/malformed", message, actual === undefined ? {} : { actual });
