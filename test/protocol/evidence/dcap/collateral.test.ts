import { expect } from "chai";

import { parseCollateral } from "../../../../protocol/evidence/index.ts";
import { parseStrictJson } from "../../../../protocol/words/strictJson.ts";
import { issued, reissued } from "../simulated.ts";

const malformed = (json: unknown, part?: string) => {
  const assertion = expect(() => parseCollateral(json)).to.throw();
  assertion.with.property("code", "collateral/malformed");
  if (part) assertion.with.nested.property("details.part", part);
};

describe("parseCollateral", () => {
  it("refuses what is not an object, lacks a part or has one more", () => {
    const { pck_crl: _crl, ...lacking } = issued();
    for (const json of [null, "", 1, [], {}, lacking, { ...issued(), more: "" }]) malformed(json);
  });

  it("names the part that does not parse", () => {
    const own = issued();
    malformed({ ...own, pck_crl: own.pck_crl.slice(2) }, "pck_crl");
    malformed({ ...own, root_ca_crl: "zz" }, "root_ca_crl");
    malformed({ ...own, pck_crl_issuer_chain: "" }, "pck_crl_issuer_chain");
    malformed({ ...own, tcb_info: `${own.tcb_info} x` }, "tcb_info");
    malformed({ ...own, qe_identity: own.tcb_info }, "qe_identity");
    malformed({ ...own, tcb_info_signature: "zz".repeat(64) }, "tcb_info");
    malformed({ ...own, tcb_info_signature: "00" });
  });

  it("refuses unknown keys, values outside their range and another kind of document, though signed", () => {
    const changes: ((document: Record<string, unknown>) => void)[] = [
      (document) => (document["more"] = 1),
      (document) => (document["id"] = "SGX"), // without the SGX levels
      (document) => (document["id"] = "TDX2"),
      (document) => (document["version"] = 4),
      (document) => (document["fmspc"] = "00"),
      (document) => (document["nextUpdate"] = "tomorrow"),
      (document) => (document["tcbLevels"] = []),
      (document) => (document["tcbEvaluationDataNumber"] = -1),
    ];
    for (const change of changes) malformed(reissued("tcb_info", change), "tcb_info");
    malformed(
      reissued("qe_identity", (document) => (document["id"] = "QVE")),
      "qe_identity",
    );
  });

  it("refuses a key that stands twice in a signed document", () => {
    const own = issued();
    malformed({ ...own, tcb_info: own.tcb_info.replace("{", '{"version":3,') }, "tcb_info");
  });
});

describe("parseStrictJson", () => {
  const refused = (text: string) =>
    expect(() => parseStrictJson(text, "it"))
      .to.throw()
      .with.property("code", "json/malformed");

  it("reads what JSON.parse reads", () => {
    for (const text of [
      '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
      '["a","a"]',
      '{"a":"a","b":"a"}',
      "1",
      '"{"',
    ]) {
      expect(parseStrictJson(text, "it")).to.deep.equal(JSON.parse(text));
    }
  });

  it("refuses a key twice, however written and however deep", () => {
    for (const text of [
      '{"a":1,"a":1}',
      '{"a":1,"\\u0061":1}',
      '[{"b":{"a":"}","a":[]}}]',
      '{"a":{},"b":[],"a":0}',
    ]) {
      refused(text);
    }
  });

  it("refuses what is not JSON, and deep nesting", () => {
    for (const text of ["", "{", "{a:1}", "[1,]", "NaN"]) refused(text);
    expect(parseStrictJson("[".repeat(32) + "]".repeat(32), "it")).to.be.an("array");
    refused("[".repeat(33) + "]".repeat(33));
    refused('{"a":'.repeat(20_000) + "1" + "}".repeat(20_000));
  });
});
