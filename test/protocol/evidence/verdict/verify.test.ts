import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import {
  EvidenceError,
  parseCollateral,
  readEvidence,
  verify,
  type VerifyAnyOptions,
} from "../../../../protocol/evidence/index.ts";
import { parseAddress, parseComposeHash, toHex } from "../../../../protocol/words/hex.ts";
import { measureBoot } from "../../../../worker/tee/measureBoot.ts";
import { SimulatedSgx } from "../../../../worker/tee/simulator/SimulatedSgx.ts";
import { SimulatedTdx } from "../../../../worker/tee/simulator/SimulatedTdx.ts";
import { clock, itOnVectors, vector, vectorJson } from "../../../support/vectors.ts";
import { AT, failedCheck, issued, platform, quoteOf, root } from "../simulated.ts";

const utf8 = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const options = (more: Partial<VerifyAnyOptions> = {}): VerifyAnyOptions => ({
  at: AT + 1,
  crypto: nodeCrypto,
  roots: [root],
  collateral: { intel: parseCollateral(issued()) },
  ...more,
});

async function guestEvidence() {
  const tdx = new SimulatedTdx(platform);
  await measureBoot(tdx, {
    app: parseAddress(`0x${"11".repeat(20)}`),
    composeHash: parseComposeHash(`0x${"22".repeat(32)}`),
    instanceId: `0x${"33".repeat(20)}`,
  });
  return tdx.quote(new Uint8Array(64).fill(5));
}

describe("verify, for evidence of any kind", () => {
  it("reads a quote as bytes, as hex, and inside Charter's and dstack's JSON", async () => {
    const { quote, eventLog, vmConfig } = await guestEvidence();
    const bytes = Buffer.from(quote.slice(2), "hex");
    for (const file of [bytes, Buffer.from(quote), Buffer.from(`${quote.slice(2)}\n`)]) {
      expect(readEvidence(file)).to.deep.equal({ kind: "dcap", quote: Uint8Array.from(bytes) });
    }
    const guest = { eventLog, vmConfig };
    for (const json of [
      { kind: "tdx", quote, eventLog, vmConfig, blockNumber: 1 },
      { quote: quote.slice(2), event_log: eventLog, vm_config: vmConfig },
    ]) {
      expect(readEvidence(utf8(json))).to.deep.equal({ kind: "dcap", quote: Uint8Array.from(bytes), guest });
    }
  });

  it("says which app runs where an event log tells, and that it does not know where none does", async () => {
    const { quote, eventLog, vmConfig } = await guestEvidence();
    const whole = await verify(readEvidence(utf8({ kind: "tdx", quote, eventLog, vmConfig })), options());
    expect(whole.kind).to.equal("tdx");
    expect(whole.status).to.equal("UpToDate");
    expect(whole.facts).to.include({ composeHash: `0x${"22".repeat(32)}`, appId: `0x${"11".repeat(20)}` });
    expect(whole.unchecked).to.deep.equal([]);
    expect(whole.checks.map(({ name }) => name)).to.include.members(["quote-signature", "rtmr-replay"]);
    const bare = await verify(readEvidence(Buffer.from(quote)), options());
    expect(bare.facts).not.to.have.property("composeHash");
    expect(bare.unchecked).to.have.lengthOf(1);
  });

  it("reads an enclave's quote, with its own collateral only", async () => {
    const evidence = readEvidence(new SimulatedSgx(platform).quote(new Uint8Array(64)));
    const intel = parseCollateral(issued({ tee: "sgx" }));
    const verdict = await verify(evidence, options({ collateral: { intel } }));
    expect([verdict.kind, verdict.status, verdict.facts["isvSvn"]]).to.deep.equal(["sgx", "UpToDate", 3]);
    expect(await failedCheck(verify(evidence, options()))).to.equal("qe-identity-kind");
    expect(await failedCheck(verify(evidence, options({ collateral: {} })))).to.equal("collateral-missing");
  });

  it("holds evidence to what the caller expects, each as a check of its own", async () => {
    const evidence = readEvidence(await quoteOf());
    const reportData = toHex(new Uint8Array(64).fill(5));
    const { facts } = await verify(evidence, options());
    const expecting = (expected: VerifyAnyOptions["expect"]) =>
      verify(evidence, options(expected ? { expect: expected } : {}));
    const met = await expecting({ reportData, facts: { mrTd: facts["mrTd"] ?? null } });
    expect(met.checks.slice(-2).map(({ name, ok }) => [name, ok])).to.deep.equal([
      ["expected-report-data", true],
      ["expected-fact", true],
    ]);
    expect(await failedCheck(expecting({ reportData: `0x${"00".repeat(64)}` }))).to.equal(
      "expected-report-data",
    );
    for (const wrong of [{ mrTd: `0x${"00".repeat(48)}` }, { noSuchFact: null }, { toString: null }]) {
      expect(await failedCheck(expecting({ facts: wrong }))).to.equal("expected-fact");
    }
  });

  it("names what it cannot read", () => {
    for (const file of [
      Buffer.alloc(0),
      Buffer.from("hello"),
      Buffer.from("{}"),
      utf8({ kind: "snowflake", quote: "00" }),
      Buffer.alloc(5 * 1_048_576, 3),
    ]) {
      expect(() => readEvidence(file))
        .to.throw(EvidenceError)
        .with.property("code", "evidence/unknown-form");
    }
    expect(() => readEvidence(Buffer.from('{"a":1,"a":2}')))
      .to.throw()
      .with.property("code", "json/malformed");
  });

  it("refuses a list of no GPU reports by its own code", async () => {
    const refused = await verify(readEvidence(Buffer.from("[]")), options()).catch((error: unknown) => error);
    expect(refused).to.have.property("code", "gpu/evidence-malformed");
  });

  itOnVectors("reads real evidence: quotes of TDX and SGX, a quote report, a GPU's report", async () => {
    const at = (iso: string) => ({ at: clock(iso), crypto: nodeCrypto });
    const intel = (path: string) => ({ collateral: { intel: parseCollateral(vectorJson(path)) } });
    const tdx = await verify(readEvidence(vector("tdx/dcap-qvl-2025-06/quote.bin")), {
      ...at("2025-07-01T00:00:00Z"),
      ...intel("tdx/dcap-qvl-2025-06/collateral.json"),
    });
    expect([tdx.kind, tdx.status, tdx.simulated]).to.deep.equal(["tdx", "UpToDate", false]);
    const report = await verify(readEvidence(vector("tdx/dstack-2026-02/quote-report.json")), {
      ...at("2026-02-18T11:58:51Z"),
      ...intel("tdx/dstack-2026-02/collateral.json"),
    });
    expect(report.facts["composeHash"]).to.equal(
      "0x3763bc34552cf3a27ff71ad5f7a90471562a1a2df552dfc1998cba2d60da27e7",
    );
    const sgx = await verify(readEvidence(vector("sgx/dcap-qvl/quote.bin")), {
      ...at("2025-06-21T10:56:11Z"),
      ...intel("sgx/dcap-qvl/collateral.json"),
    });
    expect([sgx.kind, sgx.status]).to.deep.equal(["sgx", "ConfigurationAndSWHardeningNeeded"]);
    const gpu = await verify(readEvidence(vector("gpu/hopper-evidence.json")), at("2026-01-01T00:00:00Z"));
    expect([gpu.kind, gpu.status, gpu.platformId]).to.deep.equal(["gpu", null, null]);
    expect(gpu.unchecked.length).to.be.greaterThan(2);
  });
});
