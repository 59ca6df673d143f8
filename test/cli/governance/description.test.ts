import { expect } from "chai";
import { encodeFunctionData } from "viem";

import { decodeCall, type RawCall } from "../../../cli/support/governance/calls.ts";
import { bindingOf, proposalDescription, titleOf } from "../../../cli/support/governance/description.ts";
import { proposalId } from "../../../cli/support/governance/proposals.ts";
import { appAbi } from "../../../protocol/abi/app.ts";
import type { Address, Hex } from "../../../protocol/words/hex.ts";

const APP = `0x${"a1".repeat(20)}` as Address;
const OTHER = `0x${"a2".repeat(20)}` as Address;
const PROPOSER = `0x${"b1".repeat(20)}` as Address;
const hash = (byte: string): Hex => `0x${byte.repeat(32)}`;

const propose = (...args: readonly [Hex, Hex, number, number]): RawCall => ({
  to: APP,
  value: 0n,
  data: encodeFunctionData({ abi: appAbi, functionName: "propose", args }),
});
const CALL = propose(hash("c1"), hash("d1"), 3, 60);
const DESCRIPTION = proposalDescription({ title: "A title", text: "web: busybox" }, [CALL], PROPOSER);

describe("a proposal's description", () => {
  it("is a title, what changes, and the digests of the exact calls", () => {
    expect(DESCRIPTION.split("\n")).to.deep.equal([
      "# A title",
      "",
      "```text",
      "web: busybox",
      "```",
      "",
      "## Digests",
      "",
      "Call 1",
      `- to: ${APP}`,
      "- value: 0",
      DESCRIPTION.split("\n")[11],
      "- function: propose",
      `- composeHash: ${hash("c1")}`,
      `- noteDigest: ${hash("d1")}`,
      "- expectedPredecessor: 3",
      "- graceSeconds: 60",
      "",
      `#proposer=${PROPOSER}`,
    ]);
    expect(DESCRIPTION).to.match(/- calldata: keccak256 0x[0-9a-f]{64}\n/);
    expect(titleOf(DESCRIPTION)).to.equal("A title");
    expect(bindingOf(DESCRIPTION, [CALL])).to.equal("bound");
  });

  it("is bound to every part of every call", () => {
    const others: RawCall[][] = [
      [propose(hash("c2"), hash("d1"), 3, 60)],
      [propose(hash("c1"), hash("d2"), 3, 60)],
      [propose(hash("c1"), hash("d1"), 2, 60)],
      [propose(hash("c1"), hash("d1"), 3, 61)],
      [{ ...CALL, to: OTHER }],
      [{ ...CALL, value: 1n }],
      [{ ...CALL, data: `${CALL.data}00` }],
      [CALL, CALL],
      [],
    ];
    for (const calls of others) expect(bindingOf(DESCRIPTION, calls)).to.equal("mismatch");
  });

  it("names its calls once, at its end, or does not name them", () => {
    expect(bindingOf("# Elsewhere\n\nwritten by hand", [CALL])).to.equal("silent");
    expect(bindingOf(DESCRIPTION.replace(/\n\n#proposer=.*$/, ""), [CALL])).to.equal("bound");
    expect(bindingOf(`${DESCRIPTION}\nand more`, [CALL])).to.equal("mismatch");
    const section = DESCRIPTION.slice(DESCRIPTION.indexOf("## Digests"));
    const other = proposalDescription({ title: "A title" }, [{ ...CALL, to: OTHER }], PROPOSER);
    expect(bindingOf(`${other.replace(/\n\n#proposer=.*$/, "")}\n\n${section}`, [CALL])).to.equal("mismatch");
    const hidden = proposalDescription({ title: "T", text: "a\n##  DIGESTS of something" }, [CALL], PROPOSER);
    expect(bindingOf(hidden, [CALL])).to.equal("mismatch");
  });

  it("keeps a title on one line, and what changes inside its block", () => {
    const text = proposalDescription(
      { title: "a\n\n## b\u001b[2J", text: "```\n# not a title\n````" },
      [CALL],
      PROPOSER,
    );
    expect(text).to.match(/^# a ## b\ufffd\[2J\n\n`````text\n```\n# not a title\n````\n`````\n/);
    expect(bindingOf(text, [CALL])).to.equal("bound");
  });

  it("names only target and calldata of what is no call of an app", () => {
    const unknown: RawCall = { to: OTHER, value: 5n, data: "0x12345678" };
    const text = proposalDescription({ title: "Other" }, [unknown], PROPOSER);
    expect(text).to.include("- value: 5").and.not.include("- function");
    expect(bindingOf(text, [unknown])).to.equal("bound");
    expect(bindingOf(text, [{ ...unknown, data: "0x12345679" }])).to.equal("mismatch");
  });
});

describe("calldata in words", () => {
  it("has a function's own names, and nothing for bytes that only resemble a call", () => {
    expect(decodeCall(appAbi, CALL.data)?.args.map(({ name }) => name)).to.deep.equal([
      "composeHash",
      "noteDigest",
      "expectedPredecessor",
      "graceSeconds",
    ]);
    const dirty = `${CALL.data.slice(0, -64)}01${CALL.data.slice(-62)}` as Hex;
    for (const data of [`${CALL.data}00`, dirty, CALL.data.slice(0, -2), "0x12345678", "0x"] as Hex[]) {
      expect(decodeCall(appAbi, data), data).to.equal(null);
    }
  });
});

describe("a proposal's id", () => {
  it("is OpenZeppelin's: keccak256 of targets, values, calldatas and the description's hash", () => {
    const one = proposalId({ calls: [CALL], description: DESCRIPTION });
    expect(one).to.not.equal(proposalId({ calls: [CALL], description: `${DESCRIPTION} ` }));
    expect(one).to.not.equal(proposalId({ calls: [{ ...CALL, to: OTHER }], description: DESCRIPTION }));
  });
});
