import { expect } from "chai";

import { isCharterError } from "../../../protocol/errors/CharterError.ts";
import { parseComposeFile } from "../../../protocol/manifest/composeFile.ts";
import { readYamlDocument } from "../../../protocol/manifest/yamlDocument.ts";

/** What was expected instead, as the error says it. */
function refusal(text: string): unknown {
  try {
    readYamlDocument(text, "failsafe");
  } catch (error) {
    if (isCharterError(error) && error.code === "compose/malformed") return error.details["expected"];
    throw error;
  }
  return "nothing";
}

const lines = (count: number, line: (i: number) => string): string =>
  `services:\n  web:\n    environment:\n${Array.from({ length: count }, (_, i) => `      ${line(i)}\n`).join("")}`;
const levels = (count: number): string => `a: ${"[".repeat(count - 1)}${"]".repeat(count - 1)}`;

describe("a YAML document of somebody else's", () => {
  it("is refused at the limit that it passes, and the error names the limit", () => {
    expect(refusal(`# ${"c".repeat(262_142)}`)).to.equal("nothing");
    expect(refusal(`# ${"c".repeat(262_143)}`)).to.equal("at most 262144 characters");
    expect(refusal(levels(128))).to.equal("nothing");
    expect(refusal(levels(129))).to.equal("at most 128 levels");
    for (const opening of ["- ", "? ", "[", "{a: ", '{"a":', "a:\n "]) {
      const deep = [...Array(200).keys()]
        .map((i) => opening.replace("\n ", `\n${" ".repeat(i + 1)}`))
        .join("");
      expect(refusal(deep), opening).to.equal("at most 128 levels");
    }
    expect(refusal(lines(5000, (i) => `A${i}: b`))).to.equal("at most 20000 tokens of YAML");
    expect(refusal(lines(10_000, () => "- a"))).to.equal("at most 20000 tokens of YAML");
  });

  it("may have thousands of lines", () => {
    const { services } = parseComposeFile(lines(2400, (i) => `A${i}: b`));
    expect(Object.keys(services["web"]?.["environment"] ?? {})).to.have.length(2400);
  });

  it("is refused at its first problem, however many follow", () => {
    expect(refusal(`a: ${"]".repeat(10_000)}`)).to.match(/^Unexpected flow-seq-end/);
    expect(refusal(`services: [${"'\n".repeat(4000)}`)).to.match(/^[A-Z][^\n]*$/);
    expect(refusal("%FOO\n---\na: b")).to.match(/^Unknown directive/);
    expect(refusal("a: b\n---\nc: d\n")).to.equal("one document");
    expect(refusal(lines(2400, () => "A: b"))).to.equal("each key once");
    expect(refusal("1: a\n'1': b\n")).to.equal("each key once");
  });
});
