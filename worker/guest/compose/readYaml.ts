import { isAlias, isNode, parseDocument, visit } from "yaml";

import { CharterError } from "../../../protocol/errors/CharterError.ts";

/** Longest Compose file that is looked at. */
const MAX_CHARACTERS = 262_144;
const MAX_DEPTH = 16;
const MAX_NODES = 20_000;

/**
 * YAML 1.2 text → plain values. One document, each key once; no aliases, anchors, tags of one's own or merge keys, so
 * that nothing stands in the file twice or for something else.
 * @throws CharterError `compose/malformed`.
 */
export function readYaml(text: string): unknown {
  if (text.length > MAX_CHARACTERS) throw malformed(`at most ${MAX_CHARACTERS} characters`);
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    strict: true,
    uniqueKeys: true,
    merge: false,
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) throw malformed(problem.message.split("\n")[0] ?? "YAML");
  let nodes = 0;
  visit(document, (_key, node, path) => {
    if (++nodes > MAX_NODES || path.length > MAX_DEPTH * 2) throw malformed("a smaller file");
    if (isAlias(node)) throw malformed("no alias");
    if (!isNode(node)) return;
    if ("anchor" in node && node.anchor) throw malformed("no anchor");
    if (node.tag !== undefined) throw malformed("no tag");
  });
  return document.toJS({ maxAliasCount: 0, mapAsMap: false }) as unknown;
}

const malformed = (expected: string): CharterError =>
  new CharterError("compose/malformed", `expected a plain Compose file: ${expected}`, { expected });
