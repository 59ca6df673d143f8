import { isAlias, isNode, isPair, isScalar, visit } from "yaml";

import { CharterError } from "../../../protocol/errors/CharterError.ts";
import { readYamlDocument } from "../../../protocol/manifest/yamlDocument.ts";

const MAX_DEPTH = 16;

/**
 * YAML 1.2 text → plain values. One document, each key once and text (`1` and `"1"` would be one key of what is read); no
 * aliases, anchors, tags of one's own or merge keys, so that nothing stands in the file twice or for something else.
 * @throws CharterError `compose/malformed`.
 */
export function readYaml(text: string): unknown {
  const document = readYamlDocument(text, "core");
  visit(document, (_key, node, path) => {
    if (path.length > MAX_DEPTH * 2) throw malformed("fewer levels");
    if (isAlias(node)) throw malformed("no alias");
    if (isPair(node) && !(isScalar(node.key) && typeof node.key.value === "string")) {
      throw malformed("text as every key");
    }
    if (!isNode(node)) return;
    if ("anchor" in node && node.anchor) throw malformed("no anchor");
    if (node.tag !== undefined) throw malformed("no tag");
  });
  return document.toJS({ maxAliasCount: 0, mapAsMap: false }) as unknown;
}

const malformed = (expected: string): CharterError =>
  new CharterError("compose/malformed", `expected a plain Compose file: ${expected}`, { expected });
