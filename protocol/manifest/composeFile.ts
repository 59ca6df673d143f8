import { isAlias, isNode, isPair, isScalar, visit } from "yaml";

import { CharterError } from "../errors/CharterError.ts";
import { isMapping, type Plain, type PlainMapping } from "./plain.ts";
import { readYamlDocument } from "./yamlDocument.ts";

/** Text that YAML 1.1 or 1.2 readers would take for null, a boolean, a number or a time where it is not quoted. */
const MEANS_MORE =
  /^(?:|~|null|true|false|yes|no|on|off|y|n|[-+]?\.(?:inf|nan)|[-+.]*\d[-+.\d:_,a-fxotz ]*)$/i;

const MAX_LEVELS = 64;

/** A Compose file as a reviewer reads it: every scalar by its spelling. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, PlainMapping>>;
  /** Every other top-level key. */
  readonly rest: PlainMapping;
}

/**
 * Parses a Compose file for comparison. Scalars stay text (YAML's failsafe schema): `010`, `8` and `0o10` are one number
 * to some readers and three to others, so spellings are compared; quotes stay where they make it a text. Aliases and
 * tags are refused: nothing may stand for something else.
 * @throws CharterError `compose/malformed`.
 */
export function parseComposeFile(text: string): ComposeFile {
  const file = plainDocument(text);
  if (file === null || !isMapping(file)) throw malformed("services");
  const { services, ...rest } = file;
  if (services === undefined || !isMapping(services) || Object.keys(services).length === 0) {
    throw malformed("services");
  }
  for (const [name, service] of Object.entries(services)) {
    if (!isMapping(service)) throw malformed(`a mapping as service ${name}`);
  }
  return { services: services as Readonly<Record<string, PlainMapping>>, rest };
}

function plainDocument(text: string): Plain | null {
  const document = readYamlDocument(text, "failsafe");
  visit(document, (_key, node, path) => {
    // A mapping and its pair are two steps of the path.
    if (path.length > 2 * MAX_LEVELS) throw malformed(`at most ${MAX_LEVELS} levels`);
    if (isAlias(node)) throw malformed("no alias");
    if (isPair(node) && !isScalar(node.key)) throw malformed("text as every key");
    if (!isNode(node)) return;
    if (node.tag !== undefined) throw malformed("no tag");
    if (!isScalar(node) || typeof node.value !== "string") return;
    if (node.type !== "PLAIN" && MEANS_MORE.test(node.value)) node.value = JSON.stringify(node.value);
  });
  return document.toJS({ maxAliasCount: 0 }) as Plain | null;
}

const malformed = (expected: string): CharterError =>
  new CharterError("compose/malformed", `expected a plain Compose file: ${expected}`, { expected });
