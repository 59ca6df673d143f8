import { expect } from "chai";

import { nodeCrypto } from "../../../../protocol/crypto/node.ts";
import {
  EvidenceError,
  parseCollateral,
  readEvidence,
  verify,
  withBootLog,
  type Verdict,
} from "../../../../protocol/evidence/index.ts";
import { SimulatedSgx } from "../../../../worker/tee/simulator/SimulatedSgx.ts";
import { SimulatedTdx } from "../../../../worker/tee/simulator/SimulatedTdx.ts";
import type { LoggedEvent } from "../../../../worker/tee/simulator/measurements.ts";
import { refusalOf } from "../../../support/refusal.ts";
import type { Logged } from "../eventlog/ccelLog.ts";
import { BOOT, logged, simulatedCcel } from "../eventlog/simulatedCcel.ts";
import { AT, issued, platform, root } from "../simulated.ts";

const EV_EVENT_TAG = 6;

describe("a TD's boot log beside its quote", () => {
  let quote: Uint8Array;
  let runtime: Logged[];

  before(async () => {
    const tdx = new SimulatedTdx(platform);
    await tdx.extend("app-id", Buffer.alloc(20, 7));
    const quoted = await tdx.quote(new Uint8Array(64));
    quote = Buffer.from(quoted.quote.slice(2), "hex");
    runtime = (JSON.parse(quoted.eventLog) as LoggedEvent[]).filter(({ imr }) => imr === 3).map(logged);
  });

  const judge = (ccel: Uint8Array, evidence = quote, tee: "tdx" | "sgx" = "tdx"): Promise<Verdict> =>
    verify(withBootLog(readEvidence(evidence), ccel), {
      at: AT + 1,
      crypto: nodeCrypto,
      roots: [root],
      collateral: { intel: parseCollateral(issued({ tee })) },
    });
  async function refused(ccel: Uint8Array): Promise<EvidenceError> {
    const error = await judge(ccel).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof EvidenceError)) throw new Error("expected a refusal by a check", { cause: error });
    // The quote itself was judged first, and what refuses stands last.
    expect(error.checks.map(({ name }) => name)).to.include.members(["quote-signature", "platform-tcb"]);
    expect(error.checks.filter(({ ok }) => !ok).map(({ name }) => name)).to.deep.equal([error.check]);
    return error;
  }

  it("is part of the verdict where it gives RTMR0 to RTMR2", async () => {
    const { checks, facts } = await judge(simulatedCcel());
    expect(checks.slice(-3).map(({ name, ok }) => [name, ok])).to.deep.equal([
      ["ccel-format", true],
      ["ccel-digests", true],
      ["ccel-replay", true],
    ]);
    expect(facts).to.deep.include({ ccelEvents: BOOT.length, ccelRegisters: ["RTMR0", "RTMR1", "RTMR2"] });
    expect(checks.at(-1)?.detail["replayed"]).to.deep.equal([facts["rtmr0"], facts["rtmr1"], facts["rtmr2"]]);
  });

  it("is held to RTMR3 as soon as it extends it", async () => {
    const { facts } = await judge(simulatedCcel((boot) => [...boot, ...runtime]));
    expect(facts["ccelRegisters"]).to.deep.equal(["RTMR0", "RTMR1", "RTMR2", "RTMR3"]);
    const other = simulatedCcel((boot) => [...boot, { ...(runtime[0] as Logged), digest: Buffer.alloc(48) }]);
    expect((await refused(other)).details["differing"]).to.deep.equal(["RTMR3"]);
  });

  it("is refused with the registers that differ", async () => {
    const changes: Record<string, (boot: Logged[]) => readonly Logged[]> = {
      RTMR0: (boot) => boot.slice(1),
      RTMR1: ([zero, first, second, ...rest]) => [zero, second, first, ...rest] as Logged[],
      RTMR2: (boot) => boot.map((each) => (each.index === 3 ? { ...each, digest: Buffer.alloc(48) } : each)),
      "RTMR1, RTMR2": (boot) => [
        ...boot,
        { index: 2, type: EV_EVENT_TAG, data: Buffer.from("one more") },
        { index: 3, type: EV_EVENT_TAG, data: Buffer.from("one more") },
      ],
      "RTMR0, RTMR1, RTMR2": () => [],
    };
    for (const [differing, change] of Object.entries(changes)) {
      const error = await refused(simulatedCcel(change));
      expect(error.code).to.equal("evidence/ccel-replay");
      expect(error.details["differing"]).to.deep.equal(differing.split(", "));
      expect(error.message).to.include(`differing: ${differing})`);
    }
  });

  it("is refused where it lies about its data, or is no boot log", async () => {
    const lied = simulatedCcel(([first, ...rest]) => [
      { ...(first as Logged), data: Buffer.alloc(5) },
      ...rest,
    ]);
    expect((await refused(lied)).code).to.equal("evidence/ccel-digests");
    for (const broken of [
      new Uint8Array(0),
      Buffer.from("CCEL"),
      simulatedCcel(undefined, { filler: Buffer.alloc(12, 0x5a) }),
      simulatedCcel(undefined, { algorithms: [[0x000b, 32]] }),
      simulatedCcel().subarray(0, 100),
    ]) {
      expect((await refused(broken)).code).to.equal("evidence/ccel-format");
    }
  });

  it("stands beside a TD's quote only", async () => {
    const enclave = new SimulatedSgx(platform).quote(new Uint8Array(64));
    const error = await judge(simulatedCcel(), enclave, "sgx").catch((reason: unknown) => reason);
    expect(error).to.have.property("code", "evidence/quote-kind");
    const other = { kind: "nras", token: "" } as const;
    expect(refusalOf(() => withBootLog(other, simulatedCcel()))).to.equal("evidence/kind-unsupported");
  });
});
