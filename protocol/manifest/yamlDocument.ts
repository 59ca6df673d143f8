import { Composer, isScalar, Lexer, Parser, visit, type Document } from "yaml";

import { CharterError } from "../errors/CharterError.ts";

/** Longest text that is looked at. */
const MAX_CHARACTERS = 262_144;
/** Most lexical tokens: a line `key: value` has eight. It is what bounds time, for each costs microseconds. */
const MAX_TOKENS = 20_000;
/** Most collections and values that are open at once. */
const MAX_LEVELS = 128;

/**
 * Reads one YAML document in bounded time, whatever the text: it stops at the first limit and at the first problem. The
 * library's own way reads all, makes an error with its stack for every problem, compares every key with every other,
 * and recurses as deep as the text says.
 * @param schema - what an unquoted scalar may mean.
 * @throws CharterError `compose/malformed`, naming the limit or the problem.
 */
export function readYamlDocument(text: string, schema: "failsafe" | "core"): Document.Parsed {
  if (text.length > MAX_CHARACTERS) throw malformed(`at most ${MAX_CHARACTERS} characters`);
  const document = onlyOne(composed(text, composerOf(schema)));
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) throw malformed(problem.message);
  requireEachKeyOnce(document);
  return document;
}

function* composed(text: string, composer: Composer): Generator<Document.Parsed> {
  const parser = new Parser();
  let tokens = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++tokens > MAX_TOKENS) throw malformed(`at most ${MAX_TOKENS} tokens of YAML`);
    for (const token of parser.next(lexeme)) {
      if (token.type === "error") throw malformed(token.message);
      yield* composer.next(token);
    }
    // The lowest is the document.
    if (parser.stack.length - 1 > MAX_LEVELS) throw malformed(`at most ${MAX_LEVELS} levels`);
  }
  for (const token of parser.end()) yield* composer.next(token);
  yield* composer.end(true, text.length);
}

/** The stream's only document. Whatever else the library throws is the text's fault, not ours. */
function onlyOne(documents: Iterable<Document.Parsed>): Document.Parsed {
  let only: Document.Parsed | undefined;
  try {
    for (const document of documents) {
      if (only) throw malformed("one document");
      only = document;
    }
  } catch (cause) {
    if (cause instanceof CharterError) throw cause;
    throw new CharterError("compose/malformed", "expected a plain Compose file: YAML", {}, { cause });
  }
  if (!only) throw malformed("one document");
  return only;
}

function composerOf(schema: "failsafe" | "core"): Composer {
  const composer = new Composer({
    version: "1.2",
    schema,
    strict: true,
    merge: false,
    uniqueKeys: false, // Quadratic; see `requireEachKeyOnce`.
  });
  let first: CharterError | undefined;
  // The library collects problems; were this handler of its own renamed, the document would still list them.
  Object.assign(composer, {
    onError: (_source: unknown, _code: string, message: string): never => {
      // It catches what it takes for an exhausted stack, and calls this again at each level.
      first ??= malformed(message.split("\n")[0] ?? "YAML");
      throw first;
    },
  });
  return composer;
}

/** Keys that are no scalars are left to the caller. */
function requireEachKeyOnce(document: Document.Parsed): void {
  visit(document, {
    Map: (_key, { items }) => {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) throw malformed("each key once");
        seen.add(key.value);
      }
    },
  });
}

const malformed = (expected: string): CharterError =>
  new CharterError("compose/malformed", `expected a plain Compose file: ${expected}`, { expected });
