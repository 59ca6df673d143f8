import { at, keyNotAllowed, valueNotAllowed } from "./refuse.ts";

/** Reads one value at a path into what Compose is given, or throws. */
export type Rule = (value: unknown, path: string) => unknown;

export type Mapping = Readonly<Record<string, unknown>>;

export const isMapping = (value: unknown): value is Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function mapping(value: unknown, path: string): Mapping {
  if (!isMapping(value)) throw valueNotAllowed(path, "a mapping");
  return value;
}

/**
 * Text. Compose replaces `$NAME` and `${NAME}` by the environment of whoever runs it: only a doubled dollar, which
 * stands for one, is allowed.
 */
export const text: Rule = (value, path) => {
  if (typeof value !== "string") throw valueNotAllowed(path, "text");
  if (value.includes("\0")) throw valueNotAllowed(path, "text without NUL");
  if (value.replaceAll("$$", "").includes("$")) throw valueNotAllowed(path, "no variable ($$ for a dollar)");
  return value;
};

/** Text that has a fixed form. */
export const matching =
  (form: RegExp, expected: string): Rule =>
  (value, path) => {
    if (!form.test(text(value, path) as string)) throw valueNotAllowed(path, expected);
    return value;
  };

export const flag: Rule = (value, path) => {
  if (typeof value !== "boolean") throw valueNotAllowed(path, "true or false");
  return value;
};

export const wholeNumber: Rule = (value, path) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw valueNotAllowed(path, "a whole number");
  return value;
};

/** A number, or text that Compose reads as one (`0.5`, `256m`, `30s`). */
export const quantity: Rule = (value, path) =>
  typeof value === "number" && Number.isFinite(value)
    ? value
    : matching(/^[0-9]+(\.[0-9]+)?[a-z]{0,2}([0-9]+(ms|s|m|h))*$/i, "a quantity")(value, path);

export const list =
  (rule: Rule): Rule =>
  (value, path) => {
    if (!Array.isArray(value)) throw valueNotAllowed(path, "a list");
    return value.map((item, i) => rule(item, at(path, i)));
  };

/** A command: one text or a list of texts. */
export const command: Rule = (value, path) =>
  Array.isArray(value) ? list(text)(value, path) : text(value, path);

/** A mapping with exactly these keys allowed, each by its rule. */
export const record =
  (rules: Readonly<Record<string, Rule>>): Rule =>
  (value, path) => {
    const out: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(mapping(value, path))) {
      const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
      if (!rule) throw keyNotAllowed(at(path, key));
      out[key] = rule(item, at(path, key));
    }
    return out;
  };

/** Names that people choose: of services, volumes and networks. */
export const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/;

/** A mapping from chosen names, each value by one rule. */
export const named =
  (rule: Rule): Rule =>
  (value, path) =>
    Object.fromEntries(
      Object.entries(mapping(value, path)).map(([name, item]) => {
        if (!NAME.test(name)) throw valueNotAllowed(at(path, name), "a name of letters, digits, dot, dash");
        return [name, rule(item, at(path, name))];
      }),
    );
