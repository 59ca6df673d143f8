import { expect } from "chai";
import { z } from "zod";

import { parseMessage } from "../../../relayer/api/errors.ts";

describe("parseMessage", () => {
  it("namesMadeUpByTheSender_areNotRepeatedAtLength", () => {
    const made = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`${"x".repeat(1_000)}${n}`, 1]));
    const parse = () => parseMessage(z.strictObject({ a: z.string() }), made);
    expect(parse).to.throw().with.property("code", "api/invalid-message");
    expect(parse)
      .to.throw()
      .with.property("details")
      .that.satisfies((details: object) => {
        const text = JSON.stringify(details);
        return text.length < 1_000 && text.includes("a: ");
      });
  });
});
