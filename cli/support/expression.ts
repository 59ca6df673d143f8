import { InvalidArgumentError } from "commander";

import { EndorsementOp, padded } from "../../protocol/policy/endorsements.ts";
import type { Bytes32 } from "../../protocol/words/hex.ts";
import { addressOption, bytes32Option, wholeNumber } from "./values.ts";

/** An expression over nodes, as people write it. */
export type Expression =
  | { readonly op: 1 | 2; readonly parts: readonly Expression[] }
  | { readonly op: 3 | 4 | 5 | 6; readonly term: Bytes32 };

const LEAVES: Readonly<Record<string, (text: string) => Expression>> = {
  platform: (text) => ({ op: EndorsementOp.Platform, term: bytes32Option(text) }),
  operator: (text) => ({ op: EndorsementOp.Operator, term: padded(addressOption(text)) }),
  platforms: (text) => ({ op: EndorsementOp.PlatformList, term: listTerm(text) }),
  operators: (text) => ({ op: EndorsementOp.OperatorList, term: listTerm(text) }),
};

const listTerm = (text: string): Bytes32 =>
  `0x${wholeNumber(text).toString(16).padStart(64, "0")}` as Bytes32;

/** Parses `any(all(operator:0x…, platforms:1), platform:0x…)`. @throws InvalidArgumentError saying what was expected. */
export function parseExpression(text: string): Expression {
  const tokens = text.match(/[(),]|[^\s(),]+/g) ?? [];
  let at = 0;
  const fail = (): never => {
    throw new InvalidArgumentError(
      `expected any(…), all(…), platform:0x…, operator:0x…, platforms:<list> or operators:<list> at "${tokens[at] ?? "the end"}"`,
    );
  };
  const one = (): Expression => {
    const token = tokens[at++] ?? fail();
    if (token === "any" || token === "all") {
      if (tokens[at++] !== "(") fail();
      const parts = [one()];
      while (tokens[at] === ",") {
        at++;
        parts.push(one());
      }
      if (tokens[at++] !== ")") fail();
      return { op: token === "any" ? EndorsementOp.AnyOf : EndorsementOp.AllOf, parts };
    }
    const [name, ...rest] = token.split(":");
    const leaf = Object.hasOwn(LEAVES, name ?? "") ? LEAVES[name as string] : undefined;
    if (!leaf || rest.length !== 1) return fail();
    return leaf(rest[0] as string);
  };
  const expression = one();
  if (at !== tokens.length) fail();
  return expression;
}
