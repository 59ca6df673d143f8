/** A value of JSON or YAML without null. */
export type Plain = string | number | boolean | readonly Plain[] | PlainMapping;
export interface PlainMapping {
  readonly [key: string]: Plain;
}

export const isMapping = (value: Plain | undefined): value is PlainMapping =>
  typeof value === "object" && !Array.isArray(value);

const ONE_LINE = /^[^\p{C}\p{Z}{[](?:[^\p{C}\p{Zl}\p{Zp}]*[^\p{C}\p{Z}])?$/u;

export const isList = (value: Plain | undefined): value is readonly Plain[] => Array.isArray(value);

/** The same text for the same content, whatever the order of a mapping's keys; "" for undefined. */
export const canonical = (value: Plain | undefined): string =>
  value === undefined
    ? ""
    : JSON.stringify(value, (_key, inner: unknown) =>
        typeof inner === "object" && inner !== null && !Array.isArray(inner)
          ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
          : inner,
      );

/** For people: text as it is while it is one line of visible characters, anything else as JSON with escapes. */
export const shown = (value: Plain): string =>
  typeof value === "string" && ONE_LINE.test(value)
    ? value
    : canonical(value).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) =>
        [...Array(character.length).keys()]
          .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`)
          .join(""),
      );
