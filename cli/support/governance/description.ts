import { keccak256 } from "viem";

import { appAbi } from "../../../protocol/abi/app.ts";
import type { Address } from "../../../protocol/words/hex.ts";
import type { About } from "../act.ts";
import { printable, toJson } from "../output.ts";
import { decodeCall, type RawCall } from "./calls.ts";

const HEADING = "## Digests";
/** OpenZeppelin's Governor accepts such a description from this account only, so nobody can submit it first and cancel it. */
const PROPOSER = /\n\n#proposer=(0x[0-9a-fA-F]{40})$/;

/**
 * Does a description name the calls that it comes with? `silent`: it has no digests, as proposals made elsewhere.
 * `mismatch`: it names other calls than those that would be executed.
 */
export type Binding = "bound" | "silent" | "mismatch";

/** A Governor proposal's description (Markdown, as Tally shows it): title, what changes, and digests of the exact calls. */
export function proposalDescription(about: About, calls: readonly RawCall[], proposer: Address): string {
  const title = printable(about.title).replaceAll(/\s+/g, " ").trim();
  const text = about.text === undefined ? [] : ["", fenced(printable(about.text))];
  return [`# ${title}`, ...text, "", digestsText(calls), "", `#proposer=${proposer}`].join("\n");
}

/**
 * Compares the digests that a description ends with to those of its calls, computed anew. Nothing is parsed out of the
 * text: it is what we would have written, to the letter, and once; or it is a mismatch.
 */
export function bindingOf(description: string, calls: readonly RawCall[]): Binding {
  const text = description.replace(PROPOSER, "");
  const sections = text.split(/^.*## *digests.*$/im).length - 1;
  if (sections === 0) return "silent";
  return sections === 1 && text.endsWith(`\n\n${digestsText(calls)}`) ? "bound" : "mismatch";
}

/** First line of a description, without Markdown's mark of a title. */
export const titleOf = (description: string): string =>
  (description.split("\n", 1)[0] ?? "").replace(/^#+\s*/, "").slice(0, 200);

function digestsText(calls: readonly RawCall[]): string {
  return [HEADING, ...calls.flatMap((call, i) => ["", `Call ${i + 1}`, ...linesOf(call)])].join("\n");
}

/** An app's functions are named with their arguments: compose hash, note digest, predecessor and grace among them. */
function linesOf({ to, value, data }: RawCall): string[] {
  const call = decodeCall(appAbi, data);
  return [
    `- to: ${to}`,
    `- value: ${value}`,
    `- calldata: keccak256 ${keccak256(data)}`,
    ...(call ? [`- function: ${call.functionName}`] : []),
    ...(call?.args ?? []).map(({ name, value: given }) => `- ${name}: ${argumentText(given)}`),
  ];
}

/** Hex in lower case, since decoders write addresses in mixed case; anything else as JSON writes it. */
function argumentText(value: unknown): string {
  if (typeof value !== "string") return toJson(value).replaceAll('"', "");
  return /^0x[0-9a-fA-F]+$/.test(value) ? value.toLowerCase() : value;
}

/** A code block that its content cannot end: longer than any run of backticks in it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
