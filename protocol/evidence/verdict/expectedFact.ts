import type { Fact } from "./Verdict.ts";

/** `name=value` → what a fact must be: a number, true, false or null where the value reads as one, else text. Null: no name. */
export function expectedFact(text: string): readonly [name: string, value: Fact] | null {
  const at = text.indexOf("=");
  if (at < 1) return null;
  const value = text.slice(at + 1);
  const isJson = /^(?:true|false|null|0|[1-9][0-9]{0,14})$/.test(value);
  return [text.slice(0, at), isJson ? (JSON.parse(value) as Fact) : value];
}
